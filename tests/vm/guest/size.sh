#!/bin/sh
# SPDX-License-Identifier: MIT
#
# size.sh TIB WHAT...: the parts of the program, on disks that keep no data, of
# which the largest has so many TiB, 4 at least

# shellcheck source=tests/vm/guest/lib.sh
. /lib/guest.sh
set -e

tib=$1
shift
# What a disk may take of META is 6 MiB per TiB.
meta=$(null_disk meta $((tib * 6 + 2)) 1)
copy=$(null_disk copy $((tib * 6 + 2)) 1)
meta2=$(null_disk meta2 1 1)
large=$(null_disk large $((tib * 1048576)) 0)
tib4=$(null_disk tib4 4194304 0)
gib128=$(null_disk gib128 131072 0)
gib4=$(null_disk gib4 4096 0)

for what; do
	echo "# $what"
	case $what in
	memory)		/size memory "$large" "$meta" ;;
	load)		/size load "$large" "$meta" "$copy" ;;
	list)		/size list "$gib128" "$meta" ;;
	cut)		/size cut "$tib4" "$meta" "$gib4" "$meta2" ;;
	allocations)	/size allocations "$tib4" "$meta" ;;
	esac
done
