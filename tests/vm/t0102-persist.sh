#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What META remembers: across stops, tables, modules and boots; a power cut
# costs the regions that were open; a damaged or a foreign META misses nothing.

# shellcheck source=tests/vm/lib.sh
. "$(dirname "$0")/lib.sh"

disk origin $((64 * 1048576 + 37 * 512))
disk meta 1M
guest "one boot" --disk "$WORK/origin" --disk "$WORK/meta" \
	"$TOOLS/persist" /dev/vda /dev/vdb

across()
{
	guest "$1" --disk "$WORK/origin" --disk "$WORK/meta" \
		--add "$TOOLS/persist" "$TOP/tests/vm/guest/persist.sh" "$@"
}

across clean
across expect set
across before poweroff
across expect crash

done_testing
