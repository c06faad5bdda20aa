#!/bin/sh
# SPDX-License-Identifier: MIT
#
# bootable-root.sh - make a disk that boots by itself: OUT/disk.img
#
# Usage: bootable-root.sh KERNEL-ROOT RELEASE MIRROR OUT
#
# What a small server's disk is: a table of partitions with a boot loader
# (SYSLINUX) in front of it, a partition that the loader reads the kernel from,
# and Debian bookworm as it comes, with systemd, which asks for a login on the
# first serial port. UEFI finds a unified kernel image on that partition. The
# kernel and its modules are KERNEL-ROOT's. The image's cache is keyed by this
# file's bytes.
set -eu

kernel_root=$1 release=$2 mirror=$3 out=$4
root=$out/root image=$out/disk.img
packages=systemd,systemd-sysv,udev,kmod,e2fsprogs
# What finds the disk, whatever controller it is given.
disk_modules="virtio_pci virtio_blk virtio_scsi sd_mod"
cmdline="console=ttyS0,115200 mitigations=off random.trust_cpu=on"
# MiB: where the partitions begin, and how large they are.
boot_at=1 boot_size=47 root_at=48 root_size=464

# Each after those that it needs.
list_modules()
{
	for name in $disk_modules; do
		chroot "$kernel_root" modprobe --set-version "$release" \
			--show-depends "$name"
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' >"$out/modules"
}

make_root()
{
	for suite in "debian bookworm" "debian bookworm-updates" \
		"debian-security bookworm-security"; do
		echo "deb $mirror/$suite main"
	done | mmdebstrap --mode=root --variant=minbase --include="$packages" \
		--aptopt='APT::Install-Recommends "false"' \
		--aptopt='Acquire::Languages "none"' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		--dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/doc/*' \
		bookworm "$root" -
	rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*
	mkdir -p "$root/lib/modules/$release"
	while read -r path; do
		install -D -m 644 "$kernel_root$path" "$root$path"
	done <"$out/modules"
	chroot "$root" depmod "$release"
	echo recovered >"$root/etc/hostname"
	echo 'LABEL=root / ext4 rw,noatime 0 1' >"$root/etc/fstab"
	printf '%032d\n' 1 >"$root/etc/machine-id"
}

make_initrd()
{
	top=$out/initrd.d
	mkdir -p "$top/bin" "$top/m" "$top/dev" "$top/proc" "$top/sys" \
		"$top/root"
	cp "$kernel_root/bin/busybox" "$top/bin/"
	while read -r path; do
		cp "$kernel_root$path" "$top/m/"
		echo "${path##*/}" >>"$top/m/order"
	done <"$out/modules"
	cat >"$top/init" <<-'EOT'
	#!/bin/busybox sh
	PATH=/bin
	/bin/busybox --install -s /bin
	mount -t proc proc /proc
	mount -t sysfs sys /sys
	mount -t devtmpfs dev /dev
	while read -r m; do
		insmod "/m/$m"
	done </m/order
	until disk=$(findfs LABEL=root); do
		sleep 0.2
	done
	mount -t ext4 "$disk" /root || poweroff -f
	umount /proc /sys
	mount -o move /dev /root/dev
	exec switch_root /root /sbin/init
	EOT
	chmod +x "$top/init"
	(cd "$top" && find . | bin/busybox cpio -o -H newc) | gzip -1 \
		>"$out/initrd"
}

# By systemd's stub: the kernel, what it is told, and its initrd in one program
# for UEFI. Each part where the one before cannot reach.
make_unified()
{
	printf %s "$cmdline" >"$out/cmdline"
	objcopy --add-section .cmdline="$out/cmdline" \
		--change-section-vma .cmdline=0x30000 \
		--add-section .linux="$kernel_root/boot/vmlinuz-$release" \
		--change-section-vma .linux=0x2000000 \
		--add-section .initrd="$out/initrd" \
		--change-section-vma .initrd=0x6000000 \
		/usr/lib/systemd/boot/efi/linuxx64.efi.stub "$out/bootx64.efi"
}

make_disk()
{
	cat >"$out/syslinux.cfg" <<-END
	SERIAL 0 115200
	DEFAULT debian
	LABEL debian
	LINUX vmlinuz
	INITRD initrd
	APPEND $cmdline
	END
	truncate -s $((root_at + root_size))M "$image"
	sfdisk -q "$image" <<-END
	label: dos
	${boot_at}MiB ${boot_size}MiB 0e *
	${root_at}MiB ${root_size}MiB 83
	END
	dd if=/usr/lib/syslinux/mbr/mbr.bin of="$image" conv=notrunc \
		status=none
	boot=$image@@${boot_at}M
	mformat -i "$boot" -T $((boot_size * 2048)) ::
	mcopy -i "$boot" "$kernel_root/boot/vmlinuz-$release" ::vmlinuz
	mcopy -i "$boot" "$out/initrd" "$out/syslinux.cfg" ::
	mmd -i "$boot" ::efi ::efi/boot
	mcopy -i "$boot" "$out/bootx64.efi" ::efi/boot
	syslinux --install --offset $((boot_at << 20)) "$image"
	mke2fs -q -t ext4 -L root -d "$root" \
		-E offset=$((root_at << 20)) "$image" ${root_size}M
}

list_modules
make_root
make_initrd
make_unified
make_disk
rm -rf "${root:?}" "$out/initrd.d" "$out/initrd" "$out/modules" \
	"$out/syslinux.cfg" "$out/cmdline" "$out/bootx64.efi"
