#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Disks that the service encrypts under a key of the machine's: the key goes with
# each request that takes one and with no other; without it, or with another one,
# nothing is read or written; it is nowhere else. The service is Azurite behind
# tests/fault/keyed.py, which says what of it is played.

. "$(dirname "$0")/../lib/tap.sh"
. "$TESTS/lib/vault.sh"
. "$TESTS/lib/sector.sh"

AZURITE_LOOSE=yes PROXY_PROGRAM=keyed.py
vault_start
A=$WORK/a.img
random_disk "$A" 6
truncate -s $((6 * 1048576 + 1536)) "$A"
umask 077
openssl rand -base64 32 >"$WORK/key"
openssl rand -base64 32 >"$WORK/other"
openssl rand -base64 24 >"$WORK/short"
umask 022
KEY=$(cat "$WORK/key")
sha256() {
	base64 -d "$1" | openssl dgst -sha256 -binary | base64
}
SHA=$(sha256 "$WORK/key")

# run ARG...: tidemark, all whose words are kept
run() {
	tidemark "$@"
	cat "$WORK/out" "$WORK/err" >>"$WORK/words"
	return "$STATUS"
}

# configure LINE...: in section [encryption]
configure() {
	printf '[encryption]\n' >"$TIDEMARK_CONFIG"
	printf '%s\n' "$@" >>"$TIDEMARK_CONFIG"
}

# keyed PYTHON: what it makes of the requests for blobs so far, as `seen`; disk
# is whether one is for a disk's blobs
keyed() {
	proxy_control keyed >"$WORK/seen"
	/usr/bin/python3 -c '
import json, re, sys
seen = json.load(open(sys.argv[1]))
disk = lambda r: bool(re.search(r"/disks/[^/?]*\.(vhd|hash)", r["path"]))
print(eval(sys.argv[2]))' "$WORK/seen" "$1"
}

snapshots() {
	"$TESTS/lib/sdk.py" list "$(container)" disks/a.vhd |
		grep -c '[0-9]T[0-9].*Z'
}

# A vault, and a disk in it
run vault create "$VAULT" --name Main --encrypt --service-key
is "$STATUS" 2 "disks are encrypted here or by the service, not twice"
run vault create "$VAULT" --name Main --service-key
ok $? "a vault whose disks the service encrypts"
like "$(cat "$WORK/out")" "*WHO LOSES THE KEY LOSES THE DATA*no*recovery key*" \
	"it says what a lost key means"
run protect "$VAULT" "$A" --disk a --item m1
is "$STATUS" 5 "without a key no disk is protected in it"
like "$(cat "$WORK/err")" "*nothing says where that is*service_key*" \
	"it is said how to give one"
configure "service_key = $WORK/short"
run protect "$VAULT" "$A" --disk a --item m1
is "$STATUS" 5 "nor under a key that is too short"
like "$(cat "$WORK/err")" "*not base64 of 32 bytes*openssl rand -base64 32*" \
	"it is said how to make one"
configure "service_key = $WORK/key"
chmod 644 "$WORK/key"
run protect "$VAULT" "$A" --disk a --item m1
is "$STATUS" 5 "nor under one that others may read"
like "$(cat "$WORK/err")" "*others may read it*chmod 600*" "with what to do"
is "$("$TESTS/lib/sdk.py" list vault items/ | wc -l)" 0 "nothing is written"
chmod 600 "$WORK/key"
run protect "$VAULT" "$A" --disk a --item m1
ok $? "a disk is protected"
"$TESTS/lib/sdk.py" read "$(container)" disks/a.key >"$WORK/a.key"
grep -q -F "$SHA" "$WORK/a.key" && grep -q -F "$SHA" \
	"$TIDEMARK_STATE_DIR/disks/a.json"
ok $? "vault and machine remember the key's SHA-256"

# Points, and all that is done with them
run estimate
ok $? "an estimate"
run backup --json
ok $? "first backup"
FIRST=$(json result.point)
cp "$A" "$WORK/first.img"
scribble "$A" 700000 100 && wipe "$A" 1048576 131072
proxy_reset
run backup
ok $? "an incremental one"
is "$(sent_to '*/disks/a.vhd')" 65536 "sends the chunk that has changed"
truncate -s 8M "$A"
run backup
ok $? "of a disk that has grown"
run restore disk a "$WORK/out.img" && cmp "$WORK/out.img" "$A"
ok $? "it is restored, byte for byte"
run restore disk a "$WORK/first.out" --point "$FIRST" &&
	cmp "$WORK/first.out" "$WORK/first.img"
