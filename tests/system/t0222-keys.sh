#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What opens encrypted disks: passphrases, key files and recovery keys come and go,
# for all points at once, and nothing is sent again; two who change it at once do
# not undo each other.

. "$(dirname "$0")/../lib/tap.sh"
. "$TESTS/lib/vault.sh"

vault_start
A=$WORK/a.img B=$WORK/b.img
random_disk "$A" 2
random_disk "$B" 2
umask 077
for word in first second third; do
	echo "$word passphrase" >"$WORK/$word"
done
head -c 64 /dev/urandom >"$WORK/file"
umask 022
cat >"$TIDEMARK_CONFIG" <<END
[encryption]
passphrase_file = $WORK/first
kdf_memory = 64K
END

# with FILE ARG...: the program, with the passphrase in FILE
with() {
	with_file=$1
	shift
	tidemark "$@" --passphrase-fd 7 7<"$with_file"
}

# opens FILE TEXT: the point opens with it
opens() {
	rm -f "$WORK/out.img"
	with "$1" restore disk a "$WORK/out.img" && cmp "$WORK/out.img" "$A"
	ok $? "$2"
}

tidemark vault create "$VAULT" --name Main --encrypt
tidemark protect "$VAULT" "$A" --disk a --item m1 --json
json result.recovery_key >"$WORK/paper"
tidemark protect "$VAULT" "$B" --disk b
tidemark backup
ok $? "two encrypted disks are backed up"
tidemark key list --json
ok $? "their keys are listed"
is "$(json result.disks.0.slots)" \
	'[{"slot": 0, "kind": "passphrase"}, {"slot": 1, "kind": "recovery key"}]' \
	"a passphrase and a recovery key"

# Another passphrase, and a key file
tidemark key add a --new-passphrase-file "$WORK/second"
ok $? "a passphrase is added"
opens "$WORK/second" "it opens a point from before"
opens "$WORK/first" "and so does the first"
tidemark key add a --new-key-file "$WORK/file"
ok $? "a key file is added"
machine other
printf '[encryption]\nkey_file = %s\n' "$WORK/file" >"$TIDEMARK_CONFIG"
tidemark restore disk a "$WORK/key.img" --vault "$VAULT" --item m1
cmp "$WORK/key.img" "$A"
ok $? "it opens the point, on another machine"
machine m1

# Changing it sends nothing
proxy_reset
tidemark key change --new-passphrase-file "$WORK/third"
ok $? "the passphrase of both disks is changed"
like "$(cat "$WORK/out")" "*An older header*still opens*" \
	"it says that this is no revocation"
is "$(sent_to '*')" 0 "no page is sent"
opens "$WORK/third" "the new one opens the point"
with "$WORK/first" restore disk a "$WORK/x"
is "$STATUS" 5 "the old one does not"
opens "$WORK/second" "another is as it was"
tidemark backup
is "$STATUS" 5 "no backup with the old one"
with "$WORK/third" backup
ok $? "one with the new"
point_disk "$WORK/a.vhd" a
printf 'third passphrase' >"$WORK/bare"
"$TESTS/lib/luks.py" decrypt "$WORK/a.vhd" "$WORK/a.dec" \
	"$(stat -c %s "$A")" "$WORK/bare"
cmp "$WORK/a.dec" "$A"
ok $? "it puts the new header before the disk"
with "$WORK/third" verify
ok $? "the point is proved"

