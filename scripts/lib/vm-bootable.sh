# SPDX-License-Identifier: MIT
#
# vm-bootable.sh - a Debian disk that boots by itself
#
# Sourced. See bootable-root.sh.

# bootable_make DIR: disk.img
bootable_make()
{
	sh "$LIB/bootable-root.sh" "$KERNEL_MODULES" "$KERNEL_RELEASE" \
		"$MIRROR" "$1"
}

# bootable_ensure: sets BOOTABLE to the disk's image
bootable_ensure()
{
	kernel_of bookworm
	bootable_key=$({ echo "$MIRROR $KERNEL_MODULES $KERNEL_RELEASE"
		cat "$LIB/bootable-root.sh"; } | key_of)
	cached "bootable/$bootable_key" bootable_make || exit 1
	# shellcheck disable=SC2034 # for who asked
	BOOTABLE=$TIDEMARK_CACHE/bootable/$bootable_key/disk.img
}
