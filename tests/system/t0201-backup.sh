#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Recovery points of image files: byte for byte what the disk was, read with the
# official SDK; what is sent is what has changed, by our counters and by a count
# of request bodies on the way.

. "$(dirname "$0")/../lib/tap.sh"
. "$TESTS/lib/vault.sh"

vault_start
A=$WORK/a.img B=$WORK/b.img
random_disk "$A" 24
random_disk "$B" 9
truncate -s $((9 * 1048576 + 100 * 512)) "$B"
scribble "$B" $((9 * 1048576 + 99 * 512)) 512

vault_make Main
ok $? "a vault is made"
tidemark protect "$VAULT" "$A" --disk a --item m1
ok $? "a disk is protected"
tidemark status --json
is "$(json result.items.0.state)" IRPending "its first backup is pending"

# First backup
proxy_reset
tidemark backup --json
ok $? "first backup"
is "$(json result.modes.a)" full "it is a full one"
is "$(json result.counters.total.requests)" "$(proxy_requests)" \
	"it counts its requests as they are counted on the way"
is "$(json result.counters.scanned.bytes_uploaded)" $((12 << 20)) \
	"it sends what is not zero"
is "$(sent_to '*/disks/a.vhd')" $(((12 << 20) + 512)) \
	"and nothing else but the footer"
is "$(json result.counters.scanned.chunks_cleared)" $((12 * 16)) \
	"zeroes count as cleared"
point_disk "$WORK/1.vhd" a && cp "$A" "$WORK/1.img"
same_disk "the SDK reads back the disk" "$WORK/1.vhd" "$A"
FIRST=$(json result.point)
is "$(qemu-img info -f vpc --output json "$WORK/1.vhd" |
	sed -n 's/.*"virtual-size": \([0-9]*\).*/\1/p' | tail -n 1)" \
	"$(stat -c %s "$A")" "QEMU sees a fixed VHD of the disk's size"
is "$(qemu-img compare -f vpc -F raw "$WORK/1.vhd" "$A" 2>&1)" \
	"Images are identical." "and compares it equal, without a warning"

# Nothing has changed
proxy_reset
tidemark backup --json
ok $? "a backup of an unchanged disk"
requests=$(proxy_requests)
[ "$requests" -le 24 ]
ok $? "takes at most 24 requests ($requests)"
is "$(json result.counters.total.requests)" "$requests" "counted right"
is "$(sent_to '*')" 0 "no page is written"
is "$(json result.counters.scanned.chunks_same)" $((24 * 16)) \
	"all chunks are as before"

# The same data written again
dd if="$WORK/1.img" of="$A" bs=65536 count=20 conv=notrunc status=none
proxy_reset
tidemark backup --json
is "$(sent_to '*') $(json result.counters.scanned.chunks_uploaded)" "0 0" \
	"a rewrite of the same data is read and not sent"

# Changes: three chunks, one of them by a byte; four zeroed chunks
scribble "$A" $((65536 * 5)) 65536
scribble "$A" $((65536 * 6 - 1)) 2
wipe "$A" $((65536 * 40)) $((65536 * 4))
proxy_reset
tidemark backup --json
ok $? "a backup of a changed disk"
is "$(json result.counters.scanned.chunks_uploaded)" 2 "two chunks are sent"
is "$(json result.counters.scanned.chunks_cleared)" 4 "four are cleared"
is "$(json result.counters.scanned.chunks_read)" \
	"$(($(json result.counters.scanned.chunks_same) + 6))" \
	"and the others are as before"
is "$(sent_to '*/disks/a.vhd')" $((2 * 65536)) \
	"a count on the way says the same"
is "$(proxy_requests page-clear)" 1 "neighbours are cleared in one request"
point_disk "$WORK/2.vhd" a
same_disk "the SDK reads back the disk" "$WORK/2.vhd" "$A"
point_disk "$WORK/1b.vhd" a "$FIRST"
cmp "$WORK/1.vhd" "$WORK/1b.vhd"
ok $? "the first point is what it was"
tidemark verify
ok $? "the last point is proved"
tidemark verify "$FIRST"
ok $? "and the first"

# Two disks, cut in one run; one of an odd size and another chunk size
tidemark protect "$VAULT" "$B" --disk b --chunk-size 4K
ok $? "another disk joins the machine"
scribble "$A" 1234567 100
tidemark backup --json
ok $? "both are backed up in one run"
is "$(json result.modes.a) $(json result.modes.b)" "compare full" \
	"each in its way"
point_disk "$WORK/a.vhd" a && point_disk "$WORK/b.vhd" b
same_disk "the point has the one" "$WORK/a.vhd" "$A"
same_disk "and the other, padded with zeroes" "$WORK/b.vhd" "$B"
is "$(qemu-img compare -f vpc -F raw "$WORK/b.vhd" "$B" 2>&1 | tail -n 1)" \
	"Images are identical." "QEMU agrees"
scribble "$B" 8192 512
tidemark backup b --json
is "$(json result.counters.scanned.bytes_uploaded)" 4096 \
	"one disk alone, in its chunks"
tidemark backup --json
is "$(json result.counters.total.chunks_uploaded)" 0 \
	"and both again, each after its own last point"

# Growing and shrinking, within a MiB, within a chunk, past the old footer
tidemark protect "$VAULT" "$WORK/1.img" --disk c --chunk-size 4M
for size in 24 26 25 33; do
	truncate -s ${size}M "$WORK/1.img"
	scribble "$WORK/1.img" $(((size << 20) - 512)) 512
	tidemark backup c && point_disk "$WORK/c.vhd" c
	same_disk "a disk of $size MiB" "$WORK/c.vhd" "$WORK/1.img"
	tidemark verify --disk c
	ok $? "is proved"
done
for bytes in 9502720 9502208 9437184 9437696 20971520; do
	truncate -s $bytes "$B"
	tidemark backup b && point_disk "$WORK/b.vhd" b
	same_disk "a disk of $bytes bytes" "$WORK/b.vhd" "$B"
done
tidemark verify --disk b
ok $? "is proved"
truncate -s 1M "$B" && truncate -s 20971520 "$B"
tidemark backup b && point_disk "$WORK/b.vhd" b
same_disk "cut off and grown again between two backups" "$WORK/b.vhd" "$B"

tidemark points --json
is "$(json result.points | /usr/bin/python3 -c 'import json, sys
print(len(json.load(sys.stdin)))')" 17 "all points are listed"
tidemark status --json
is "$(json result.items.0.state)" Protected "the machine is protected"
finish
