#!/bin/sh
# SPDX-License-Identifier: MIT
#
# attach and detach: what is refused, what is made, what is there again after
# a reboot.

# shellcheck source=tests/vm/lib.sh
. "$(dirname "$0")/lib.sh"

disk a 64M
disk b 1M
disk c 64M

run()
{
	guest "$1" --disk "$WORK/a" --disk "$WORK/b" --disk "$WORK/c" \
		"$TOP/tests/vm/guest/attach.sh" "$@"
}

run make
run boot

done_testing
