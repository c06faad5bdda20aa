#!/bin/sh
# SPDX-License-Identifier: MIT
#
# On the kernel that checks memory, locks and undefined behaviour: walks,
# everything at once, and the same while allocations and requests fail, when no
# change is missed that the status does not own up to; and that no memory leaks.
# The full list there is `make check-debug`. WALKS, LEAK_WALKS, SECONDS_EACH and
# SEED are variables.

# shellcheck source=tests/vm/lib.sh
. "$(dirname "$0")/lib.sh"

if full && [ "$KERNEL" != debug ]; then
	echo "1..0 # SKIP for the debug kernel"
	exit
fi
KERNEL=debug
if full; then
	: "${WALKS:=500}" "${LEAK_WALKS:=50}" "${SECONDS_EACH:=120}"
else
	: "${WALKS:=10}" "${LEAK_WALKS:=3}" "${SECONDS_EACH:=15}"
fi
: "${SEED:=$(date +%s)}" "${LIMIT:=5400}"

disk origin $((8 * 1048576 + 3 * 512))
disk meta 1M
disk store 9M

# debug TEXT ARG... SCRIPT WALKS: a guest with that script
debug()
{
	debug_text=$1
	shift
	guest "$debug_text" --disk "$WORK/origin" --disk "$WORK/meta" \
		--disk "$WORK/store" --mem 1024 --timeout "$LIMIT" \
		--add "$TOOLS/walk" --add "$TOOLS/hammer" \
		--add "$TOOLS/faults" \
		"$@" "$SECONDS_EACH" "$SEED"
}

debug "walks and everything at once" "$TOP/tests/vm/guest/debug.sh" "$WALKS"
debug "leaks" --append kmemleak=on "$TOP/tests/vm/guest/leaks.sh" "$LEAK_WALKS"

done_testing
