#!/bin/sh
# SPDX-License-Identifier: MIT
#
# system-root.sh - make the systemd guest's image: OUT/{root.img,vmlinuz,
# initrd,release}
#
# Usage: system-root.sh OUT
#
# The caller keys its cache by this file's bytes, so all that goes into the
# image is written here.
set -eu

out=$1
root=$out/root
packages="systemd systemd-sysv udev dmsetup lvm2 xfsprogs e2fsprogs kmod
	iproute2 fdisk busybox-static linux-image-cloud-amd64
	postgresql postgresql-contrib
	libcurl4 libjansson4 libexpat1 libinih1 libpopt0 liburing2
	libdevmapper1.02.1 libblkid1 libssl3"
# What the little initrd loads to find the root disk.
initrd_modules="virtio_pci virtio_blk"

make_root()
{
	# shellcheck disable=SC2086 # a list of words
	mmdebstrap --quiet --variant=minbase \
		--include="$(echo $packages | tr ' ' ',')" bookworm "$root" >&2
	release=$(basename "$root"/lib/modules/*)
	cp "$root/boot/vmlinuz-$release" "$out/vmlinuz"
	echo "$release" >"$out/release"
	rm -rf "$root"/boot/* "$root"/var/lib/apt/lists/* \
		"$root"/var/cache/apt/*.bin "$root"/var/cache/apt/archives/*.deb \
		"$root"/var/lib/postgresql/15 "$root"/etc/postgresql/15
}

# Nothing that costs an emulated processor time for nothing.
quiet_units()
{
	for unit in postgresql.service apt-daily.timer apt-daily-upgrade.timer \
		dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service \
		fstrim.timer lvm2-monitor.service dm-event.socket \
		getty@tty1.service getty-static.service serial-getty@ttyS0.service console-getty.service \
		systemd-hwdb-update.service systemd-journal-catalog-update.service \
		systemd-update-utmp.service systemd-pstore.service \
		systemd-random-seed.service systemd-logind.service \
		ldconfig.service systemd-journal-flush.service \
		systemd-update-utmp-runlevel.service user.slice \
		systemd-user-sessions.service modprobe@drm.service \
		sys-kernel-tracing.mount sys-kernel-debug.mount \
		modprobe@configfs.service modprobe@fuse.service \
		modprobe@efi_pstore.service modprobe@loop.service \
		systemd-binfmt.service dev-hugepages.mount; do
		ln -sf /dev/null "$root/etc/systemd/system/$unit"
	done
	for module in kvm kvm_amd kvm_intel ata_generic ata_piix libata button \
		evdev serio_raw psmouse i2c_piix4 qemu_fw_cfg aesni_intel \
		ghash_clmulni_intel sha512_ssse3 sha256_ssse3 sha1_ssse3 \
		crct10dif_pclmul crc32_pclmul; do
		echo "blacklist $module"
	done >"$root/etc/modprobe.d/vm.conf"
	echo 'Storage=volatile' >>"$root/etc/systemd/journald.conf"
	echo tidemark-guest >"$root/etc/hostname"
	echo '127.0.0.1 localhost tidemark-guest' >"$root/etc/hosts"
	echo '/dev/root / auto rw,noatime 0 0' >"$root/etc/fstab"
	printf '%032d\n' 1 >"$root/etc/machine-id"
}

# The script given to `vm system` arrives as /vm/script, its arguments quoted
# in /vm/args. ttyS1 carries what it prints, ttyS2 its exit status.
guest_side()
{
	mkdir -p "$root/vm"
	cat >"$root/usr/local/bin/vm-guest" <<-'END'
	#!/bin/sh
	for tty in /dev/ttyS1 /dev/ttyS2; do
		stty -F $tty raw -echo 115200
	done
	ip link set lo up
	if ip link show eth0 >/dev/null 2>&1; then
		ip link set eth0 up
		ip addr add 10.0.2.15/24 dev eth0
	fi
	cd /vm
	eval "set -- $(cat /vm/args)"
	./script "$@" >/dev/ttyS1 2>&1 </dev/null
	echo "exit $?" >/dev/ttyS2
	END
	cat >"$root/usr/local/bin/host" <<-'END'
	#!/bin/sh
	# host ARG... - run the host's handler; its output and exit status
	{
		printf '%s\n' "$@"
		echo
	} | busybox nc 10.0.2.101 1 | awk '
		NR > 1 { print last; fflush() }
		{ last = $0 }
		END { exit last ~ /^exit [0-9]+$/ ? substr(last, 6) : 1 }'
	END
	cat >"$root/etc/systemd/system/vm-guest.service" <<-'END'
	[Unit]
	Description=The script of this guest
	After=multi-user.target
	SuccessAction=poweroff
	FailureAction=poweroff
	[Service]
	Type=exec
	Environment=HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
	ExecStart=/usr/local/bin/vm-guest
	KillMode=mixed
	END
	chmod +x "$root/usr/local/bin/vm-guest" "$root/usr/local/bin/host"
	mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
	ln -sf ../vm-guest.service \
		"$root/etc/systemd/system/multi-user.target.wants/vm-guest.service"
	ln -sf /lib/systemd/system/multi-user.target \
		"$root/etc/systemd/system/default.target"
	echo virtio_net >"$root/etc/modules-load.d/vm.conf"
	ln -sf /dev/null "$root/etc/systemd/network/99-default.link"
}

make_initrd()
{
	top=$out/initrd.d
	mkdir -p "$top/bin" "$top/m" "$top/dev" "$top/proc" "$top/sys" \
		"$top/root"
	cp "$root/bin/busybox" "$top/bin/"
	: >"$top/m/order"
	for name in $initrd_modules; do
		chroot "$root" modprobe --set-version "$release" \
			--show-depends "$name" | while read -r verb path _; do
			[ "$verb" = insmod ] || continue
			file=$(basename "$path")
			[ ! -e "$top/m/$file" ] || continue
			cp "$root$path" "$top/m/$file"
			echo "$file" >>"$top/m/order"
		done
	done
	cat >"$top/init" <<-'END'
	#!/bin/busybox sh
	PATH=/bin
	/bin/busybox --install -s /bin
	mount -t proc proc /proc
	mount -t sysfs sys /sys
	mount -t devtmpfs dev /dev
	for m in $(cat /m/order); do
		insmod "/m/$m"
	done
	for b in /sys/block/vd*; do
		[ "$(cat "$b/serial")" != root ] || disk=/dev/${b##*/}
	done
	mount -t ext4 -o noatime "$disk" /root || poweroff -f
	[ ! -d /add ] || cp -a /add/. /root/
	umount /proc /sys
	mount -o move /dev /root/dev
	exec switch_root /root /sbin/init
	END
	chmod +x "$top/init"
	(cd "$top" && find . | "$root/bin/busybox" cpio -o -H newc 2>/dev/null) |
		gzip -1 >"$out/initrd"
}

make_root
quiet_units
guest_side
make_initrd
mke2fs -q -t ext4 -L root -d "$root" -E lazy_itable_init=1,root_owner=0:0 \
	"$out/root.img" 3G >&2
rm -rf "$root" "$out/initrd.d"
