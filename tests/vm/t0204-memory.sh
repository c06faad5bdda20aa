#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What a snapshot takes of memory on a disk of 4 TiB: before its cut, with
# nothing and with everything to be kept, for what is overwritten far apart and
# in a row, and what of that is left when it is let go. The bars are in
# tests/vm/tools/kept.c.

# shellcheck source=tests/vm/lib.sh
. "$(dirname "$0")/lib.sh"

if [ "$KERNEL" = debug ]; then
	echo "1..0 # SKIP these are bars for a kernel without KASAN"
	exit
fi

guest "4 TiB" --icount --mem 768 --timeout 500 --add "$TOOLS/kept" \
	"$TOP/tests/vm/guest/kept.sh"

done_testing