ok $? "an older point, too"
run verify
ok $? "it is proved"
run points diff "$FIRST" latest
ok $? "two are compared"
"$TESTS/lib/sdk.py" create-container copies
run restore disk a "$PROXY_URL/copies/a.vhd" --json
ok $? "restored to a page blob"
is "$(json result.copied_by_service)" false \
	"through this machine: the service copies none that is under a key"
"$TESTS/lib/sdk.py" fetch "$WORK/copy.vhd" copies a.vhd
same_disk "it is the disk, under no key of ours" "$WORK/copy.vhd" "$A"

# What is tried is tried under the key
run check --json
ok $? "a check of the vault"
like "$(json result.checks)" "*\"key\", \"outcome\": \"ok\"*$SHA*" \
	"looks for the key"
is "$(keyed 'sorted({r["key"] for r in seen if "/probes/" in r["path"] and r["kind"] in ("page-create", "page-put", "read", "snapshot")})')" \
	"['$SHA']" "and tries all under it"

# Each kind of request, with and without
is "$(keyed 'sorted({r["kind"] for r in seen if disk(r) and r["key"]})')" \
	"['page-clear', 'page-create', 'page-put', 'properties', 'read', 'resize', 'snapshot']" \
	"the key goes with what reads and writes a disk's blobs"
is "$(keyed 'sorted({r["kind"] for r in seen if disk(r) and not r["key"]
	and r["kind"] != "lease-renew"})')" \
	"['lease-acquire', 'lease-release', 'page-list', 'sequence']" \
	"not with what only manages them"
is "$(keyed '{r["key"] for r in seen if disk(r) and r["key"]}')" \
	"{'$SHA'}" "it is the same for all"
is "$(keyed 'sum(1 for r in seen if r["key"] and not disk(r) and
	"/probes/" not in r["path"])')" 0 \
	"nor with what is for documents, or for another blob"

# A snapshot whose reply gets lost is found, although lists do not tell its name
proxy_rule '{"kind":"snapshot","path":"a.vhd","do":"drop"}'
run backup
ok $? "a backup whose snapshot is not answered"
is "$(snapshots)" 4 "takes no second one"
proxy_clear

# By NBD; without the program's doing a core could be dumped
prlimit --pid $$ --core=unlimited
SOCKET=$WORK/nbd
"$TIDEMARK" nbd a --socket "$SOCKET" >>"$WORK/words" 2>&1 </dev/null &
SERVER=$!
at_exit "kill $SERVER 2>/dev/null"
until nbdinfo --size "nbd+unix:///?socket=$SOCKET" >/dev/null 2>&1; do
	kill -0 "$SERVER" 2>/dev/null || break
	sleep 0.1
done
qemu-img compare -q -f raw -F raw "$A" "nbd+unix:///?socket=$SOCKET"
ok $? "a point is served by NBD"
for pid in "$SERVER" $(pgrep -P "$SERVER"); do
	tr '\0' ' ' <"/proc/$pid/cmdline" >>"$WORK/words"
	tr '\0' '\n' <"/proc/$pid/environ" >>"$WORK/words"
done
grep -q 'Max core file size *0 ' "/proc/$SERVER/limits"
ok $? "the server leaves no core dump"
kill "$SERVER"
wait "$SERVER"

# On another machine: no key, another one, the right one in other ways
machine m2
AWAY="--vault $VAULT --item m1"
# shellcheck disable=SC2086 # words
run points show latest $AWAY
ok $? "without the key a point can be looked at"
like "$(cat "$WORK/out")" "*changed*not known:*under a key of yours*" \
	"all but what the hash tables tell"
