#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A recovery point mounted on the machine that was backed up, while its own
# disks are in use: plain partitions, LVM, md across two disks, LUKS; ext4, XFS,
# btrfs; files as they were, and nothing left behind.

# shellcheck source=tests/vm/lib.sh
. "$(dirname "$0")/lib.sh"

# The systemd guest has no other.
if [ "$KERNEL" != bookworm ]; then
	echo "1..0 # SKIP it has bookworm's kernel"
	exit
fi
# shellcheck source=tests/vm/vault-lib.sh
. "$TOP/tests/vm/vault-lib.sh"

disk a 512M
disk b 448M
disk c 320M
system_guest "a machine and its points" --timeout 840 --smp 1 \
	--forward "$AZURITE_PORT" \
	--host "$TOP/tests/vm/host-blobs.sh" \
	--disk "$WORK/a" --disk "$WORK/b" --disk "$WORK/c" \
	--add "$WORK/vault.env:/etc/vault" \
	--add "$TOP/tests/vm/guest/vault.sh:/vm/vault.sh" \
	--add "$TOP/tests/vm/guest/lib.sh:/vm/guest.sh" \
	--add "$TOP/build/nbdkit-tidemark-plugin.so:/usr/sbin/nbdkit-tidemark-plugin.so" \
	"$TOP/tests/vm/guest/mount.sh"

done_testing
