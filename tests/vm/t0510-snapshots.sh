#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Snapshots made by hand: several disks are cut and looked at while they are
# written, views are listed, mounted and removed, what cannot be done is refused in
# words, and a backup afterwards sends what has changed.

# shellcheck source=tests/vm/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/vm/vault-lib.sh
. "$TOP/tests/vm/vault-lib.sh"

disk a 16M
disk b 16M
disk x 320M
disk store 64M
vault_guest "snapshots" --timeout 300 --disk "$WORK/a" --disk "$WORK/b" \
	--disk "$WORK/x" --disk "$WORK/store" \
	"$TOP/tests/vm/guest/snapshots.sh"

done_testing
