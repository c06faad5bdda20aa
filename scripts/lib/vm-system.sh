# SPDX-License-Identifier: MIT
#
# vm-system.sh - a script in a full Debian bookworm guest under systemd
#
#   vm system [--disk FILE[:OPT,...]]... [--mem MiB] [--smp N]
#	[--timeout SECONDS] [--add HOSTPATH[:GUESTPATH]]... [--forward PORT]
#	[--host HANDLER] [--keep FILE] [--log FILE] SCRIPT [ARG...]
#   vm system --image	ensure the cached image; print its directory
#
# Sourced, after vm-run.sh, whose options and exit statuses these are. What
# differs:
#
# - The guest is bookworm's own root (systemd, udev, LVM, PostgreSQL) on a
#   disk of its own, which is thrown away, or with --keep lives in FILE: the
#   next boot with that FILE goes on from there, so that what happens at boot
#   can be tested. It has the module as /dm-tidemark.ko, not loaded, and the
#   program if it is built.
# - SCRIPT runs as root from a unit after multi-user.target; what it prints
#   comes out while it runs. Then the guest is shut down in order.
# - The disks appear also as /dev/disk/by-id/virtio-disk0, -disk1 ...
# - PostgreSQL is not running; /var/lib/postgresql/seed is a cluster with
#   pgbench's tables (scale 2), to be copied.
# - What the kernel and systemd print goes to the --log file, never between
#   SCRIPT's lines.

# system_make DIR: root.img and initrd
system_make()
{
	sh "$LIB/system-root.sh" "$KERNEL_MODULES" "$KERNEL_RELEASE" \
		"$MIRROR" "$1"
}

# system_image: sets SYSTEM to the image's directory
system_image()
{
	kernel_of bookworm
	system_key=$({ echo "$MIRROR $KERNEL_MODULES $KERNEL_RELEASE"
		cat "$LIB/system-root.sh"; } | key_of)
	cached "system/$system_key" system_make || exit 1
	SYSTEM=$TIDEMARK_CACHE/system/$system_key
}

# system_channels DIR FORWARD HANDLER: what runs here for each connection of
# the guest's, by name in DIR
system_channels()
{
	cat >"$1/host" <<-END
	#!/bin/sh
	set --
	while IFS= read -r arg && [ -n "\$arg" ]; do
		set -- "\$@" "\$arg"
	done
	if [ "\$1" = poweroff ]; then
		: >'$1/poweroff'
		kill -KILL "\$(cat '$1/pid')"
		exit
	fi
	$(quoted "${3:-false}") "\$@" 2>&1 </dev/null
	echo "exit \$?"
	END
	cat >"$1/forward" <<-END
	#!/bin/sh
	exec busybox nc 127.0.0.1 $2
	END
	chmod +x "$1/host" "$1/forward"
}

# system_stop: the guest goes when we go
system_stop()
{
	if [ -s "$sys_dir/pid" ]; then
		kill -TERM "$(cat "$sys_dir/pid")" 2>/dev/null || :
	fi
	rm -rf "$sys_dir"
}

# system_tree SCRIPT [ARG...]: completes $sys_dir/tree, which goes over the root
system_tree()
{
	mkdir -p "$sys_dir/tree/add/vm"
	vm_add "$sys_dir/tree/add" "$1:/vm/script"
	chmod +x "$sys_dir/tree/add/vm/script"
	shift
	quoted "$@" >"$sys_dir/tree/add/vm/args"
	module_ensure bookworm
	vm_add "$sys_dir/tree/add" "$MODULE:/dm-tidemark.ko"
	if [ -e "$TOP/build/tidemark" ]; then
		vm_add "$sys_dir/tree/add" \
			"$TOP/build/tidemark:/usr/sbin/tidemark"
	fi
	initramfs_pack "$sys_dir/tree" "$sys_dir/tree.cpio"
	# An archive follows a compressed one only if it is compressed too.
	gzip -1 -c "$sys_dir/tree.cpio" | cat "$SYSTEM/initrd" - \
		>"$sys_dir/initrd"
}

# system_root FILE: prints QEMU's word for the root disk, FILE kept if given
system_root()
{
	root_word="if=none,id=root,format=raw,cache=unsafe"
	if [ -z "$1" ]; then
		echo "file=$SYSTEM/root.img,snapshot=on,$root_word"
		return
	fi
	[ -e "$1" ] || cp --sparse=always "$SYSTEM/root.img" "$1"
	echo "file=$1,$root_word"
}

