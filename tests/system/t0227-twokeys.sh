#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A machine's container with disks under two keys of its own, of which one at most
# is at hand: points are deleted without the key that their disks are under, what
# another point names stays, and the others are restored byte for byte.

. "$(dirname "$0")/../lib/tap.sh"
. "$TESTS/lib/vault.sh"

AZURITE_LOOSE=yes PROXY_PROGRAM=keyed.py
vault_start
A=$WORK/a.img B=$WORK/b.img SDK=$TESTS/lib/sdk.py
random_disk "$A" 2
random_disk "$B" 2
umask 077
openssl rand -base64 32 >"$WORK/one"
openssl rand -base64 32 >"$WORK/two"
umask 022
DISKS=$TIDEMARK_STATE_DIR/disks

# key FILE...: the key that is at hand; none: none is
key() {
	: >"$TIDEMARK_CONFIG"
	[ $# -eq 0 ] ||
		printf '[encryption]\nservice_key = %s\n' "$1" >"$TIDEMARK_CONFIG"
}

sha256() {
	base64 -d "$1" | openssl dgst -sha256 -binary | base64
}

# point IMAGE: a change and a backup; prints the point's name
point() {
	scribble "$1" 70000 100
	tidemark backup --json
	json result.point
}

# mark NAME: for deletion, long ago
mark() {
	printf '{"format":1,"name":"%s","deleted":"2020-01-01T00:00:00Z"}' "$1" |
		"$SDK" put-json vault "marks/${DATA#tidemark-}/$1"
}

# snapshots BLOB
snapshots() {
	"$SDK" list "$DATA" "disks/$1" | grep -c '[0-9]T[0-9].*Z'
}

# restored DISK POINT IMAGE TEXT: a result
restored() {
	rm -f "$WORK/out.img"
	tidemark restore disk "$1" "$WORK/out.img" --point "$2" &&
		cmp "$WORK/out.img" "$3"
	ok $? "$4"
}

# Under key one: four points, and what a run left that took a snapshot twice
tidemark vault create "$VAULT" --name Main --service-key
key "$WORK/one"
tidemark protect "$VAULT" "$A" --disk a --item m1
ok $? "a disk under one key"
DATA=$(container)
A1=$(point "$A")
AZURE_STORAGE_CONNECTION_STRING=$DIRECT_CONNECTION_STRING \
	"$SDK" snapshot "$DATA" disks/a.vhd "name=$A1" >"$WORK/twice"
A2=$(point "$A")
A3=$(point "$A")
cp "$A" "$WORK/a3.img"
A4=$(point "$A")
is "$(snapshots a.vhd) $(snapshots a.hash)" "5 4" "four points of it"

# A snapshot that was not taken is looked for among what is new
proxy_reset
before=$(proxy_control keyed | grep -o '"kind": "properties"[^}]*a.vhd.snapshot' |
	wc -l)
proxy_rule '{"kind":"snapshot","path":"a.vhd","do":"reset"}'
A5=$(point "$A")
proxy_clear
cp "$A" "$WORK/a5.img"
is "$(proxy_control keyed | grep -o '"kind": "properties"[^}]*a.vhd.snapshot' |
	wc -l)" "$before" \
	"a run whose snapshot was not taken asks none that is older"
is "$(snapshots a.vhd)" 6 "and takes it once"

# Under key two
key "$WORK/two"
tidemark protect "$VAULT" "$B" --disk b
is "$STATUS" 11 "no other disk of the machine is protected under another key"
like "$(cat "$WORK/err")" "*'a'*another*key*$DISKS/a.json*" \
	"it is said what is in the way, and what to do"
[ ! -e "$DISKS/b.json" ] && [ -z "$("$SDK" list "$DATA" disks/b)" ]
ok $? "nothing is written"
# A container like that is from a machine whose documents somebody has handled.
cp "$DISKS/a.json" "$WORK/a.json"
sed "s|$(sha256 "$WORK/one")|$(sha256 "$WORK/two")|" "$WORK/a.json" \
	>"$DISKS/a.json"
tidemark protect "$VAULT" "$B" --disk b
ok $? "a disk under another key"
rm "$DISKS/a.json"
B1=$(point "$B")
B2=$(point "$B")
cp "$B" "$WORK/b2.img"

# One point of each is due; only key two is at hand
mark "$A1"
mark "$B1"
tidemark points delete --due --yes --json
is "$STATUS $(json result.points_deleted) $(json result.snapshots_deleted)" \
	"3 2 4" "points of both are deleted with one key"
is "$(snapshots a.vhd) $(snapshots a.hash) $(snapshots b.vhd) $(snapshots b.hash)" \
	"5 4 1 1" "what they named is gone"
like "$(cat "$WORK/out")" "*$A1*disk 'a' stays*service key*" \
	"what only the key could tell is left, with a warning"
"$SDK" list "$DATA" disks/a.vhd | grep -q -F "$(cat "$WORK/twice")"
ok $? "that it is"
"$SDK" list vault "marks/${DATA#tidemark-}/" >"$WORK/marks"
is "$(wc -l <"$WORK/marks")" 0 "no mark is left"

# A point that says that another's snapshot is its own
vhd=$("$SDK" read "$DATA" "points/$A4" |
	sed -n 's/.*"vhd_snapshot": "\([^"]*\)".*/\1/p')
"$SDK" read "$DATA" "points/$A2" |
	sed "s|\"vhd_snapshot\": \"[^\"]*\"|\"vhd_snapshot\": \"$vhd\"|" |
	"$SDK" put-json "$DATA" "points/$A2"
key
mark "$A2"
tidemark points delete --due --yes --json
is "$(json result.points_deleted) $(json result.snapshots_deleted)" "1 1" \
	"what another point names is not deleted"
"$SDK" list "$DATA" disks/a.vhd | grep -q -F "$vhd"
ok $? "it is there"

# Deleting breaks off; without a key it goes on
mark "$A3"
proxy_rule '{"kind":"delete","path":"a.vhd","do":"status","status":403,"code":"AuthorizationPermissionMismatch"}'
tidemark points delete --due --yes
is "$STATUS" 5 "a deletion that breaks off behind the tombstone"
proxy_clear
before=$(snapshots a.vhd)
tidemark points delete --due --yes --json
is "$(json result.points_deleted) $(snapshots a.vhd)" "1 $((before - 1))" \
	"is gone on with, without a key"
"$SDK" read "$DATA" "points/$A3" | grep -q '"vhd_snapshot"'
ok $? "by what the tombstone says"

# With the key what was left of a lost reply goes, too
AZURE_STORAGE_CONNECTION_STRING=$DIRECT_CONNECTION_STRING \
	"$SDK" snapshot "$DATA" disks/a.vhd "name=$A4" >"$WORK/twice"
key "$WORK/one"
mark "$A4"
tidemark points delete --due --yes --json
is "$STATUS $(json result.snapshots_deleted)" "0 3" "with the key all goes"

# What is left
tidemark points --json --vault "$VAULT" --item m1
is "$(json result.points | grep -o '"name": "2[^"]*"' | cut -d '"' -f 4 |
	tr '\n' ' ')" "$A5 $B2 " "the other points are listed"
restored a "$A5" "$WORK/a5.img" "one is restored with its key, byte for byte"
key "$WORK/two"
restored b "$B2" "$WORK/b2.img" "the other with the other"
point "$B" >/dev/null
is "$STATUS" 0 "the machine goes on"
finish
