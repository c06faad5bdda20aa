#!/bin/sh
# SPDX-License-Identifier: MIT
#
# states.sh - META, vdb, goes through all its states; vdc has the log

modprobe dm-log-writes || exit
exec /states /dev/vda /dev/vdb /dev/vdc
