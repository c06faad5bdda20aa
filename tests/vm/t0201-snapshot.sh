#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A snapshot reads as the disk stood at the cut, under load, in every mode and
# chunk size; what is released or was never kept cannot be read; whatever
# happens to its store, the disk does not notice.

. "$(dirname "$0")/lib.sh"

disk origin $((16 * 1048576 + 13 * 512))
disk meta 1M
disk store 20M
guest "under load" --disk "$DISK_origin" --disk "$DISK_meta" \
	--disk "$DISK_store" --timeout $(full && echo 900 || echo 240) \
	"$TOOLS/snapshot" /dev/vda /dev/vdb /dev/vdc "$FORM"

done_testing
