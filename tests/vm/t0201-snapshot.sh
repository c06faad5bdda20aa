#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A snapshot reads as the disk stood at the cut, under load, in every mode and
# chunk size; what is released or was never kept cannot be read; whatever
# happens to its store, the disk does not notice.

# shellcheck source=tests/vm/lib.sh
. "$(dirname "$0")/lib.sh"

disk origin $((16 * 1048576 + 13 * 512))
disk meta 1M
disk store 20M
limit=600
if full; then
	limit=1800
fi
guest "under load" --disk "$WORK/origin" --disk "$WORK/meta" \
	--disk "$WORK/store" --timeout "$limit" \
	"$TOOLS/snapshot" /dev/vda /dev/vdb /dev/vdc "$FORM"

done_testing
