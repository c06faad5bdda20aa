#!/bin/sh
# SPDX-License-Identifier: MIT
#
# stall.sh SECONDS - no write waits for long because a region is being closed:
# writes to a disk of 100 us, META too, whose regions open and close all the
# time, and the same with none ever closed.

# shellcheck source=tests/vm/guest/lib.sh
. /lib/guest.sh

seconds=$1
modprobe null_blk nr_devices=2 gb=16 memory_backed=1 irqmode=2 \
	completion_nsec=100000
insmod /dm-tidemark.ko

# message WORD UNTIL: to the tracked device, until status says so
message()
{
	dmsetup message t 0 "$1" 0123456789abcdef0123456789abcdef
	until dmsetup status t | grep -qE "$2"; do
		:
	done
}

# run CLOSE_AFTER: what `stall` says of a disk of which nothing is marked
run()
{
	dd if=/dev/zero of=/dev/nullb1 bs=8k count=1 oflag=direct status=none
	dmsetup create t --table "0 33554432 tidemark /dev/nullb0 /dev/nullb1 \
		2 close_after $1"
	message prepare :prepared
	dmsetup suspend t
	dmsetup message t 0 cut 0123456789abcdef0123456789abcdef
	dmsetup resume t
	until dmsetup status t | grep -q :shipping; do
		:
	done
	message commit ' 0123456789abcdef0123456789abcdef - '
	line=$(/stall t "$seconds" 16777216 1)
	dmsetup remove t
	echo "# close_after $1: $line"
}

# said FIELD: of the line
said()
{
	echo "$line" | sed "s/.*$1=\([0-9]*\).*/\1/"
}

run 3600
is "none is closed when that is asked" "$(said closed)" 0
run 1
ok "regions are closed, $(said closed) times" test "$(said closed)" -ge 3
ok "no write takes longer than 50 ms: $(said longest_us) us" \
	test "$(said longest_us)" -lt 50000
done_testing
