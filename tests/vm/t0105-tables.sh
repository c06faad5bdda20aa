#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Tables that are replaced, or cannot be, and META that is away for a while:
# no write that went unseen may be taken for tracked.

# shellcheck source=tests/vm/lib.sh
. "$(dirname "$0")/lib.sh"

disk origin 16M
disk meta 1M
disk meta2 1M
disk other 16M
guest "tables that come and go" --disk "$WORK/origin" --disk "$WORK/meta" \
	--disk "$WORK/meta2" --disk "$WORK/other" --timeout 300 \
	"$TOP/tests/vm/guest/tables.sh"

done_testing
