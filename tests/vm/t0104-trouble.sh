#!/bin/sh
# SPDX-License-Identifier: MIT
#
# META that fails, or does not answer, costs the tracking and not the disk: what
# the disk has lost sight of counts as changed, then and after META is back.

# shellcheck source=tests/vm/lib.sh
. "$(dirname "$0")/lib.sh"

disk origin $((32 * 1048576 + 37 * 512))
disk meta 1M
guest "META in trouble" --disk "$WORK/origin" --disk "$WORK/meta" \
	--timeout 600 --add "$TOOLS/trouble" --add "$TOOLS/outage" \
	"$TOP/tests/vm/guest/trouble.sh"

done_testing
