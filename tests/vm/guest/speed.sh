#!/bin/sh
# SPDX-License-Identifier: MIT
#
# speed.sh - a tracked disk against dm-linear, 4 KiB random I/O through
# io_uring, in one boot whose clock counts instructions: a ratio that does not
# depend on the machine. A target that refuses NOWAIT loses 30 % here.

# shellcheck source=tests/vm/guest/lib.sh
. /lib/guest.sh
set -e

insmod /dm-tidemark.ko

# iops DEVICE read|write
iops()
{
	case $2 in
	read)	field=8 ;;
	write)	field=49 ;;
	esac
	fio --name=x --filename="$1" --rw="rand$2" --bs=4k --direct=1 \
		--ioengine=io_uring --iodepth=16 --size=64m --randseed=1 \
		--norandommap --io_size=32m --output-format=terse \
		--terse-version=3 | cut -d ';' -f "$field"
}

origin=$(null_disk origin 64 1)
meta=$(null_disk meta 4 1)
dmsetup create linear --table "0 131072 linear $origin 0"
dmsetup create tracked --table "0 131072 tidemark $origin $meta"
# warm: every chunk of it has changed, and the disk's pages exist
dd if=/dev/zero of=/dev/mapper/tracked bs=1M count=64 oflag=direct 2>/dev/null

for way in write read; do
	a=$(iops /dev/mapper/linear "$way")
	b=$(iops /dev/mapper/tracked "$way")
	ratio=$(echo "$a $b" | awk '{ printf "%.3f", $2 / $1 }')
	ok "$way: $b of dm-linear's $a IOPS, a ratio of $ratio" \
		awk "BEGIN { exit !($ratio >= 0.9) }"
done
dmsetup remove tracked linear
ok "the module can be unloaded" rmmod dm_tidemark
done_testing
