#!/bin/sh
# SPDX-License-Identifier: MIT
#
# kept.sh: the program on a disk of 4 TiB and a store of 64 GiB that keep no data

# shellcheck source=tests/vm/guest/lib.sh
. /lib/guest.sh
set -e

meta=$(null_disk meta 26 1)
store=$(null_disk store 65536 0)
origin=$(null_disk tib4 4194304 0)
exec /kept "$origin" "$meta" "$store"
