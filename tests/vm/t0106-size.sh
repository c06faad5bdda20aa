#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What tracking takes on large disks: memory, META, the time to start from a
# full META, to list extents and to cut; and that no cut allocates.

# shellcheck source=tests/vm/lib.sh
. "$(dirname "$0")/lib.sh"

if [ "$KERNEL" = debug ]; then
	echo "1..0 # SKIP these are bars for a kernel without KASAN"
	exit
fi

tib=4
! full || tib=16
guest "up to $tib TiB" --icount --mem 768 --timeout 500 --add "$TOOLS/size" \
	"$TOP/tests/vm/guest/size.sh" $tib memory load list cut allocations

done_testing
