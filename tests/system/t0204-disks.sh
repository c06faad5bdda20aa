#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Disks that change between runs: they grow, with a client that dies over it,
# and shrink; they join a machine and leave it; five in one run share its pace.

. "$(dirname "$0")/../lib/tap.sh"
. "$TESTS/lib/faults.sh"

# point_right TEXT NAME MIB: the point of that name holds the disk as it was
# kept in $WORK/NAME.img; so say the SDK, QEMU and we
point_right() {
	point_disk "$WORK/point.vhd" a "$2"
	same_disk "$1: the SDK reads the disk back" "$WORK/point.vhd" \
		"$WORK/$2.img"
	is "$(qemu-img info -f vpc --output json "$WORK/point.vhd" |
		sed -n 's/.*"virtual-size": \([0-9]*\).*/\1/p' | tail -n 1)" \
		$(($3 << 20)) "$1: QEMU sees a VHD of $3 MiB"
	tidemark restore disk a "$WORK/restored.img" --point "$2" --yes &&
		cmp "$WORK/restored.img" "$WORK/$2.img"
	ok $? "$1: it is restored"
	tidemark verify "$2"
	ok $? "$1: it is proved"
}

# backed_up: a backup of disk a; its point's name in POINT
backed_up() {
	proxy_reset
	tidemark backup a --json || sed 's/^/# /' "$WORK/out" "$WORK/err"
	POINT=$(json result.point)
	cp --sparse=always "$A" "$WORK/$POINT.img"
}

vhd_size() {
	"$TESTS/lib/sdk.py" properties "$(container)" disks/a.vhd |
		sed -n 's/^size=//p'
}

faults_start
backed_up
small=$POINT

# It grows. A disk of 8 MiB takes 4 pages of the table, one of 21 more of them.
truncate -s 21M "$A"
scribble "$A" $((8 << 20)) 65536
scribble "$A" $(((21 << 20) - 4096)) 4096
backed_up
large=$POINT
is "$(json result.counters.scanned.chunks_uploaded)" 2 \
	"a disk has grown: what is new is sent"
is "$(sent_to '*/disks/a.vhd')" $((2 * 65536 + 512)) \
	"that and a footer, and nothing besides"
is "$(proxy_requests resize)" 2 "both blobs are resized"
is "$(vhd_size)" $(((21 << 20) + 512)) "to what the disk takes"
point_right "after growth" "$large" 21
point_right "the point before" "$small" 8

# It grows, and the client dies where the footer is neither here nor there
grow=21
for at in '"kind":"resize","path":"a.vhd"' \
	'"kind":"page-put","path":"a.vhd"' \
	'"kind":"page-put","path":"a.vhd","skip":1'; do
	grow=$((grow + 3))
	truncate -s ${grow}M "$A"
	scribble "$A" $(((grow << 20) - 70000)) 70000
	kill_at "$at,\"after\":true"
	is "$STATUS" 137 "a client dies over growth: $at"
	backed_up
	point_disk "$WORK/point.vhd" a
	same_disk "the next run makes up for it" "$WORK/point.vhd" "$A"
done
tidemark verify
ok $? "which is proved"

# It shrinks: its blobs do too, and nothing of the end is left if it grows again
truncate -s 6M "$A"
backed_up
shrunk=$POINT
is "$(sent_to '*/disks/a.vhd')" 512 "a disk has shrunk: only a footer is sent"
is "$(vhd_size)" $(((6 << 20) + 512)) "and its blob has"
truncate -s 30M "$A"
backed_up
is "$(json result.counters.scanned.chunks_uploaded)" 0 \
	"it grows again, by zeroes"
point_right "grown again" "$POINT" 30
point_right "after it had shrunk" "$shrunk" 6
point_right "the one before growth, still" "$small" 8
point_right "and the one after" "$large" 21

# A disk joins the machine, and leaves it
random_disk "$WORK/b.img" 2
tidemark protect "$VAULT" "$WORK/b.img" --disk b
tidemark protect "$VAULT" "$WORK/b.img" --disk c --json
is "$STATUS $(json error.action)" "11 see 'tidemark status'" "not twice"
random_disk "$WORK/c.img" 1
tidemark protect "$VAULT" "$WORK/c.img" --disk b --json
is "$STATUS $(json error.action)" \
	"11 see 'tidemark status'; --disk gives another name" \
	"nor another by its name"
tidemark backup --json
is "$(json result.modes)" '{"a": "compare", "b": "full"}' "a disk joins"
both=$(json result.point)
mv "$WORK/b.img" "$WORK/gone.img"
tidemark backup --json
is "$STATUS" 4 "one that has gone without a word is missed"
like "$(json error.message)" "cannot open disk '$WORK/b.img': *" "by name"
rm "$TIDEMARK_STATE_DIR/disks/b.json"
tidemark backup --json
is "$STATUS $(json result.modes)" '0 {"a": "compare"}' "it is taken off the list"
right "the one that stays is right"
tidemark verify
ok $? "and proved"
tidemark restore disk b "$WORK/b.img" --point "$both" &&
	cmp "$WORK/b.img" "$WORK/gone.img"
ok $? "the one that has left can be restored"
tidemark restore disk b "$WORK/no.img" --json
is "$STATUS" 4 "not from a point without it"
scribble "$WORK/b.img" 65536 65536
tidemark protect "$VAULT" "$WORK/b.img" --disk b
ok $? "it comes back"
tidemark backup --json
is "$(json result.modes)" '{"a": "compare", "b": "compare"}' \
	"and goes on from where it was"
is "$(json result.counters.scanned.chunks_uploaded)" 1 "with what has changed"
point_disk "$WORK/b.vhd" b
same_disk "it is right" "$WORK/b.vhd" "$WORK/b.img"

# Five disks of one request each, at 1 MiB a second: what goes at once is an
# eighth of a second's worth at most, or half of that and one request.
machine many
disks="1 2 3 4 5"
for disk in $disks; do
	head -c 1M /dev/urandom >"$WORK/$disk.img"
	tidemark protect "$VAULT" "$WORK/$disk.img" --item many
done
printf '[transfer]\nrate = 1M\n' >"$TIDEMARK_CONFIG"

# paced TEXT ARG...: it succeeds, and takes the time that 5 MiB take
least=$((((4 << 20) - (1 << 16)) * 1000 / (1 << 20)))
paced() {
	paced_text=$1
	shift
	paced_begin=$(date +%s%3N)
	tidemark "$@" --json
	ok $? "$paced_text"
	paced_took=$(($(date +%s%3N) - paced_begin))
	[ $paced_took -ge $least ]
	ok $? "they share the pace: $paced_took ms, $least at least"
}

paced "five disks in one run" backup
is "$(json result.counters.total.bytes_uploaded)" $((5 << 20)) "all are sent"
paced "all are proved in one run" verify
: >"$TIDEMARK_CONFIG"
for disk in $disks; do
	tidemark restore disk "$disk.img" "$WORK/restored.img" --yes &&
		cmp "$WORK/restored.img" "$WORK/$disk.img"
	ok $? "disk $disk is right"
done
finish