vm_system()
{
	if [ "${1-}" = --image ]; then
		system_image
		echo "$SYSTEM"
		return
	fi
	sys_mem=1024 sys_smp=2 sys_timeout=300 sys_handler='' sys_keep=''
	sys_forward='' sys_log='' sys_disks=0
	sys_dir=$(mktemp -d "${TMPDIR:-/tmp}/tidemark-vm.XXXXXX")
	trap system_stop EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
	mkdir -p "$sys_dir/tree/add"
	: >"$sys_dir/words"
	while [ $# -ge 2 ]; do
		case $1 in
		--mem)		sys_mem=$2 ;;
		--smp)		sys_smp=$2 ;;
		--timeout)	sys_timeout=$2 ;;
		--keep)		sys_keep=$2 ;;
		--log)		sys_log=$2 ;;
		--forward)	sys_forward=$2 ;;
		--host)		sys_handler=$(realpath "$2") ;;
		--add)		vm_add "$sys_dir/tree/add" "$2" ;;
		--disk)
			vm_disk "$sys_disks" "$2" >>"$sys_dir/words"
			sys_disks=$((sys_disks + 1))
			;;
		--*)		die "no such option '$1'" ;;
		*)		break ;;
		esac
		shift 2
	done
	[ $# -ge 1 ] || die "which script?"

	system_image
	vm_accel
	system_tree "$@"
	system_channels "$sys_dir" "$sys_forward" "$sys_handler"
	sys_net="user,id=net,restrict=on"
	sys_net="$sys_net,guestfwd=tcp:10.0.2.101:1-cmd:$sys_dir/host"
	[ -z "$sys_forward" ] ||
	sys_net="$sys_net,guestfwd=tcp:10.0.2.100:10000-cmd:$sys_dir/forward"
	: "${sys_log:=$sys_dir/log}"
	: >"$sys_dir/status"

	sys_args=$(sed "s/'/'\\\\''/g; s/.*/'&'/" "$sys_dir/words" | tr '\n' ' ')
	eval "set -- $sys_args"
	sys_ended=0
	# The root disk comes last, so that the disks given are vda, vdb ...
	# shellcheck disable=SC2086 # lists of words
	timeout --foreground -k 5 "$sys_timeout" qemu-system-x86_64 -machine q35 $ACCEL \
		-smp "$sys_smp" -m "$sys_mem" -nodefaults -no-user-config \
		-display none -no-reboot -pidfile "$sys_dir/pid" \
		-kernel "$KERNEL_IMAGE" -initrd "$sys_dir/initrd" \
		-append "$KERNEL_ARGS net.ifnames=0 \
systemd.show_status=0 systemd.log_target=kmsg systemd.log_level=warning" \
		-serial "file:$sys_log" -serial stdio \
		-serial "file:$sys_dir/status" -device virtio-rng-pci \
		-netdev "$sys_net" -device virtio-net-pci,netdev=net,romfile= \
		"$@" -drive "$(system_root "$sys_keep")" \
		-device virtio-blk-pci,drive=root,serial=root \
		</dev/null || sys_ended=$?
	rm -f "$sys_dir/pid"
	system_end "$sys_ended"
}

# system_end QEMU-STATUS: exits with the status of the run
system_end()
{
	end_status=$(sed -n 's/^exit \([0-9]*\).*/\1/p' "$sys_dir/status")
	if [ "$1" -eq 124 ] || [ "$1" -eq 137 ] && [ ! -e "$sys_dir/poweroff" ]
	then
		end_status=124
		echo "# the time was over" >&2
	elif [ -e "$sys_dir/poweroff" ]; then
		end_status=0
	elif [ -z "$end_status" ]; then
		end_status=125
		echo "# the guest died" >&2
	fi
	if grep -qaE "$KERNEL_REPORTS" "$sys_log"; then
		echo "# the kernel reported a mistake" >&2
		grep -aE -B 2 -A 40 "$KERNEL_REPORTS" "$sys_log" |
			head -n 200 | sed 's/^/# kernel: /' >&2
		[ "$end_status" -ne 0 ] || end_status=99
	elif [ "$end_status" -ge 124 ]; then
		tail -n 40 "$sys_log" | sed 's/^/# console: /' >&2
	fi
	exit "$end_status"
}
