#!/bin/sh
# SPDX-License-Identifier: MIT
#
# One tracked disk in two items. The kernel marks what changed since one cut
# only: whose backup is not the one that made it compares all, also if that cut
# was made while its own run was under way.

# shellcheck source=tests/vm/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/vm/vault-lib.sh
. "$TOP/tests/vm/vault-lib.sh"
# shellcheck source=tests/vm/proxied-lib.sh
. "$TOP/tests/vm/proxied-lib.sh"

disk a 8M
disk b 1M
proxied_guest "two items with one disk" --timeout 800 \
	--disk "$WORK/a" --disk "$WORK/b" \
	--add "$TOP/tests/vm/guest/machines.sh:/usr/lib/machines.sh" \
	"$TOP/tests/vm/guest/twoitems.sh"

done_testing
