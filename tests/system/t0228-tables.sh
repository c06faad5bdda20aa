#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A tracked disk whose last point's hash table is not what it was: one that was
# altered is not believed, although its root was made by who has the key; without
# one, all is compared. The kernel's tracking is the stand-in of
# tests/bench/standin.c.

. "$(dirname "$0")/../lib/tap.sh"
. "$TESTS/lib/vault.sh"

SDK=$TESTS/lib/sdk.py
TIDEMARK=$BUILD/tests/standin
A=$WORK/a.img
vault_start
random_disk "$A" 8
cp "$A" "$WORK/one.img"
# All of its chunks count as changed
export STANDIN_SIZE=8388608 STANDIN_CHANGED=128
vault_make_encrypted Main
tidemark protect "$VAULT" "$A" --disk a --item m1
DATA=$(container)
tidemark backup --json
ONE=$(json result.point)
point_disk "$WORK/1.vhd" a "$ONE"
scribble "$A" $((64 * 65536)) 100
tidemark backup --json
TWO=$(json result.point)

# member NAME POINT: of the disk, in the point's document
member() {
	"$SDK" read "$DATA" "points/$2" >"$WORK/point.json"
	sed -n "s/.*\"$1\": \"\(.*\)\".*/\1/p" "$WORK/point.json"
}

# None of them counts as changed: the last point's table tells what they are
export STANDIN_CHANGED=0
tidemark restore replace a --point "$ONE" --no-backup --dry-run --json
is "$(json result.by_tracking) $(json result.chunks_hashed)" "true 0" \
	"to go back nothing of the disk has to be read"

# The first point's table in place of the last one's
FIRST=$(member hash_snapshot "$ONE")
LAST=$(member hash_snapshot "$TWO")
"$SDK" read "$DATA" disks/a.hash "$LAST" >"$WORK/table"
cp "$WORK/point.json" "$WORK/two.json"
sed "s/\"hash_snapshot\": \".*\"/\"hash_snapshot\": \"$FIRST\"/" \
	"$WORK/two.json" >"$WORK/bad.json"
"$TESTS/lib/luks.py" key "$WORK/1.vhd" "$WORK/key" "$WORK/bare"
ID=$("$SDK" read vault vault.json | sed -n 's/.*"id": "\(.*\)".*/\1/p')
# shellcheck disable=SC2046 # two words
set -- $("$TESTS/lib/root.py" "$ID" "$WORK/bad.json" a "$WORK/table" "$WORK/key")
sed "s/\"root\": \".*\"/\"root\": \"$2\"/" "$WORK/bad.json" |
	"$SDK" put-json "$DATA" "points/$TWO"
mv "$TIDEMARK_STATE_DIR/roots" "$WORK/roots"
tidemark restore replace a --point "$ONE" --no-backup --yes --json
is "$STATUS" 3 "a table that was altered is a warning"
like "$(json result.warnings)" "*disk 'a' of point '$TWO'*table was altered*" \
	"by name"
cmp "$A" "$WORK/one.img"
ok $? "the disk goes back, exactly"
is "$(json result.chunks_hashed)" 128 "by what was read of it"

# It is gone, and so is what this machine has kept of it. Nothing counts as
# changed, but the disk has.
"$SDK" put-json "$DATA" "points/$TWO" <"$WORK/two.json"
mv "$WORK/roots" "$TIDEMARK_STATE_DIR/roots"
rm "$TIDEMARK_STATE_DIR"/roots/*.tree
"$SDK" delete "$DATA" disks/a.hash "$LAST"
tidemark backup --json
is "$STATUS $(json result.modes.a)" "0 compare" \
	"without a table all of the disk is compared"
tidemark restore disk a "$WORK/out.img" && cmp "$WORK/out.img" "$A"
ok $? "and the point is what the disk is"
finish
