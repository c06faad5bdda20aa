#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Tracked disks in a running guest, cut at one instant under load, backed up
# into a vault on the host, restored there, and compared with copies made from
# outside while the guest stood still in the cut.

# shellcheck source=tests/vm/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/vm/vault-lib.sh
. "$TOP/tests/vm/vault-lib.sh"

disk a $((24 * 1048576 + 5 * 512))
disk b 24M
disk c 40M
vault_guest "backups" --timeout 300 --disk "$WORK/a" --disk "$WORK/b" --disk "$WORK/c" \
	--add "$TOOLS/churn" "$TOP/tests/vm/guest/backup.sh"

done_testing
