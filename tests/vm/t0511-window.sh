#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A cut of 16 disks holds no writer up for more than 40 ms, by a clock that counts
# instructions, however large the disks are and however much has changed.

# shellcheck source=tests/vm/lib.sh
. "$(dirname "$0")/lib.sh"

if [ "$KERNEL" = debug ]; then
	echo "1..0 # SKIP this is a bar for a kernel without KASAN"
	exit
fi

if full; then
	set -- 3
else
	set -- 1 4g-unchanged 4t-changed
fi
guest "the window" --icount --mem 1024 --timeout 900 --add "$TOOLS/window" \
	"$TOP/tests/bench/guest/window.sh" "$@"

# KIND DURING OUTSIDE, then the longest of all
found=$(awk '/^4[gt]-/ {
	n++
	if (!least || $2 < least)
		least = $2
	if ($2 > most)
		most = $2
	if ($3 > outside)
		outside = $3
} END { print n + 0, least + 0, most + 0, outside + 0 }' "$WORK/out")
# within TEXT EXPRESSION: of awk, over n, least, most and outside
within()
{
	echo "$found" | awk "{ n = \$1; least = \$2; most = \$3; outside = \$4
		exit !(n >= 2 && ($2)) }" && within_status=0 ||
		within_status=$?
	result "$within_status" "$1"
}
within "no writer waited longer than 40 ms" "most <= 40"
within "the cut was seen: they waited longer than at other times" \
	"least > outside"
within "size and changes make no difference" "most <= 3 * least"

done_testing
