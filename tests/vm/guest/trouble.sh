#!/bin/sh
# SPDX-License-Identifier: MIT
#
# trouble.sh - META in trouble of every kind

set -e
/trouble /dev/vda /dev/vdb
for target in flakey delay; do
	dmsetup targets | grep -q "^$target " || modprobe "dm-$target"
done
exec /outage /dev/vda /dev/vdb