# Removing
with "$WORK/second" key list a --json
slot=$(json result.disks.0.slots | /usr/bin/python3 -c 'import json, sys
print([s["slot"] for s in json.load(sys.stdin) if s["kind"] == "key file"][0])')
with "$WORK/second" key remove a "$slot"
ok $? "the key file is removed"
with "$WORK/second" key remove a "$slot"
is "$STATUS" 4 "once"
with "$WORK/second" key remove a x
is "$STATUS" 2 "what is no slot"
with "$WORK/second" key remove a 2
is "$STATUS" 11 "not the slot of the passphrase given"
with "$WORK/file" restore disk a "$WORK/x"
is "$STATUS" 5 "the key file opens nothing now"

# A new recovery key
opens "$WORK/paper" "the recovery key opens the point"
with "$WORK/third" key recovery --json
ok $? "a new recovery key for both disks"
json result.recovery_key >"$WORK/paper2"
opens "$WORK/paper2" "it opens the point"
with "$WORK/paper" restore disk a "$WORK/x"
is "$STATUS" 5 "the old one no longer"
with "$WORK/paper2" restore disk b "$WORK/b.out" && cmp "$WORK/b.out" "$B"
ok $? "it opens the other disk too"
with "$WORK/paper2" key change --new-passphrase-file "$WORK/first"
is "$STATUS" 11 "it is not itself changed into a passphrase"
with "$WORK/paper2" key add --new-passphrase-file "$WORK/first"
ok $? "a lost passphrase is replaced by means of it"
opens "$WORK/first" "the new one opens the point"

# Escrow
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$WORK/escrow.key" -subj /CN=e \
	-out "$WORK/escrow.pem" 2>"$WORK/req.err"
with "$WORK/first" key escrow "$WORK/escrow.pem"
ok $? "a key is sealed for somebody"
with "$WORK/first" key escrow "$WORK/first"
is "$STATUS" 1 "not for what is no certificate"
with "$WORK/first" key escrow "$WORK/escrow.pem"
ok $? "and another in its place"
KEY=$("$TESTS/lib/sdk.py" read "$(container)" disks/a.key |
	sed -n 's/.*"id": "\(.*\)".*/\1/p')
"$TESTS/lib/sdk.py" read "$(container)" "keys/$KEY.luks" >"$WORK/header"
token=$(cryptsetup luksDump "$WORK/header" |
	sed -n 's/^ *\([0-9]*\): tidemark-escrow.*/\1/p')
cryptsetup token export --token-id "$token" "$WORK/header" |
	/usr/bin/python3 -c 'import json, sys
print(json.load(sys.stdin)["cms"])' | base64 -d |
	openssl cms -decrypt -inform DER -inkey "$WORK/escrow.key" \
		-out "$WORK/sealed"
ok $? "who has the private key gets a passphrase"
opens "$WORK/sealed" "that opens the point"

# A new volume key
tidemark points --json
OLD=$(json result.points.0.name)
printf '[encryption]\nkdf_memory = 64K\n' >"$TIDEMARK_CONFIG"
with "$WORK/second" rekey a --json
ok $? "a disk gets a new key"
json result.disks.0.recovery_key >"$WORK/paper3"
with "$WORK/second" backup a --json
ok $? "it is backed up under it"
is "$(json result.modes.a)" full "in full"
opens "$WORK/paper3" "the new recovery key opens the new point"
with "$WORK/first" restore disk a "$WORK/x"
is "$STATUS" 5 "a passphrase of the old key does not"
with "$WORK/first" restore disk a "$WORK/old.img" --point "$OLD" &&
	cmp "$WORK/old.img" "$A"
ok $? "it opens an old point"
with "$WORK/second" backup a --json
is "$(json result.counters.total.chunks_uploaded)" 0 "nothing is sent twice"
with "$WORK/second" verify
ok $? "the point is proved"

# A disk whose protection broke off keeps its key, under the passphrase of then
D=$WORK/d.img
random_disk "$D" 2
proxy_rule '{"kind": "block-put", "path": "/items/", "do": "status", "status": 403, "code": "AuthorizationPermissionMismatch"}'
with "$WORK/first" protect "$VAULT" "$D" --disk d
is "$STATUS" 5 "the protection of a disk breaks off"
sed -n 's/^  \([^ ]\{8\}-[^ ]*\)$/\1/p' "$WORK/out" >"$WORK/paper4"
proxy_clear
with "$WORK/second" protect "$VAULT" "$D" --disk d
is "$STATUS" 5 "with another passphrase it is not taken up"
like "$(cat "$WORK/err")" "*disk 'd'*under another passphrase*give the passphrase of that try*" \
	"it says why, and what to do"
tidemark status --local --json
! grep -q '"name": *"d"' "$WORK/out"
ok $? "and the disk is not protected"
with "$WORK/first" protect "$VAULT" "$D" --disk d
is "$STATUS" 3 "with the one of then it is, and one is warned"
like "$(cat "$WORK/err")" "*key recovery d*" "of the recovery key"
with "$WORK/first" backup d
ok $? "it is backed up"
with "$WORK/paper4" restore disk d "$WORK/d.out" && cmp "$WORK/d.out" "$D"
ok $? "the recovery key that was told as it broke off opens it"

# One that breaks off under a new key is gone on with
C=$WORK/c.img
head -c 16M /dev/urandom >"$C"
with "$WORK/second" protect "$VAULT" "$C" --disk c
with "$WORK/second" backup c
with "$WORK/second" rekey c
ok $? "a disk gets a new key"
# The header is two requests, each of the two windows as many
proxy_rule '{"kind": "page-put", "path": "c.vhd", "skip": 5, "times": 0, "do": "hold"}'
proxy_rule '{"kind": "page-put", "path": "c.hash", "skip": 2, "do": "delay", "seconds": 0}'
"$BUILD/tidemark" backup c --passphrase-fd 7 7<"$WORK/second" \
	>"$WORK/out" 2>"$WORK/err" </dev/null &
killed=$!
proxy_await "$PROXY_RULE"
kill -9 "$killed"
wait "$killed" 2>/dev/null
proxy_clear
proxy_control idle >"$WORK/idle"
scribble "$C" 70000 100
scribble "$C" 16000000 100
with "$WORK/second" backup c --json
ok $? "a backup after one that was killed" || cat "$WORK/out"
is "$(json result.modes.c)" full "is in full"
sent=$(json result.counters.total.chunks_uploaded)
[ "$sent" -ge 128 ] && [ "$sent" -le 130 ]
ok $? "but sends only what that has not: $sent of 256 chunks"
with "$WORK/second" verify
ok $? "the point is proved"
with "$WORK/second" restore disk c "$WORK/c.out" && cmp "$WORK/c.out" "$C"
ok $? "and what the disk is"
point_disk "$WORK/c.vhd" c
tr -d '\n' <"$WORK/second" >"$WORK/bare"
"$TESTS/lib/luks.py" decrypt "$WORK/c.vhd" "$WORK/c.dec" \
	"$(stat -c %s "$C")" "$WORK/bare"
cmp "$WORK/c.dec" "$C"
ok $? "to another program, too: nothing is left under the old key"

# What is not encrypted
VAULT=$PROXY_URL/plain
machine plain
tidemark vault create "$VAULT" --name Plain
tidemark protect "$VAULT" "$A" --disk a --item m3
tidemark key list
is "$STATUS" 11 "a disk that is not encrypted has no keys to show"
like "$(cat "$WORK/err")" "*disk 'a': it is not encrypted*" "it says so"

# The vault cannot have a disk sent in clear
"$TESTS/lib/sdk.py" read "$(container)" disks/a.key >"$WORK/plain.key"
machine m1
"$TESTS/lib/sdk.py" put-json "$(container)" disks/a.key <"$WORK/plain.key"
proxy_reset
with "$WORK/third" backup
is "$STATUS" 9 "a key in the vault that says 'not encrypted' is not believed"
like "$(cat "$WORK/err")" "*disk 'a'*says that it is not encrypted*" "by name"
is "$(sent_to '*')" 0 "nothing is sent"
finish
