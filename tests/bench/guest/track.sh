#!/bin/sh
# SPDX-License-Identifier: MIT
#
# track.sh warm|cold|cold_4t ENGINE...: requests a second of dm-linear, the
# tracked disk and dm-era, one line each: "WHAT ENGINE TARGET RATE"
# track.sh scaling ROUNDS: how the tracked disk takes to a second writer, beside
# dm-linear: "scaling_vs_linear RATIO"
#
# For a boot whose clock counts instructions, but the last, which is for two
# processors. Every target has the same origin, of null_blk's, and a chunk, or a
# block, of 64 KiB.

# shellcheck source=tests/bench/guest/lib.sh
. /lib/bench.sh
set -e

# is_cold: does nothing count as changed, and is no region open?
is_cold()
{
	dmsetup status tidemark | awk '{ exit $11 || $13 }'
}

# up TARGET: new, with nothing changed and no region open
up()
{
	case $1 in
	linear)
		dmsetup create linear --table "0 $sectors linear $origin 0"
		;;
	tidemark)
		dd if=/dev/zero of="$meta" bs=8k count=1 oflag=direct \
			status=none
		dmsetup create tidemark \
			--table "0 $sectors tidemark $origin $meta"
		cut 1
		commit 1
		is_cold
		;;
	era)
		# Formatting is slow on a large disk; a new era begins the same.
		if [ -z "$era_made" ]; then
			dd if=/dev/zero of="$era_meta" bs=4k count=1 \
				oflag=direct status=none
		fi
		dmsetup create era \
			--table "0 $sectors era $era_meta $origin 128"
		dmsetup message era 0 checkpoint
		era_made=1
		;;
	esac
}

# Every chunk has changed, every region is open, the disk's pages exist.
warm()
{
	sectors=131072
	origin=$(null_disk origin 64 1)
	meta=$(null_disk meta 4 1)
	era_meta=$(null_disk era 16 1)
	for target in linear tidemark era; do
		up "$target"
		dd if=/dev/zero of="/dev/mapper/$target" bs=1M count=64 \
			oflag=direct status=none
		for engine; do
			measure randwrite_warm "$engine" "$target" write \
				4096 4096 16 16384 random \
				"/dev/mapper/$target"
			measure randread "$engine" "$target" read \
				4096 4096 16 16384 random \
				"/dev/mapper/$target"
			measure seqwrite_1m "$engine" "$target" write \
				1048576 1048576 16 256 ordered \
				"/dev/mapper/$target"
		done
		dmsetup remove "$target"
	done
}

# first WHAT COUNT ENGINE...: every write the first into its chunk
first()
{
	what=$1 count=$2
	shift 2
	for engine; do
		for depth in 1 32; do
			for target in linear tidemark era; do
				up "$target"
				measure "${what}_depth$depth" "$engine" \
					"$target" write 4096 65536 "$depth" \
					"$count" random "/dev/mapper/$target"
				dmsetup remove "$target"
			done
		done
	done
}

cold()
{
	sectors=4194304
	origin=$(null_disk origin 2048 1 100000)
	meta=$(null_disk meta 4 1 100000)
	era_meta=$(null_disk era 16 1 100000)
	# The disk's pages exist, so that the first to write does not pay.
	/rate uring write 4096 65536 32 32768 ordered "$origin" >/dev/null
	# into every chunk there is
	first cold 32768 "$@"
}

cold_4t()
{
	sectors=8589934592
	origin=$(null_disk origin 4194304 0 100000)
	meta=$(null_disk meta 24 1 100000)
	era_meta=$(null_disk era 640 1 100000)
	# one write in sixteen finds its region open
	first cold_4t 8192 "$@"
}

# Two writers, each on regions of its own, all of them warm.
scaling()
{
	sectors=131072
	origin=$(null_disk origin 64 1)
	meta=$(null_disk meta 4 1)
	up linear
	up tidemark
	dd if=/dev/zero of=/dev/mapper/tidemark bs=1M count=64 oflag=direct \
		status=none
	/scale "$1" 64 /dev/mapper/linear /dev/mapper/tidemark |
		sed '1s/^/# linear, tidemark, one writer and two: /
			2s/^/scaling_vs_linear /'
	dmsetup remove tidemark
	dmsetup remove linear
}

insmod /dm-tidemark.ko
modprobe dm-era
era_made=
"$@"
