#!/bin/sh
# SPDX-License-Identifier: MIT
#
# host-exact.sh - what tests/vm/tools/exact.c asks of its host; DISK is an image
#
#	fresh DISK	there is no base
#	truth DISK	keeps a copy of the image as it is now
#	base DISK	that copy is the base of what follows
#	judge DISK CHUNK CUT_NS
#			compares what was read with that copy
#
# WORK and TOP come from the test.

set -eu
verb=$1 disk=$2
shift 2

case $verb in
fresh)
	rm -f "$WORK/base.$disk"
	;;
truth)
	cp --sparse=always "$WORK/$disk" "$WORK/truth.$disk"
	;;
base)
	cp --sparse=always "$WORK/truth.$disk" "$WORK/base.$disk"
	;;
judge)
	base=$WORK/base.$disk
	[ -e "$base" ] || base=-
	exec "$TOP/build/tests/compare" "$WORK/scratch" "$WORK/truth.$disk" \
		"$base" "$WORK/$disk" "$@"
	;;
esac
