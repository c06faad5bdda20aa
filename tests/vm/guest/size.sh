#!/bin/sh
# SPDX-License-Identifier: MIT
#
# size.sh WHAT...: the parts of the program, on disks that keep no data

# shellcheck source=tests/vm/guest/lib.sh
. /lib/guest.sh
set -e

# What a disk of 16 TiB may take of META is 6 MiB per TiB.
meta=$(null_disk meta 104 1)
copy=$(null_disk copy 104 1)
meta2=$(null_disk meta2 1 1)
tib16=$(null_disk tib16 16777216 0)
tib4=$(null_disk tib4 4194304 0)
gib128=$(null_disk gib128 131072 0)
gib4=$(null_disk gib4 4096 0)

for what; do
	echo "# $what"
	case $what in
	memory)		/size memory "$tib16" "$meta" ;;
	load)		/size load "$tib16" "$meta" "$copy" ;;
	list)		/size list "$gib128" "$meta" ;;
	cut)		/size cut "$tib4" "$meta" "$gib4" "$meta2" ;;
	allocations)	/size allocations "$tib4" "$meta" ;;
	esac
done
