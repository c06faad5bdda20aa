#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Restores to disks that are tracked: brought back in place by what tracking
# knows, killed, and losing the machine in the middle, always exact; the backups
# that follow are right. What is restored onto the device beneath is not believed
# to be what it was, whether its tracking is at work or not.

# shellcheck source=tests/vm/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/vm/vault-lib.sh
. "$TOP/tests/vm/vault-lib.sh"
# shellcheck source=tests/vm/proxied-lib.sh
. "$TOP/tests/vm/proxied-lib.sh"

disk a 16M
disk b 64M
disk c 6M

replace()
{
	proxied_guest "$1" --timeout 1500 --disk "$WORK/a" --disk "$WORK/b" \
		--disk "$WORK/c" "$TOP/tests/vm/guest/replace.sh" "$2" "$FORM"
}

replace "in place, killed, then a power cut" before
replace "after the power cut" after

done_testing
