#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A backup of a tracked disk that is killed, at any stage in the full form, and one that loses
# its machine to a power cut: what the kernel had frozen is settled, the next
# point is the truth, and what arrives late changes nothing.

# shellcheck source=tests/vm/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/vm/vault-lib.sh
. "$TOP/tests/vm/vault-lib.sh"
# shellcheck source=tests/vm/proxied-lib.sh
. "$TOP/tests/vm/proxied-lib.sh"

disk a 8M
disk b 64M

deaths()
{
	proxied_guest "$1" --timeout 700 --disk "$WORK/a" --disk "$WORK/b" \
		"$TOP/tests/vm/guest/deaths.sh" "$2" "$FORM"
}

deaths "killed at every stage, then a power cut" kill
deaths "after the power cut" after

done_testing
