#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Incremental backups of ext4 and XFS that go on while the disk changes: random
# writes, overwrites, discards, file operations, new filesystems; every point
# is compared with a copy made from outside. STEPS of them (5; in the full form
# 25, on 512 MiB each), from SEED.

# shellcheck source=tests/vm/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/vm/vault-lib.sh
. "$TOP/tests/vm/vault-lib.sh"

if full; then
	STEPS=${STEPS:-25}
else
	STEPS=${STEPS:-5}
fi
SEED=${SEED:-$(od -An -N3 -tu4 /dev/urandom | tr -d ' ')}
echo "# SEED=$SEED"

# steps FILESYSTEM SIZE
steps()
{
	disk vda "$2"
	disk vdb 204M
	ITEM=$1
	export ITEM
	vault_guest "$1, $STEPS steps" --timeout $((300 + 60 * STEPS)) \
		--disk "$WORK/vda" --disk "$WORK/vdb" --add "$TOOLS/churn" \
		"$TOP/tests/vm/guest/steps.sh" "$1" "$STEPS" "$SEED"
}

# The least that mkfs.xfs makes is 300 MB.
if full; then
	steps ext4 512M
	steps xfs 512M
else
	steps ext4 64M
	steps xfs 304M
fi

done_testing
