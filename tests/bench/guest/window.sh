#!/bin/sh
# SPDX-License-Identifier: MIT
#
# window.sh [CUTS [KIND...]] - how long a writer waits for a cut of 16 disks: the longest
# write to any of them, in milliseconds, "window_ms_16 MS"; before it a line for
# each kind of disk, "KIND DURING OUTSIDE": the longest while `tidemark` ran and
# the longest before and after
#
# For a boot whose clock counts instructions, with build/tests/window:
#
#   scripts/vm run --icount --mem 1024 --timeout 600 \
#	--add build/tests/window tests/bench/guest/window.sh
#
# The disks are null_blk's, of 4 GiB and of 4 TiB, with a completion time of 1 ms,
# their metadata in memory. Of each nothing has changed since the base, or
# everything. A writer for each disk writes 4 KiB at a time, so that there is
# always one write in flight. CUTS: of each kind, 2. KIND: 4g or 4t, a hyphen, and
# unchanged or changed; all of them.

# shellcheck source=tests/vm/guest/lib.sh
. /lib/guest.sh
set -e
cuts=${1:-2}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- 4g-unchanged 4g-changed 4t-unchanged 4t-changed
disks="0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15"
: >/tmp/worst

# longest FILE: the largest number in it, microseconds, as milliseconds
longest()
{
	sort -n "$1" | tail -n 1 | awk '{ printf "%.3f\n", $1 / 1000 }'
}

# attach_all KIND: 16 of them; sets names and nodes
attach_all()
{
	case $1 in
	4g-*)	mib=4096 ;;
	4t-*)	mib=4194304 ;;
	esac
	names='' nodes=''
	for i in $disks; do
		origin=$(null_disk "$1-$i" "$mib" 0 1000000)
		tidemark attach "$origin" - --name "$1-$i" --quiet
		case $1 in
		*-changed) dmsetup message "$1-$i" 0 mark all ;;
		esac
		names="$names $1-$i" nodes="$nodes /dev/mapper/$1-$i"
	done
}

# cut: while all disks are written
cut()
{
	# shellcheck disable=SC2086 # lists of words
	/window 67108864 100 $nodes -- tidemark snapshot create $names \
		--mode delta --store - --quiet >/tmp/cut
	read -r before during after writes </tmp/cut
	# What stood still all the time would have waited for nothing.
	[ "$writes" -gt 100 ]
	printf '%s\n' "$before" "$after" >>/tmp/outside
	echo "$during" >>/tmp/during
	tidemark snapshot remove --all --quiet
}

# measure KIND
measure()
{
	attach_all "$1"
	: >/tmp/during
	: >/tmp/outside
	n=0
	while [ $n -lt "$cuts" ]; do
		n=$((n + 1))
		cut
	done
	echo "$1 $(longest /tmp/during) $(longest /tmp/outside)"
	cat /tmp/during >>/tmp/worst
	for i in $names; do
		tidemark detach "$i" --quiet
		rmdir "/sys/kernel/config/nullb/$i"
	done
}

insmod /dm-tidemark.ko
for kind; do
	measure "$kind"
done
echo "window_ms_16 $(longest /tmp/worst)"
