#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Two recovery points mounted at once on the machine that they are of, and the
# files that differ: ext4, XFS on LVM, btrfs; what did not change is not looked
# at, and nothing is left behind.

# shellcheck source=tests/vm/lib.sh
. "$(dirname "$0")/lib.sh"

# The systemd guest has no other.
if [ "$KERNEL" != bookworm ]; then
	echo "1..0 # SKIP it has bookworm's kernel"
	exit
fi
# shellcheck source=tests/vm/vault-lib.sh
. "$TOP/tests/vm/vault-lib.sh"

disk a 544M
system_guest "a machine and two of its points" --timeout 600 --smp 1 \
	--forward "$AZURITE_PORT" \
	--host "$TOP/tests/vm/host-blobs.sh" --disk "$WORK/a" \
	--add "$WORK/vault.env:/etc/vault" \
	--add "$TOP/tests/vm/guest/vault.sh:/vm/vault.sh" \
	--add "$TOP/tests/vm/guest/lib.sh:/vm/guest.sh" \
	--add "$TOP/build/nbdkit-tidemark-plugin.so:/usr/sbin/nbdkit-tidemark-plugin.so" \
	"$TOP/tests/vm/guest/difffiles.sh"

done_testing
