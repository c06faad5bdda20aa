#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Nothing bad is silent: each ends with one clear message and its documented
# exit status, and the vault is as it was.

. "$(dirname "$0")/../lib/tap.sh"
. "$TESTS/lib/faults.sh"

faults_start

# refused STATUS PATTERN TEXT ARG...: the call ends so, in words and in JSON,
# and the vault is as it was
refused() {
	refused_status=$1 refused_pattern=$2 refused_text=$3
	shift 3
	tidemark "$@"
	is "$STATUS" "$refused_status" "$refused_text: exit $refused_status"
	like "$(grep '^tidemark: ' "$WORK/err")" "tidemark: $refused_pattern" \
		"$refused_text: a clear message"
	is "$(grep -c '^tidemark: ' "$WORK/err")" 1 "$refused_text: just one"
	! grep -q "$SECRET" "$WORK/err"
	ok $? "$refused_text: without secrets"
	tidemark "$@" --json
	is "$STATUS $(json exit) $(json ok)" \
		"$refused_status $refused_status false" "$refused_text: in JSON"
	is "$(vault_state)" "$as_it_was" \
		"$refused_text: the vault is as it was"
}

right "a disk in a vault"
SECRET=$(echo "$AZURITE_KEY" | cut -c1-20)
as_it_was=$(vault_state)
right_credentials=$AZURE_STORAGE_CONNECTION_STRING

# Names and URLs
for name in M 1Main -Main 'Main Vault' Main_ \
	Abcdefghijklmnopqrstuvwxyz-abcdefghijklmnopqrstuvwxy; do
	refused 2 "*$name*" "the vault name '$name'" \
		vault create "$PROXY_URL/other" --name "$name"
done
refused 2 "*" "no vault name" vault create "$PROXY_URL/other"
refused 2 "*" "a URL with a query" \
	vault create "$PROXY_URL/other?sig=x" --name Other
refused 2 "*" "a container's name in capitals" \
	vault create "$PROXY_URL/OTHER" --name Other
refused 11 "cannot create vault *there is one already" \
	"a vault where there is one" vault create "$VAULT" --name Again
refused 4 "cannot find a vault at *" "an unknown vault" \
	protect "$PROXY_URL/nowhere" "$WORK/right.img" --disk other

# Accounts that do not suit
proxy_rule '{"kind":"account","times":0,"do":"status","status":200,"headers":
	{"x-ms-sku-name":"Standard_LRS","x-ms-account-kind":"StorageV2",
	 "x-ms-is-hns-enabled":"true"}}'
refused 11 "cannot make a vault in account *hierarchical namespace*" \
	"a hierarchical namespace" vault create "$PROXY_URL/other" --name Other
proxy_clear
proxy_rule '{"kind":"account","times":0,"do":"status","status":200,"headers":
	{"x-ms-sku-name":"Premium_LRS","x-ms-account-kind":"StorageV2"}}'
refused 11 "cannot make a vault in account *" \
	"premium page blobs" vault create "$PROXY_URL/other" --name Other
proxy_clear
proxy_rule '{"kind":"block-put","path":"vault.json","times":0,"do":"status",
	"status":201,"after":true,"headers":{"ETag":"\"0x1\"",
	"x-ms-version-id":"2026-01-01T00:00:00.0000000Z"}}'
refused 11 "cannot make a vault in account *versions*" \
	"an account that keeps versions" \
	vault create "$PROXY_URL/other" --name Other
proxy_clear
AZURE_STORAGE_CONNECTION_STRING=$DIRECT_CONNECTION_STRING
"$BUILD/tests/storage" container-exists other 2>/dev/null |
	grep -q ContainerNotFound
ok $? "no container is left of it"

# Credentials
AZURE_STORAGE_CONNECTION_STRING=$right_credentials
wrong="DefaultEndpointsProtocol=http;AccountName=$AZURITE_ACCOUNT;AccountKey=d3Jvbmcgd3Jvbmcgd3Jvbmcgd3Jvbmcgd3Jvbmcgd3Jvbmc=;BlobEndpoint=$PROXY_URL"

# with CREDENTIALS COMMAND...: refused(), with those for the program alone
with() {
	CREDENTIALS=$1
	shift
	"$@"
	unset CREDENTIALS
}

for verb in backup "restore disk a $WORK/out.img"; do
	# shellcheck disable=SC2086 # words
	with "$wrong" refused 5 "cannot *" "a wrong key, $verb" $verb
done
with "$(echo "$wrong" | sed "s/AccountName=[a-z0-9]*/AccountName=another/")" \
	refused 5 "cannot use *" "another account's key" backup
