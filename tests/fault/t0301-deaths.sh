#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A client that dies at any request: the next run settles what it left, and its
# point is right. No stale hash wins.

. "$(dirname "$0")/../lib/tap.sh"
. "$TESTS/lib/faults.sh"

faults_start

# A stale hash: A is backed up, B is sent, the client dies before it has
# written the hashes, the disk reverts to A.
cp "$A" "$WORK/before.img"
scribble "$A" 100000 300000
kill_at '"kind":"page-put","path":"a.vhd","after":true'
is "$STATUS" 137 "a client dies between its pages and their hashes"
cp "$WORK/before.img" "$A"
tidemark backup --json
ok $? "the disk has reverted; the next backup"
[ "$(json result.counters.scanned.chunks_uploaded)" -gt 0 ]
ok $? "sends what the dead client had overwritten"
right "a stale hash does not win"

# The same the other way round: the hashes were written, the point was not.
scribble "$A" 100000 300000
kill_at '"kind":"snapshot"'
cp "$WORK/before.img" "$A"
tidemark backup
right "nor does a hash without a point"

# Death at each kind of request, after it; in the full form before it too
POINTS=$(points | wc -w)
n=0
for at in '"kind":"lease-acquire","skip":1' \
	'"kind":"list"' \
	'"kind":"sequence"' '"kind":"sequence","skip":2' \
	'"kind":"block-put","path":"runs/"' \
	'"kind":"page-put","path":"a.hash"' \
	'"kind":"page-put","path":"a.vhd"' \
	'"kind":"page-clear"' \
	'"kind":"page-put","path":"a.hash","skip":1' \
	'"kind":"snapshot"' '"kind":"snapshot","skip":1' \
	'"kind":"block-put","path":"points/"' \
	'"kind":"block-put","path":"jobs/"' \
	'"kind":"lease-release"'; do
	case ${FORM:-short},$at in
	full,* | *points/*) afters="false true" ;;
	*) afters=true ;;
	esac
	for after in $afters; do
		n=$((n + 1))
		scribble "$A" $((n * 131072 + 5000)) 70000
		wipe "$A" $((n * 65536)) 65536
		kill_at "$at,\"after\":$after"
		[ "$STATUS" -eq 137 ] || ok 1 "the client dies at $at"
		case $at,$after in
		*points/*,true | *jobs/* | *release*) new=1 ;;
		*) new=0 ;;
		esac
		grown "death at $at, after: $after" $new
		scribble "$A" $((n * 131072 + 30000)) 10
		tidemark backup || sed 's/^/# /' "$WORK/err"
		right "the next run is right"
		POINTS=$((POINTS + 1))
	done
done
point_disk "$WORK/x.vhd" a
same_disk "the SDK agrees" "$WORK/x.vhd" "$A"

# point: backs up; its name in POINT
point() {
	tidemark backup --json
	POINT=$(json result.point)
}

# promote BLOB POINT: somebody copies the point's snapshot of it over it
promote() {
	tidemark points show "$2" --json
	"$TESTS/lib/sdk.py" promote "$(container)" "disks/a.$1" \
		"$(json "result.point.disks.0.$1_snapshot")"
}

# warned TEXT
warned() {
	tidemark backup --json
	is "$STATUS $(json result.modes.a)" "3 full" "$1: all is sent anew"
	like "$(json result.warnings)" "*brought back an older state*" \
		"with a warning"
	right "and the point is right"
}

# The blob is of before, its hashes are not
point
scribble "$A" 100000 300000
tidemark backup
promote vhd "$POINT"
warned "an older state of the disk is brought back"
tidemark backup
ok $? "the next one has nothing to warn of"

# The hashes are of before, and so is the disk; its blob is not
point
cp "$A" "$WORK/before.img"
scribble "$A" 100000 300000
tidemark backup
cp "$WORK/before.img" "$A"
promote hash "$POINT"
warned "an older state of the table"

# The hashes are a dead client's, its blob is the last point's
point
scribble "$A" 100000 300000
kill_at '"kind":"snapshot"'
promote vhd "$POINT"
warned "the last point's disk, after a death"

# Both are the last point's, as if nobody had died
point
scribble "$A" 100000 300000
kill_at '"kind":"snapshot"'
promote vhd "$POINT"
promote hash "$POINT"
tidemark backup
ok $? "both of the last point's are what it left"
right "and the point is right"
finish
