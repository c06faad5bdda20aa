#!/bin/sh
# SPDX-License-Identifier: MIT
#
# plug.sh MS SEED OPTION... - a tracked disk under load, until the power goes
#
# Starts tracking from what the last crash has left, tells the host what counts
# as changed, and goes on with random load and cuts. The power goes after MS.

set -e
ms=$1 seed=$2
shift 2
size=$(blockdev --getsz /dev/vda)

modprobe nbd nbds_max=1 max_part=0
/nbdattach 10.0.2.100 10000 meta /dev/nbd0
insmod /dm-tidemark.ko
/cuts - - /dev/vdb say note recovery
dmsetup create t --table "0 $size tidemark /dev/vda /dev/nbd0 $# $*"
/cuts - - /dev/vdb say note tracking
host verdict "$(/cuts t - - report)"
/churn raw "$seed" /dev/mapper/t 0 &
one=$!
/churn raw $((seed + 1)) /dev/mapper/t 0 &
MAY_WRITE=1 /cuts t vda /dev/vdb 100000 "$seed" none $one $! &
sleep "$(awk -v ms="$ms" 'BEGIN { print ms / 1000 }')"
host poweroff
