#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Two disks are cut at one instant: a writer completes write n on one disk
# before it starts n + 1 on the other, and no recovery point shows n + 1
# without n. CUTS says how often (10; in the full form 200).

# shellcheck source=tests/vm/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/vm/vault-lib.sh
. "$TOP/tests/vm/vault-lib.sh"

if full; then
	CUTS=${CUTS:-200}
else
	CUTS=${CUTS:-10}
fi

disk a 4M
disk b 4M
vault_guest "one instant" --timeout $((120 + 20 * CUTS)) \
	--disk "$WORK/a" --disk "$WORK/b" --add "$TOOLS/pairs" \
	"$TOP/tests/vm/guest/instant.sh" "$CUTS"

done_testing