# shellcheck disable=SC2086
run points show latest $AWAY --json
is "$STATUS $(json result.point.changed)" "0 null" "which is null in JSON"
proxy_rule '{"kind":"read","path":"disks/a.key","do":"status","status":403,"code":"AuthorizationPermissionMismatch"}'
# shellcheck disable=SC2086
run points show latest $AWAY
is "$STATUS" 5 "but what the service refuses is an error"
proxy_clear
# shellcheck disable=SC2086
run restore disk a "$WORK/x" $AWAY
is "$STATUS" 5 "without the key nothing is restored"
like "$(cat "$WORK/err")" "*disk 'a'*under a key of yours*" "and it is said why"
configure "service_key_command = cat $WORK/other"
# shellcheck disable=SC2086
run restore disk a "$WORK/x" $AWAY
is "$STATUS" 5 "with another key neither"
like "$(cat "$WORK/err")" "*another than it was protected with*$SHA*" \
	"and it is said which it has to be"
[ ! -e "$WORK/x" ]
ok $? "no file is made"
# shellcheck disable=SC2086
run nbd a $AWAY --socket "$SOCKET"
is "$STATUS" 5 "nor is it served"
like "$(cat "$WORK/err")" "*another than it was protected with*$SHA*" "likewise"
if [ "$(id -u)" -eq 0 ]; then
	mkdir "$WORK/mnt"
	# shellcheck disable=SC2086
	run mount "$WORK/mnt" $AWAY
	is "$STATUS" 5 "nor mounted"
	# shellcheck disable=SC2086
	run files list $AWAY
	is "$STATUS" 5 "nor are its files listed"
	configure
	# shellcheck disable=SC2086
	run files list $AWAY
	is "$STATUS" 5 "neither without any key"
	like "$(cat "$WORK/err")" "*nothing says where that is*" "and it is said why"
fi
configure "service_key_command = cat /dev/zero"
# shellcheck disable=SC2086
run restore disk a "$WORK/x" $AWAY
is "$STATUS" 5 "nor with what a command prints without an end"
like "$(cat "$WORK/err")" "*service_key_command*too long*" "it is said that it is too long"
configure "service_key = fd:7"
# shellcheck disable=SC2086
run restore disk a "$WORK/away.img" $AWAY 7<"$WORK/key"
cmp "$WORK/away.img" "$A"
ok $? "with the key from a descriptor it is"
# shellcheck disable=SC2086
"$TIDEMARK" nbd a $AWAY --socket "$SOCKET" >>"$WORK/words" 2>&1 --daemon \
	--pidfile "$WORK/pid" 7<"$WORK/key" </dev/null
qemu-img compare -q -f raw -F raw "$A" "nbd+unix:///?socket=$SOCKET"
ok $? "and served"
tr '\0' ' ' <"/proc/$(cat "$WORK/pid")/cmdline" >>"$WORK/words"
tr '\0' '\n' <"/proc/$(cat "$WORK/pid")/environ" >>"$WORK/words"
kill "$(cat "$WORK/pid")"
mkdir "$WORK/loaded" && cp -p "$WORK/key" "$WORK/loaded/tidemark.service_key"
# shellcheck disable=SC2086
CREDENTIALS_DIRECTORY="$WORK/loaded" run verify $AWAY
ok $? "with one that systemd has loaded it is verified"
cat >"$TIDEMARK_CONFIG" <<END
[vault]
plain_http = yes
[proxy]
url = http://127.0.0.1:$PROXY_PORT
[encryption]
service_key = $WORK/key
END
CREDENTIALS="AccountName=$AZURITE_ACCOUNT;AccountKey=$AZURITE_KEY;BlobEndpoint=http://10.9.9.9/$AZURITE_ACCOUNT" \
	run restore disk a "$WORK/x" --item m1 \
	--vault "http://10.9.9.9/$AZURITE_ACCOUNT/vault"
is "$STATUS" 11 "without TLS the key crosses no network, allowed or not"
like "$(cat "$WORK/err")" "*in the open*https://*" "it is said why"

# Another key on the machine itself
machine m1
before=$(keyed 'sum(1 for r in seen if disk(r))')
configure "service_key = $WORK/other"
run backup
is "$STATUS" 5 "no backup with another key"
is "$(keyed 'sum(1 for r in seen if disk(r))')" "$before" \
	"no request for the disk's blobs is made"
configure "service_key = $WORK/key"

configure "service_key = $WORK/other"
run check --json
is "$STATUS" 5 "a check finds that it is another"
like "$(json result.checks)" "*\"key\", \"outcome\": \"failed\"*$SHA*" \
	"and which it has to be"
configure "service_key = $WORK/key"

