#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A first backup that dies in the middle of shipping, and is started again, and
# dies again: what is in the vault is not sent once more, which its hashes tell
# and nothing else, and the point is that of a backup that nobody disturbed.

. "$(dirname "$0")/../lib/tap.sh"
. "$TESTS/lib/faults.sh"

# Of several windows (engine/ship.h), with a hole, and an end that fills none
CHUNK=65536
MIB=84
SIZE=$(((MIB << 20) + 512))
A=$WORK/a.img
random_disk "$A" $MIB
scribble "$A" $((48 << 20)) $((36 << 20))
truncate -s $SIZE "$A"
scribble "$A" $((SIZE - 512)) 512

vault_start
vault_make Main
tidemark protect "$VAULT" "$A" --disk a --item m1 --chunk-size $CHUNK
ok $? "a disk of $MIB MiB, with a hole of 6 of them, is protected"

# known: how many chunks the vault has hashes of, as read by the SDK
known() {
	"$TESTS/lib/sdk.py" read "$(container)" disks/a.hash | /usr/bin/python3 -c '
import sys
table = sys.stdin.buffer.read()
print(sum(any(table[at:at + 16]) for at in range(0, len(table), 16)))'
}

no_point() {
	tidemark points --json
	is "$(json result.points)" "[]" "$1"
}

# A request that got no good answer is sent again; it counts once.
# killed SKIP: a backup dies before its next request for the hash table but SKIP
# is heard, when pages of other windows are on their way
killed() {
	proxy_reset
	kill_at "\"kind\":\"page-put\",\"path\":\"a.hash\",\"skip\":$1"
	proxy_control idle >/dev/null
	is "$STATUS" 137 "a backup dies when it has noted $1 windows"
	KNOWN=$(known)
	SENT=$(proxy_control log | /usr/bin/python3 -c '
import json, sys
print(sum({r["range"]: r["bytes"] for r in json.load(sys.stdin)
           if r["kind"] == "page-put" and "/disks/a.vhd" in r["path"]}.values()))')
}

# The first run: the table is new, so each window asks for one write of it
killed 2
first=$KNOWN
[ "$first" -gt 0 ] && [ "$first" -lt $((SIZE / CHUNK)) ]
ok $? "the vault has hashes of $first chunks, not of all"
no_point "and no point"

# The second, of which the first window that differs is two such writes
killed 2
[ "$KNOWN" -gt "$first" ] && [ "$KNOWN" -lt $((SIZE / CHUNK)) ]
ok $? "the next has got further: $KNOWN chunks"
left=$((((SIZE + CHUNK - 1) / CHUNK - first) * CHUNK))
[ "$SENT" -le $left ]
ok $? "and has sent nothing of what was there: $SENT bytes of at most $left"
no_point "there is still no point"

proxy_reset
tidemark backup --json
ok $? "the third ends well"
is "$(json result.modes.a)" full "a first backup"
is "$(json result.counters.scanned.chunks_same)" "$KNOWN" \
	"it skips what is there, by hash, as its counter says"
# Up to the next MiB, as the VHD
chunks=$(((MIB + 1) * 16))
is "$(($(json result.counters.scanned.chunks_uploaded) +
	$(json result.counters.scanned.chunks_cleared)))" $((chunks - KNOWN)) \
	"and takes the rest"
uploaded=$(json result.counters.scanned.bytes_uploaded)
is "$(sent_to '*/disks/a.vhd')" "$uploaded" \
	"that, counted on the way, is what is sent"
[ "$uploaded" -gt 0 ] && [ "$uploaded" -le $(((chunks - KNOWN) * CHUNK)) ]
ok $? "no more than the rest: $uploaded bytes of $SIZE"
is "$("$TIDEMARK" points --all 2>/dev/null | grep -c 'no point')" 2 \
	"the dead ones have their tombstones"
right "the point is right"
tidemark verify
ok $? "and proved"

# The same disk by a machine that nobody disturbs
point_disk "$WORK/a.vhd" a
same_disk "the SDK reads back the disk" "$WORK/a.vhd" "$A"
"$TESTS/lib/sdk.py" ranges "$(container)" disks/a.vhd >"$WORK/ranges"
machine m2
tidemark protect "$VAULT" "$A" --disk a --item m2 --chunk-size $CHUNK &&
	tidemark backup --json
ok $? "another machine backs up the same disk undisturbed"
point_disk "$WORK/b.vhd" a
cmp -n $(((MIB + 1) << 20)) "$WORK/a.vhd" "$WORK/b.vhd"
ok $? "its point holds the same"
"$TESTS/lib/sdk.py" ranges "$(container)" disks/a.vhd | cmp - "$WORK/ranges"
ok $? "and so much of its blob is written"

# A run that came to no point, and the same bytes elsewhere, in chunks that are
# larger: the last one is as long as one of the old
B=$WORK/b.img
random_disk "$B" 5
tidemark protect "$VAULT" "$B" --disk b --item m2 --chunk-size 1M
kill_at '"kind":"block-put","path":"/points/"'
is "$STATUS" 137 "a backup dies when all is sent, before its point"
rm "$TIDEMARK_STATE_DIR/disks/b.json"
dd if="$B" of="$B" bs=1M skip=1 seek=4 count=1 conv=notrunc status=none
tidemark protect "$VAULT" "$B" --disk b --item m2 --chunk-size 4M
tidemark backup && tidemark verify
ok $? "a chunk is not taken for one that was elsewhere" || cat "$WORK/err"
point_disk "$WORK/b.vhd" b
same_disk "its point is the disk" "$WORK/b.vhd" "$B"
finish
