#!/bin/sh
# SPDX-License-Identifier: MIT
#
# judges.sh ORIGIN-SECTORS META-SECTORS COUNT OPTIONS - the verdicts about all images
#
# vda holds the images, vdb as many METAs as there are judges, 8: most of the
# time each waits for a grace period. Loading never reads the origin: zeroes do.

set -e
origin=$1 meta=$2 count=$3 options=$4
judges=8
each=$(((count + judges - 1) / judges))
insmod /dm-tidemark.ko
echo 1 >/sys/kernel/rcu_expedited

pids='' failed=''
from=0
while [ "$from" -lt "$count" ]; do
	n=$each
	[ $((from + n)) -le "$count" ] || n=$((count - from))
	i=$((from / each))
	dmsetup create "o$i" --table "0 $origin zero"
	dmsetup create "m$i" --table "0 $meta linear /dev/vdb $((i * meta))"
	dmsetup create "i$i" --table \
		"0 $((n * meta)) linear /dev/vda $((from * meta))"
	/judge "/dev/mapper/o$i" "/dev/mapper/m$i" "/dev/mapper/i$i" "$n" \
		"$options" \
		>"/tmp/verdicts.$i" &
	pids="$pids $!"
	from=$((from + n))
done
for pid in $pids; do
	wait "$pid" || failed=1
done
i=0
while [ -e "/tmp/verdicts.$i" ]; do
	awk -v from=$((i * each)) \
		'/^[0-9]/ { $1 += from } { print }' "/tmp/verdicts.$i"
	i=$((i + 1))
done
[ -z "$failed" ]
