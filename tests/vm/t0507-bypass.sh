#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Disks that are used while nobody tracks them: attach sees it, says what has
# changed, and believes nothing; a disk that was left alone is believed.

# shellcheck source=tests/vm/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/vm/vault-lib.sh
. "$TOP/tests/vm/vault-lib.sh"

disk a 24M
disk b 64M
disk c 32M
disk d 32M
disk e 20M
disk f 32M

run()
{
	vault_guest "$1" --timeout 400 --disk "$WORK/a" --disk "$WORK/b" \
		--disk "$WORK/c" --disk "$WORK/d" --disk "$WORK/e" \
		--disk "$WORK/f" "$TOP/tests/vm/guest/bypass.sh" "$2"
}

run "detached by hand" hand
run "stopped in order, and used before the next start" start
run "after a crash" crash

done_testing
