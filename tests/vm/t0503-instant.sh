#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Disks are cut at one instant: a writer completes write n on one disk before it
# starts n + 1 on the next, and neither a recovery point of two disks nor the views
# of 16 show n + 1 without n; some of the 16 carry filesystems, with dm-crypt or LVM
# between. CUTS says how often the 16 are cut (6; in the full form 500), POINTS how
# many points are made (4; 100).

# shellcheck source=tests/vm/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/vm/vault-lib.sh
. "$TOP/tests/vm/vault-lib.sh"

if full; then
	CUTS=${CUTS:-500} POINTS=${POINTS:-100}
else
	CUTS=${CUTS:-6} POINTS=${POINTS:-4}
fi

disk a 4M
disk b 4M
vault_guest "one instant" --timeout $((120 + 20 * POINTS)) \
	--disk "$WORK/a" --disk "$WORK/b" --add "$TOOLS/chain" \
	"$TOP/tests/vm/guest/instant.sh" "$POINTS"

guest "one instant of 16" --mem 1024 --timeout $((300 + 20 * CUTS)) \
	--add "$TOOLS/chain" "$TOP/tests/vm/guest/chain.sh" "$CUTS"

done_testing
