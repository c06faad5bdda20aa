#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Everything at once, in no order: nothing hangs, the kernel has nothing to
# report, and all can be taken down. SECONDS_EACH and SEED are variables.

# shellcheck source=tests/vm/lib.sh
. "$(dirname "$0")/lib.sh"

if full; then
	: "${SECONDS_EACH:=300}"
else
	: "${SECONDS_EACH:=20}"
fi
: "${SEED:=$(date +%s)}"

disk origin $((8 * 1048576 + 3 * 512))
disk meta 1M
disk store 9M
guest "everything at once" --parallel --disk "$WORK/origin" \
	--disk "$WORK/meta" \
	--disk "$WORK/store" --timeout $((SECONDS_EACH + 600)) \
	"$TOOLS/hammer" /dev/vda /dev/vdb /dev/vdc "$SECONDS_EACH" "$SEED"

done_testing
