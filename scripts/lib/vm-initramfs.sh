# SPDX-License-Identifier: MIT
#
# vm-initramfs.sh - what a small guest's memory holds at boot
#
# Sourced. Three archives, one after another: the userland (one for all
# kernels, from the bookworm root), the kernel's modules, and what belongs to
# one run. The first two are cached.

INITRAMFS_INIT=$TOP/scripts/lib/guest-init
INITRAMFS_HOST=$TOP/scripts/lib/guest-host

# The real tools where tests depend on what they do; busybox for the rest.
INITRAMFS_PROGRAMS="sh bash dd cp cat ls stat truncate sha256sum od shuf sort
seq timeout head tail tr wc cut date mktemp sync base64 sleep env tee mkdir rm
cmp diff find grep sed mawk awk xargs
mount umount findmnt lsblk blkid blkdiscard blockdev blkzone fsfreeze losetup
fallocate flock wipefs sfdisk dmesg taskset setsid unshare
mke2fs mkfs.ext4 e2fsck fsck.ext4 tune2fs resize2fs debugfs dumpe2fs
mkfs.xfs xfs_repair xfs_io xfs_db xfs_growfs
dmsetup lvm pvcreate pvs pvremove vgcreate vgchange vgs vgremove lvcreate
lvchange lvs lvremove lvextend pvresize cryptsetup
kmod modprobe insmod rmmod lsmod busybox"

# Larger than all others together, so only for who asks.
INITRAMFS_FIO="fio"

# Loaded at run time, or of the program that is added later.
INITRAMFS_LIBRARIES="libgcc_s.so.1 libcurl.so.4 libcrypto.so.3 libjansson.so.4
libexpat.so.1 libinih.so.1 libpopt.so.0 liburing.so.2 libdevmapper.so.1.02.1
libblkid.so.1"

# Loaded at boot, in this order, where the kernel does not have them built in.
INITRAMFS_AT_BOOT="virtio_pci virtio_console virtio_blk dm-mod libcrc32c
crc32c_generic crc32c-intel"

INITRAMFS_MODULES="$INITRAMFS_AT_BOOT virtio_net virtio_scsi virtio_rng loop
brd null_blk nbd zram scsi_debug sd_mod dm-snapshot dm-flakey dm-delay
dm-log-writes dm-crypt dm-era-target dm-era dm-thin-pool dm-integrity
dm-verity dm-zero dm-mirror dm-raid dm-zoned dm-dust dm-bufio xfs btrfs
configfs algif_skcipher algif_hash xts ecb essiv aesni_intel aes_generic
sha256_generic sha256_ssse3 null_blk nvme kmemleak-test"

# userland_make PROGRAMS LIBRARIES DIR: userland.cpio
userland_make()
{
	mkdir "$3/tree" &&
	root_run "$ROOT" "$3" - sh -ec '
		programs=$1 libraries=$2
		cd /mnt/src/tree
		mkdir -p usr/bin usr/sbin usr/lib usr/lib64 dev proc sys run \
			tmp root mnt etc var/lib
		ln -s usr/bin usr/sbin usr/lib usr/lib64 .
		ln -s ../run var/run

		# A link is taken with what it points to.
		take()
		{
			take_path=$1
			while [ -L "$take_path" ]; do
				take_name=$(realpath "${take_path%/*}")/
				take_name=$take_name${take_path##*/}
				cp -n --parents -d "$take_name" .
				take_next=$(readlink "$take_path")
				case $take_next in
				/*)	take_path=$take_next ;;
				*)	take_path=${take_name%/*}/$take_next ;;
				esac
			done
			cp -n --parents "$(realpath "$take_path")" .
		}
		for name in $programs; do
			path=$(command -v "$name")
			case $path in
			/*)	;;
			*)	path=$(PATH=/usr/bin:/bin which "$name") ;;
			esac
			take "$path"
			echo "$(realpath "$path")"
		done >/mnt/src/files
		for name in $libraries; do
			take "/usr/lib/x86_64-linux-gnu/$name"
			echo "$(realpath "/usr/lib/x86_64-linux-gnu/$name")"
		done >>/mnt/src/files
		sort -u /mnt/src/files | while read -r file; do
			# Scripts and static programs have no libraries.
			ldd "$file" 2>/dev/null || :
		done | sed -n "s/^[^/]*\(\/[^ ]*\) (0x.*/\1/p" | sort -u |
		while read -r file; do
			take "$file"
		done
		cp -a /etc/lvm /etc/mke2fs.conf etc/
		mkdir -p lib/modules
		echo "root:x:0:0:root:/root:/bin/sh" >etc/passwd
		echo "root:x:0:" >etc/group
		echo "127.0.0.1 localhost" >etc/hosts
		ln -s ../proc/mounts etc/mtab
		# What is there already stays, with a complaint.
		[ ! -e usr/bin/busybox ] || chroot . /usr/bin/busybox \
			--install -s 2>/dev/null || :
		rm /mnt/src/files
	' sh "$1" "$2" &&
	initramfs_pack "$3/tree" "$3/userland.cpio" &&
	rm -r "$3/tree"
}

# initramfs_pack TREE FILE
initramfs_pack()
{
	(cd "$1" && find . ! -name . | sort |
		busybox cpio -o -H newc -R 0:0 2>/dev/null) >"$2"
}

# modules_make DIR: modules.cpio of the kernel that kernel_of chose
modules_make()
{
	modules_dir=lib/modules/$KERNEL_RELEASE
	mkdir -p "$1/tree/usr/$modules_dir/kernel" "$1/tree/etc" &&
	echo "$INITRAMFS_AT_BOOT" >"$1/tree/etc/modules-at-boot" &&
	root_run "$ROOT" "$1" "$KERNEL_MODULES" sh -ec '
		release=$1 modules=$2
		cd /mnt/src/tree/usr/lib/modules/$release
		from=/mnt/kernel/lib/modules/$release
		for name in $modules; do
			modprobe -d /mnt/kernel -S "$release" --show-depends \
				"$name" 2>/dev/null || :
		done | sed -n "s/^insmod \([^ ]*\).*/\1/p" | sort -u |
		while read -r file; do
			cp "$file" kernel/
		done
		if ls kernel/*.xz >/dev/null 2>&1; then
			xz -d kernel/*.xz
		fi
		cp "$from"/modules.builtin* "$from/modules.order" .
		depmod -b /mnt/src/tree/usr "$release"
	' sh "$KERNEL_RELEASE" "$INITRAMFS_MODULES" &&
	initramfs_pack "$1/tree" "$1/modules.cpio" &&
	rm -r "$1/tree"
}

# initramfs_userland PROGRAMS LIBRARIES: sets USERLAND to its archive's path
initramfs_userland()
{
	root_ensure bookworm
	userland_key=$({ echo "$ROOT" "$@"
		sed -n '/^userland_make/,/^}/p' "$LIB/vm-initramfs.sh"
		} | key_of)
	cached "userland/$userland_key" userland_make "$@" || exit 1
	USERLAND=$TIDEMARK_CACHE/userland/$userland_key/userland.cpio
}

# initramfs_modules: sets MODULES to the path of the archive of its modules,
# for the kernel that kernel_of chose
initramfs_modules()
{
	modules_key=$({ echo "$KERNEL_MODULES $INITRAMFS_MODULES"
		sed -n '/^modules_make/,/^}/p' "$LIB/vm-initramfs.sh"
		} | key_of)
	cached "modules/$KERNEL_RELEASE-$modules_key" modules_make || exit 1
	MODULES=$TIDEMARK_CACHE/modules/$KERNEL_RELEASE-$modules_key/modules.cpio
}
