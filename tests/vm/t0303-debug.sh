#!/bin/sh
# SPDX-License-Identifier: MIT
#
# On the kernel that checks memory, locks and undefined behaviour: walks,
# everything at once, and the same while allocations fail. The full list there
# is `make check-debug`. WALKS, SECONDS_EACH and SEED are variables.

# shellcheck source=tests/vm/lib.sh
. "$(dirname "$0")/lib.sh"

if full && [ "$KERNEL" != debug ]; then
	echo "1..0 # SKIP for the debug kernel"
	exit
fi
KERNEL=debug
if full; then
	: "${WALKS:=100}" "${SECONDS_EACH:=120}"
else
	: "${WALKS:=10}" "${SECONDS_EACH:=15}"
fi
: "${SEED:=$(date +%s)}"

disk origin $((8 * 1048576 + 3 * 512))
disk meta 1M
disk store 9M
guest "walks and everything at once" --disk "$WORK/origin" \
	--disk "$WORK/meta" --disk "$WORK/store" --mem 1024 --timeout 3000 \
	--add "$TOOLS/walk" --add "$TOOLS/hammer" \
	"$TOP/tests/vm/guest/debug.sh" "$WALKS" "$SECONDS_EACH" "$SEED"

done_testing
