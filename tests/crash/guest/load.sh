#!/bin/sh
# SPDX-License-Identifier: MIT
#
# load.sh KIND ROUNDS CUTS SEED MISTAKES OPTION... - a tracked disk under load
#
# vda is the origin, vdb the disk of marks; META comes over the network, so that
# it is asked for FUA writes. KIND: raw (random writes, discards and zeroes on
# all of the disk), ext4 or xfs (a filesystem on most of it, which is trimmed at
# times, and the same on the rest). OPTIONs are the constructor's.
#
# MISTAKES: -, or those that the module is to make in turn, each on a new META.
#
# Each round ends in one of three states of a cut. In every other round META is
# then copied, the device stopped in good order, and the copy put back: what
# follows is a recovery, and the log goes on through it.

set -e
kind=$1 rounds=$2 cuts=$3 seed=$4 mistakes=$5
shift 5
size=$(blockdev --getsz /dev/vda)

modprobe nbd nbds_max=1 max_part=0
modprobe -q "$kind" || :
/nbdattach 10.0.2.100 10000 meta /dev/nbd0

say()
{
	/cuts - - /dev/vdb say "$@"
}

up()
{
	say note up
	dmsetup create t --table "0 $size tidemark /dev/vda /dev/nbd0 $# $*"
	[ "$kind" = raw ] && fs=0 || fs=$((size * 5 / 6 / 2048 * 2048))
	[ "$fs" -eq 0 ] || dmsetup create fs --table "0 $fs linear \
		/dev/mapper/t 0"
	dmsetup create raw --table "0 $((size - fs)) linear /dev/mapper/t $fs"
}

down()
{
	dmsetup remove raw
	[ "$kind" = raw ] || dmsetup remove fs
	dmsetup remove t
}

load()
{
	fio --minimal --output=/tmp/fio --name=global --thread \
		--ioengine=libaio --direct=1 --time_based --runtime=3600 \
		--filename=/dev/mapper/raw \
		--randrepeat=0 --randseed=$((seed + round)) --refill_buffers \
		--bsrange=4k-64k --iodepth=8 --rate_iops=100 \
		--name=write --rw=randwrite --fsync=$((round % 3 * 40)) \
		--name=trim --rw=randtrim --rate_iops=8 &
	pids=$!
	/churn raw $((seed + round)) /dev/mapper/raw 0 &
	pids="$pids $!"
	[ "$kind" != raw ] || return 0
	/churn files $((seed + round)) /fs 0 &
	pids="$pids $!"
	: >/tmp/trimming
	while [ -e /tmp/trimming ]; do
		fstrim /fs
		sync -f /fs
	done &
	trim=$!
}

unload()
{
	if [ "$kind" != raw ]; then
		rm /tmp/trimming
		wait "$trim"
	fi
	# They go on until they are told to end: one that has ended has failed.
	for pid in $pids; do
		kill "$pid"
	done
	for pid in $pids; do
		wait "$pid" || :
	done
}

# The state that META is in now comes back after an orderly stop.
crash()
{
	dd if=/dev/nbd0 of=/tmp/meta bs=64k iflag=direct status=none
	say void
	down
	dd if=/tmp/meta of=/dev/nbd0 bs=64k oflag=direct conv=fsync status=none
	say valid
}

one_round()
{
	up "$@"
	[ "$kind" = raw ] || mount /dev/mapper/fs /fs
	load
	case $((round % 3)) in
	0)	phase=none ;;
	1)	phase=shipping ;;
	2)	phase=prepared ;;
	esac
	# shellcheck disable=SC2086 # a list of processes
	/cuts t vda /dev/vdb "$cuts" $((seed + round)) "$phase" $pids
	unload
	[ "$kind" = raw ] || umount /fs
	if [ $((round % 2)) -eq 1 ]; then
		crash
	else
		say note down
		down
	fi
}

rounds()
{
	for round in $(seq "$rounds"); do
		one_round "$@"
	done
	up "$@"
	say note end
	down
}

# Beside a filesystem, nobody writes where it is.
[ "$kind" != raw ] || export MAY_WRITE=1
mkdir -p /fs
if [ "$mistakes" = - ]; then
	insmod /dm-tidemark.ko
	if [ "$kind" != raw ]; then
		up "$@"
		say note mkfs
		"mkfs.$kind" -q /dev/mapper/fs
		down
	fi
	rounds "$@"
	exit
fi
for mistake in $mistakes; do
	say void
	dd if=/dev/zero of=/dev/nbd0 bs=64k count=1 oflag=direct conv=fsync \
		status=none
	insmod /dm-tidemark.ko mistake="$mistake"
	say part "$mistake"
	say valid
	rounds "$@"
	rmmod dm_tidemark
done
