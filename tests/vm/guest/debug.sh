#!/bin/sh
# SPDX-License-Identifier: MIT
#
# debug.sh WALKS SECONDS SEED - walks; everything at once; and that again while
# one small allocation in fifty fails, for the hammer's processes and for the
# kernel's workers. Then that, and pages, and requests to META and to the
# origin, in turn, and what is reported is held against the bytes.

set -e
/walk /dev/vda /dev/vdb /dev/vdc random "$1" 30 "$3"
/hammer /dev/vda /dev/vdb /dev/vdc "$2" "$3"

cd /sys/kernel/debug/failslab
echo Y >task-filter
echo N >ignore-gfp-wait
echo 2 >probability
echo 1 >interval
echo "-1" >./times
echo 0 >verbose
/hammer /dev/vda /dev/vdb /dev/vdc "$2" "$3" faults
exec /faults /dev/vda /dev/vdb "$2" "$3"
