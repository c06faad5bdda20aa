#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The module's whole life in many orders, with I/O running: every valid
# sequence of operations, and walks from a seed. WALKS, STEPS, DEPTH and SEED
# are variables.

# shellcheck source=tests/vm/lib.sh
. "$(dirname "$0")/lib.sh"

if full; then
	: "${WALKS:=500}" "${DEPTH:=4}" "${LIMIT:=7200}"
else
	: "${WALKS:=40}" "${DEPTH:=2}" "${LIMIT:=900}"
fi
: "${STEPS:=30}" "${SEED:=$(date +%s)}"

disk origin $((8 * 1048576 + 3 * 512))
disk meta 1M
disk store 9M

# life TEXT ARG...
life()
{
	life_text=$1
	shift
	guest "$life_text" --disk "$WORK/origin" --disk "$WORK/meta" \
		--disk "$WORK/store" --timeout "$LIMIT" \
		"$TOOLS/walk" /dev/vda /dev/vdb /dev/vdc "$@"
}

life "sequences from nothing" all 4 empty
for start in created prepared shipping; do
	life "sequences from $start" all "$DEPTH" "$start"
done
life "walks" random "$WALKS" "$STEPS" "$SEED"

done_testing
