#!/bin/sh
# SPDX-License-Identifier: MIT
#
# system-root.sh - make the systemd guest's image: OUT/{root.img,initrd}
#
# Usage: system-root.sh KERNEL-ROOT RELEASE MIRROR OUT
#
# The modules come from KERNEL-ROOT/lib/modules/RELEASE. The image's cache is
# keyed by this file's bytes, so all else that goes into it is written here.
set -eu

kernel_root=$1 release=$2 mirror=$3 out=$4
root=$out/root
packages="systemd systemd-sysv udev dmsetup lvm2 xfsprogs e2fsprogs kmod
	iproute2 fdisk jq busybox-static zstd postgresql postgresql-contrib
	libcurl4 libjansson4 libexpat1 libinih1 libpopt0 liburing2
	libdevmapper1.02.1 libblkid1 libssl3
	nbdkit nbd-client mdadm cryptsetup-bin btrfs-progs acl attr"
# What the little initrd loads to find the root disk.
initrd_modules="virtio_pci virtio_blk"

make_root()
{
	for suite in "debian bookworm" "debian bookworm-updates" \
		"debian-security bookworm-security"; do
		echo "deb $mirror/$suite main"
	done | mmdebstrap --mode=root --variant=minbase \
		--include="$(echo "$packages" | tr -s '\n\t ' ,)" \
		--aptopt='APT::Install-Recommends "false"' \
		--aptopt='Acquire::Languages "none"' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		bookworm "$root" -
	mkdir -p "$root/lib/modules"
	cp -a "$kernel_root/lib/modules/$release" "$root/lib/modules/"
	rm -rf "$root/lib/modules/$release/build" \
		"$root/lib/modules/$release/source" \
		"$root"/var/lib/apt/lists/* "$root"/var/cache/apt/* \
		"$root/var/lib/postgresql/15" "$root/etc/postgresql/15"
}

# A cluster with pgbench's tables, to be copied to where a guest wants it:
# making one takes an emulated processor a minute.
make_cluster()
{
	# shellcheck disable=SC2016 # expanded by the inner shell
	chroot "$root" setpriv --reuid postgres --regid postgres \
		--clear-groups env -i HOME=/var/lib/postgresql \
		PATH=/usr/lib/postgresql/15/bin:/usr/bin:/bin sh -ec '
		seed=/var/lib/postgresql/seed
		cd /tmp
		initdb -D $seed --no-locale --encoding=UTF8 --auth=trust \
			--data-checksums --wal-segsize=4 --no-sync --no-instructions
		cat >>$seed/postgresql.conf <<-END
		listen_addresses = '\'\''
		unix_socket_directories = '\''/tmp'\''
		dynamic_shared_memory_type = mmap
		shared_buffers = 64MB
		min_wal_size = 12MB
		max_wal_size = 24MB
		jit = off
		END
		pg_ctl -s -w -D $seed -l /tmp/seed.log start
		pgbench -q -i -s 2 -h /tmp postgres
		psql -q -h /tmp postgres -c "CREATE EXTENSION amcheck"
		pg_ctl -s -w -D $seed stop
		rm /tmp/seed.log'
}

# Nothing that costs an emulated processor time for nothing.
quiet()
{
	for unit in postgresql.service apt-daily.timer apt-daily-upgrade.timer \
		dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service \
		fstrim.timer lvm2-monitor.service dm-event.socket \
		mdcheck_start.timer mdcheck_continue.timer \
		mdmonitor-oneshot.timer nbd-client.service \
		getty@tty1.service getty-static.service \
		serial-getty@ttyS0.service console-getty.service \
		systemd-hwdb-update.service systemd-journal-catalog-update.service \
		systemd-update-utmp.service systemd-update-utmp-runlevel.service \
		systemd-pstore.service systemd-random-seed.service \
		systemd-logind.service ldconfig.service user.slice \
		systemd-journal-flush.service systemd-user-sessions.service \
		systemd-binfmt.service modprobe@drm.service \
		modprobe@configfs.service modprobe@fuse.service \
		modprobe@efi_pstore.service modprobe@loop.service \
		sys-kernel-tracing.mount sys-kernel-debug.mount \
		dev-hugepages.mount; do
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
	cat >"$root/usr/local/bin/vm-guest" <<-'EOT'
	#!/bin/sh
	for tty in /dev/ttyS1 /dev/ttyS2; do
		stty -F "$tty" raw -echo 115200
	done
	ip link set lo up
	ip link set eth0 up
	ip addr add 10.0.2.15/24 dev eth0
	cd /root || exit
	eval "set -- $(cat /vm/args)"
	/vm/script "$@" >/dev/ttyS1 2>&1 </dev/null
	status=$?
	echo "exit $status" >/dev/ttyS2
	# What a failed script leaves behind may keep an orderly shutdown waiting.
	[ "$status" -eq 0 ] || echo o >/proc/sysrq-trigger
	EOT
	cat >"$root/usr/local/bin/host" <<-'EOT'
	#!/bin/sh
	# host ARG... - run the handler on the host with these arguments, print
	# what it prints, exit as it exits
	{
		printf '%s\n' "$@"
		echo
	} | busybox nc 10.0.2.101 1 | awk '
		NR > 1 { print last; fflush() }
		{ last = $0 }
		END { exit last ~ /^exit [0-9]+$/ ? substr(last, 6) : 1 }'
	EOT
	cat >"$root/etc/systemd/system/vm-guest.service" <<-'EOT'
	[Unit]
	Description=The script of this guest
	After=multi-user.target
	SuccessAction=poweroff
	FailureAction=poweroff
	[Service]
	Type=exec
	Environment=HOME=/root LC_ALL=C
	Environment=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
	ExecStart=/usr/local/bin/vm-guest
	EOT
	chmod +x "$root/usr/local/bin/vm-guest" "$root/usr/local/bin/host"
	mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
	ln -sf ../vm-guest.service \
		"$root/etc/systemd/system/multi-user.target.wants/vm-guest.service"
	ln -sf /lib/systemd/system/multi-user.target \
		"$root/etc/systemd/system/default.target"
	echo virtio_net >"$root/etc/modules-load.d/vm.conf"
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
	cat >"$top/init" <<-'EOT'
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
	cp -a /add/. /root/
	umount /proc /sys
	mount -o move /dev /root/dev
	exec switch_root /root /sbin/init
	EOT
	chmod +x "$top/init"
	(cd "$top" && find . | "$root/bin/busybox" cpio -o -H newc) |
		gzip -1 >"$out/initrd"
}

make_root
make_cluster
quiet
guest_side
make_initrd
mke2fs -q -t ext4 -L root -d "$root" "$out/root.img" 3G
rm -rf "${root:?}" "$out/initrd.d"
