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
finish