# What the vault says of the key has been altered: the service's own refusals
sed "s|$SHA|$(sha256 "$WORK/other")|" "$WORK/a.key" |
	"$TESTS/lib/sdk.py" put-json "$(container)" disks/a.key
configure "service_key = $WORK/other"
run verify
is "$STATUS" 5 "the service refuses another key"
like "$(cat "$WORK/err")" "*under another key of yours*protected with*" \
	"what it says is explained"
run backup
is "$STATUS" 9 "nor is there a backup under one that the machine does not know"
like "$(cat "$WORK/err")" "*by the service under another key*" "it is said what differs"
configure "service_key = $WORK/key"
sed -e 's/"service"/"plain"/' "$WORK/a.key" |
	"$TESTS/lib/sdk.py" put-json "$(container)" disks/a.key
run verify
is "$STATUS" 5 "the service refuses to do without one"
like "$(cat "$WORK/err")" "*a key of yours, and none was sent*" "likewise"
run backup
is "$STATUS" 9 "a disk that was to be under a key is not sent without"
like "$(cat "$WORK/err")" "*protected otherwise*" "which is named"
"$TESTS/lib/sdk.py" put-json "$(container)" disks/a.key <"$WORK/a.key"
proxy_control forget --data '' >/dev/null
run backup
is "$STATUS" 5 "nor is one sent to blobs that are under none"
like "$(cat "$WORK/err")" "*under no key of yours*" "likewise"
proxy_control remember --data '' >/dev/null
run backup
ok $? "all is well again"
run key list a
is "$STATUS" 11 "there are no keys to be listed"
like "$(cat "$WORK/err")" "*the service encrypts it*" "it is said whose they are"
cp "$A" "$WORK/kept.img"
scribble "$A" 2000000 100
run restore replace a --yes && cmp "$A" "$WORK/kept.img"
ok $? "the disk is brought back in place"

# Servers that are started for a machine, and points that are looked into
machine m3
configure "service_key = fd:7"
sector "$WORK/boot.img" "This is data." "$HALT"
run protect "$VAULT" "$WORK/boot.img" --disk boot --item m3 7<"$WORK/key"
run backup --json 7<"$WORK/key"
BOOT=$(json result.point)
run verify --boot --sign "This is data." --memory 64 7<"$WORK/key"
ok $? "a machine is started from its point"
run verify --boot --sign "This is data." --memory 64 7<"$WORK/other"
is "$STATUS" 5 "not with another key"
run backup 7<"$WORK/key"
if [ "$(id -u)" -eq 0 ]; then
	run points diff "$BOOT" latest --files 7<"$WORK/key"
	is "$STATUS $(cat "$WORK/out")" "0 nothing differs" \
		"before files are compared, chunks are"
	run points diff "$BOOT" latest --files 7<"$WORK/other"
	is "$STATUS" 5 "not with another key"
fi
machine m1

# The end of a point
mark="marks/$(container | sed s/tidemark-//)/$FIRST"
printf '{"format":1,"name":"%s","deleted":"2020-01-01T00:00:00Z"}' "$FIRST" |
	"$TESTS/lib/sdk.py" put-json vault "$mark"
before=$(snapshots)
run points delete --due --yes
ok $? "a point is deleted when it is due"
is "$(snapshots)" $((before - 1)) "its snapshot goes with it, and no other"
run verify
ok $? "the others stay"

# The way to another key
run backup
rm "$TIDEMARK_STATE_DIR/disks/a.json"
configure "service_key = $WORK/other"
run protect "$VAULT" "$A" --disk a --item m1b && run backup
ok $? "the machine begins anew, under another key"
run restore disk a "$WORK/new.img" && cmp "$WORK/new.img" "$A"
ok $? "and has its point"
configure "service_key = $WORK/key"
run restore disk a "$WORK/old.img" --item m1 && cmp "$WORK/old.img" "$A"
ok $? "those that there were are read with the old one"

grep -q -F -e "$KEY" -e "$(cat "$WORK/other")" -e "$(cat "$WORK/short")" \
	"$WORK/words"
is $? 1 "no key in any argument, message or result"
grep -r -q -F "$KEY" "$WORK/azurite" "$WORK/m1" "$WORK/m2" "$WORK/m3"
is $? 1 "nor in the vault, nor in what machines keep"
finish