with "nonsense" refused 5 "cannot *" "credentials that make no sense" backup
with "" refused 5 "cannot find credentials*" "no credentials" backup
[ ! -e "$WORK/out.img" ]
ok $? "and nothing is restored"
(umask 077 && echo "$right_credentials" >"$WORK/credentials")
printf '[vault]\ncredentials = %s\n' "$WORK/credentials" >"$TIDEMARK_CONFIG"
AZURE_STORAGE_CONNECTION_STRING='' "$TIDEMARK" points >/dev/null
ok $? "credentials from a file"
chmod 644 "$WORK/credentials"
with "" refused 5 "cannot use the credentials *others*" "a file that others may read" \
	points
printf '[vault]\ncredentials_command = cat %s\n' "$WORK/credentials" \
	>"$TIDEMARK_CONFIG"
AZURE_STORAGE_CONNECTION_STRING='' "$TIDEMARK" points >/dev/null
ok $? "credentials from a command"
printf '[vault]\ncredentials_command = false\n' >"$TIDEMARK_CONFIG"
with "" refused 5 "cannot use the credentials from *it failed" "a command that fails" \
	points
: >"$TIDEMARK_CONFIG"

# No network: a port where nobody listens
gone=$(/usr/bin/python3 -c 'import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])')
sed -i.kept "s/:$PROXY_PORT/:$gone/" "$TIDEMARK_STATE_DIR/disks/a.json"
with "$(echo "$right_credentials" | sed "s/:$PROXY_PORT/:$gone/")" \
	refused 6 "cannot *" "no network" backup
mv "$TIDEMARK_STATE_DIR/disks/a.json.kept" "$TIDEMARK_STATE_DIR/disks/a.json"

# A vault that has gone, a machine and a disk that are not known
sed -i.kept "s/\"tidemark-[0-9a-f]*/\"tidemark-00000000000000000000000000000001/" \
	"$TIDEMARK_STATE_DIR/disks/a.json"
tidemark backup
is "$STATUS" 4 "a machine that the vault does not hold: exit 4"
mv "$TIDEMARK_STATE_DIR/disks/a.json.kept" "$TIDEMARK_STATE_DIR/disks/a.json"
refused 4 "cannot find disk 'nodisk'*" "an unknown disk" backup nodisk
refused 4 "cannot find recovery point*" "an unknown point" \
	points show 20200101T000000Z
refused 4 "cannot find machine*" "an unknown machine" \
	points --vault "$VAULT" --item nobody

# Leases held by another
"$TESTS/lib/sdk.py" lease "$(container)" lock \
	11111111-2222-4333-8444-555555555555
refused 7 "cannot lease *lock*" "the lock leased by another" backup
"$BUILD/tests/storage" lease-break "$(container)" lock 0 >/dev/null

# Disks
refused 4 "cannot open disk *" "a disk that is not there" \
	protect "$VAULT" "$WORK/missing.img"
refused 8 "cannot open disk *neither*" "a directory" \
	protect "$VAULT" "$WORK" --disk dir
truncate -s 8796091973632 "$WORK/large.img"	# 8 TiB less 1 MiB
truncate -s 8796091974144 "$WORK/huge.img"
refused 10 "*8*" "a disk over the limit" \
	protect "$VAULT" "$WORK/huge.img" --disk huge
refused 11 "cannot protect disk *already*" "a disk twice" \
	protect "$VAULT" "$A" --disk again
refused 11 "cannot protect disk *already*" "a disk's name twice" \
	protect "$VAULT" "$WORK/large.img" --disk a
refused 2 "*chunk size*" "a chunk size that is none" \
	protect "$VAULT" "$WORK/large.img" --chunk-size 65000
printf x >"$WORK/odd.img"
refused 2 "*512*" "an image of one byte" protect "$VAULT" "$WORK/odd.img"

# Configuration
echo 'nonsense = 1' >"$TIDEMARK_CONFIG"
refused 2 "*tidemark.conf:1*" "a setting that is none" backup
: >"$TIDEMARK_CONFIG"

# A disk that becomes another while the run waits for its leases
cp "$A" "$WORK/kept.img"
for change in "truncate -s +1M $A" "truncate -s 1M $A" "mv $WORK/larger.img $A"; do
	cp "$WORK/kept.img" "$WORK/larger.img"
	before=$(points)
	background
	$change
	proxy_release
	ended
	proxy_clear
	is "$STATUS" 8 "a disk under '${change%% *}' before the cut: exit 8"
	is "$(points)" "$before" "and no point"
	like "$(cat "$WORK/client.out")" "*cannot cut disk*another*" "which says why"
	cp "$WORK/kept.img" "$A"
done

tidemark backup
ok $? "after all that a backup works"
right "and is right"
finish
