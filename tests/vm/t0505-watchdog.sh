#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Whatever happens in a cut, nothing stays frozen or suspended: the process that
# cuts is killed, or stopped, at any step, its hook fails or hangs, a filesystem
# does not freeze. Everything can be written again within the limit, and the next
# backup is right. WATCHDOG_TRIES: how often it is killed or stopped (8; in the
# full form 100).

# shellcheck source=tests/vm/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/vm/vault-lib.sh
. "$TOP/tests/vm/vault-lib.sh"

disk a 16M
disk b 16M
vault_guest "watchdog" --timeout 300 --disk "$WORK/a" --disk "$WORK/b" \
	"$TOP/tests/vm/guest/watchdog.sh"

if full; then
	WATCHDOG_TRIES=${WATCHDOG_TRIES:-100}
else
	WATCHDOG_TRIES=${WATCHDOG_TRIES:-8}
fi
disk a 16M
disk b 16M
disk c 16M
guest "killed and stopped" --timeout $((120 + 15 * WATCHDOG_TRIES)) \
	--disk "$WORK/a" --disk "$WORK/b" --disk "$WORK/c" \
	--add "$TOOLS/window" --add "$TOOLS/strike.so" \
	"$TOP/tests/vm/guest/struck.sh" "$WATCHDOG_TRIES"

done_testing
