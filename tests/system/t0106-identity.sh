#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A machine without a key: the token of its managed identity, from a stand-in
# for Azure's metadata service, opens an Azurite that takes tokens. It is asked
# as the service's rules say, renewed in time, and what is missing is named.

. "$(dirname "$0")/../lib/tap.sh"
. "$TESTS/lib/vault.sh"
. "$TESTS/lib/imds.sh"

CLIENT_ID=11111111-2222-3333-4444-555555555555
OBJECT_ID=66666666-7777-8888-9999-aaaaaaaaaaaa
RESOURCE=/subscriptions/$CLIENT_ID/resourcegroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/backup

openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=127.0.0.1" \
	-addext "subjectAltName=IP:127.0.0.1" -keyout "$WORK/key.pem" \
	-out "$WORK/cert.pem" 2>/dev/null || exit 1
# shellcheck disable=SC2034 # for azurite_start
AZURITE_CERT=$WORK/cert.pem AZURITE_CERT_KEY=$WORK/key.pem AZURITE_OAUTH=basic
azurite_start "$WORK/azurite" || exit 1
# The SDK, the second opinion, has the key; the program has not.
KEY_CREDENTIALS=$AZURE_STORAGE_CONNECTION_STRING
unset AZURE_STORAGE_CONNECTION_STRING
imds_start "$WORK" || exit 1
VAULT=$AZURITE_URL/vault
machine m1

# configure LINE...: the configuration of vault
configure() {
	printf '%s\n' "[vault]" "ca_file = $WORK/cert.pem" "$@" \
		>"$TIDEMARK_CONFIG"
}

# fails STATUS PATTERN TEXT COMMAND...: its message or what to do matches
fails() {
	fails_status=$1 fails_pattern=$2 fails_text=$3
	shift 3
	tidemark "$@" --json
	is "$STATUS" "$fails_status" "$fails_text: exit $fails_status"
	# shellcheck disable=SC2254 # a pattern it is
	like "$(json error.message) -- $(json error.action)" "$fails_pattern" \
		"and says so"
}

A=$WORK/a.img
random_disk "$A" 4
configure "identity = system"
vault_make Main
ok "$STATUS" "a vault is made with the identity of the machine" ||
	sed 's/^/# /' "$WORK/err"
tidemark protect "$VAULT" "$A" --disk a --item m1
ok "$STATUS" "a disk is protected"
asked=$(imds_asked)
tidemark backup
ok "$STATUS" "it is backed up" || sed 's/^/# /' "$WORK/err"
is $(($(imds_asked) - asked)) 1 "the token is asked for once a run"
is "$(imds_asked "200 api-version=2018-02-01&resource=https%3A%2F%2Fstorage.azure.com%2F")" \
	"$(imds_asked)" "and in the form that the service wants"
tidemark verify latest
ok "$STATUS" "it is verified"
AZURE_STORAGE_CONNECTION_STRING=$KEY_CREDENTIALS
REQUESTS_CA_BUNDLE=$WORK/cert.pem
export REQUESTS_CA_BUNDLE
"$TIDEMARK" points show latest --json >"$WORK/point"
snapshot=$(sed -n 's/.*"vhd_snapshot": *"\([^"]*\)".*/\1/p' "$WORK/point")
AZURE_STORAGE_CONNECTION_STRING=$KEY_CREDENTIALS "$TESTS/lib/sdk.py" fetch \
	"$WORK/a.vhd" "$(container)" disks/a.vhd "$snapshot"
same_disk "the SDK reads the disk" "$WORK/a.vhd" "$A"
unset AZURE_STORAGE_CONNECTION_STRING

# Tokens that end while a run is under way, which is held down to some seconds
configure "identity = system" "[transfer]" "rate = 4M"
imds_rules '{"life": 2}'
asked=$(imds_asked)
random_disk "$A" 16
tidemark backup
ok "$STATUS" "a run outlives its tokens of two seconds" ||
	sed 's/^/# /' "$WORK/err"
