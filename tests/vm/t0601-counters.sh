#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What a backup of tracked disks reads and sends after a clean stop, by its own
# counters, by a count of requests on their way, and by the disk's own count.

# shellcheck source=tests/vm/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/vm/vault-lib.sh
. "$TOP/tests/vm/vault-lib.sh"
# shellcheck source=tests/vm/proxied-lib.sh
. "$TOP/tests/vm/proxied-lib.sh"

disk a $((32 * 1048576 + 5 * 512))
disk b 16M
disk c 6M
proxied_guest "what is read and sent" --timeout 800 --disk "$WORK/a" \
	--disk "$WORK/b" --disk "$WORK/c" "$TOP/tests/vm/guest/counters.sh"

done_testing
