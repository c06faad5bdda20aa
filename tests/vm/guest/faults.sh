#!/bin/sh
# SPDX-License-Identifier: MIT
#
# faults.sh SECONDS SEED - everything at once, while one small allocation in
# fifty fails, for the hammer's processes and for the kernel's workers

set -e
cd /sys/kernel/debug/failslab
echo Y >task-filter
echo N >ignore-gfp-wait
echo 2 >probability
echo 1 >interval
echo -1 >times
echo 0 >verbose
cd /
exec /hammer /dev/vda /dev/vdb /dev/vdc "$1" "$2" faults