[ "$(imds_asked)" -gt $((asked + 1)) ]
ok $? "which are renewed"
imds_rules '{"life": 1, "says": 3600}'
asked=$(imds_asked)
random_disk "$A" 16
tidemark backup
ok "$STATUS" "tokens that end before the time they were said to" ||
	sed 's/^/# /' "$WORK/err"
[ "$(imds_asked)" -gt $((asked + 1)) ]
ok $? "are renewed when they are refused"
configure "identity = system"
imds_rules '{"life": -10, "says": 3600}'
fails 5 "*token of the managed identity is not accepted*expired*" \
	"a token that is refused, and the next one too" points
imds_rules '{}'
tidemark restore disk a "$WORK/restored.img" --yes && cmp "$WORK/restored.img" "$A"
ok $? "what was sent is restored"

# Which identity
for who in "client:$CLIENT_ID" "object:$OBJECT_ID" "resource:$RESOURCE"; do
	imds_rules "{\"identities\": [\"${who#*:}\"]}"
	configure "identity = $who"
	tidemark points
	ok "$STATUS" "a user-assigned identity, by ${who%%:*} id" ||
		sed 's/^/# /' "$WORK/err"
done
configure "credentials = $WORK/credentials"
(umask 077 && echo "identity = client:$CLIENT_ID" >"$WORK/credentials")
imds_rules "{\"identities\": [\"$CLIENT_ID\"]}"
tidemark points
ok "$STATUS" "named in the file with the credentials"

# Who is not assigned is asked for again, for that may be new: both at once.
imds_rules '{"identities": []}'
configure "identity = client:$OBJECT_ID"
cp "$TIDEMARK_CONFIG" "$WORK/client.conf"
asked=$(imds_asked)
"$TIDEMARK" points --config "$WORK/client.conf" >"$WORK/client.out" 2>&1 &
configure "identity = system"
fails 5 "*no identity of its own*Identity not found*assign an identity*" \
	"a machine without an identity" points
wait $!
is $? 5 "an identity that is not assigned: exit 5"
like "$(cat "$WORK/client.out")" "*does not have the identity named*" \
	"and says so"
is $(($(imds_asked) - asked)) 8 "four tries each"

# The service's bad days
imds_rules '{"answers": [404, 500]}'
asked=$(imds_asked)
tidemark points
ok "$STATUS" "what passes is waited out" || sed 's/^/# /' "$WORK/err"
is $(($(imds_asked) - asked)) 3 "one try each"
imds_rules '{"answers": [0, 0, 403]}'
fails 5 "*metadata service answers 403*" "a refusal is not" points

# Never through a proxy, which would answer in the machine's name
imds_rules '{}'
configure "identity = system"
http_proxy=http://127.0.0.1:1 HTTP_PROXY=http://127.0.0.1:1 \
	ALL_PROXY=http://127.0.0.1:1 tidemark points
ok "$STATUS" "a proxy is not asked"
(
	AZURE_POD_IDENTITY_AUTHORITY_HOST=http://192.0.2.1
	export AZURE_POD_IDENTITY_AUTHORITY_HOST
	fails 5 "*metadata service cannot be used*AZURE_POD_IDENTITY*" \
		"nor is another host asked without TLS" points
	exit $tap_bad
)
tap_count=$((tap_count + 2)) tap_bad=$((tap_bad + $?))
imds_stop
fails 5 "*metadata service cannot be reached*Azure virtual machines only*" \
	"no metadata service" points

# With the variables of Azure's tools
imds_start "$WORK" || exit 1
AZURE_STORAGE_ACCOUNT=$AZURITE_ACCOUNT tidemark points
ok "$STATUS" "AZURE_STORAGE_ACCOUNT goes with an identity"
(
	AZURE_STORAGE_ACCOUNT=another
	export AZURE_STORAGE_ACCOUNT
	fails 5 "*credentials are for account 'another'*" \
		"but not another account" points
	exit $tap_bad
)
tap_count=$((tap_count + 2)) tap_bad=$((tap_bad + $?))
! grep -rq "stand-in\|c3RhbmQtaW4" "$WORK/out" "$WORK/err" \
	"$TIDEMARK_STATE_DIR" "$TIDEMARK_RUN_DIR"
ok $? "no token is kept or told"
finish
