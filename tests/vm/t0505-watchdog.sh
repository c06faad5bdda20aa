#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Whatever happens in a cut, nothing stays frozen or suspended: the process that
# cuts is killed, is stopped, its hook fails or hangs, a filesystem does not
# freeze. And the next backup is right.

# shellcheck source=tests/vm/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/vm/vault-lib.sh
. "$TOP/tests/vm/vault-lib.sh"

disk a 16M
disk b 16M
vault_guest "watchdog" --timeout 300 --disk "$WORK/a" --disk "$WORK/b" \
	"$TOP/tests/vm/guest/watchdog.sh"

done_testing
