#!/bin/sh
# SPDX-License-Identifier: MIT
#
# vm-system.sh - a full Debian bookworm guest under systemd
#
# Run by `scripts/vm system ARG...`, with the arguments after the verb.
#
#   scripts/vm system [--disk FILE[:OPTS]]... [--mem MiB] [--smp N]
#	[--timeout S] [--add HOSTPATH[:GUESTPATH]]... [--forward PORT]
#	[--host HANDLER] [--keep FILE] [--log FILE] SCRIPT [ARG...]
#   scripts/vm system --image		ensure the cached image, print its path
#
# The contract is that of `scripts/vm run`; what differs:
#
# - The guest is bookworm's own root (systemd, udev, LVM, PostgreSQL) on a
#   disk of its own, thrown away at the end, or kept in FILE with --keep: the
#   next boot with the same FILE goes on from there, so that what happens at
#   boot can be tested. A guest is always shut down in order.
# - SCRIPT runs as root from a unit ordered after multi-user.target.
# - The disks given appear as /dev/vda, vdb ... in order, and as
#   /dev/disk/by-id/virtio-disk0, -disk1 ...
# - What the kernel and systemd print goes to the --log file (by default a
#   temporary one, printed when the guest fails), never between SCRIPT's lines.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=${TIDEMARK_CACHE:-/var/cache/tidemark}

die()
{
	echo "vm system: $*" >&2
	exit 2
}

# Prints the image's directory; makes it when it is not there.
image()
{
	key=$(sha256sum "$here/system-root.sh" | cut -c1-16)
	dir=$cache/system-$key
	mkdir -p "$cache"
	(
		flock 9
		[ ! -d "$dir" ] || exit 0
		echo "vm system: making the guest's image (about 2 minutes)" >&2
		rm -rf "$dir.new"
		mkdir "$dir.new"
		sh "$here/system-root.sh" "$dir.new" || exit
		mv "$dir.new" "$dir"
	) 9>"$cache/system-$key.lock" || die "cannot make the guest's image"
	echo "$dir"
}

# quote ARG... - one line that `eval set --` takes apart again
quote()
{
	for arg in "$@"; do
		printf "'%s' " "$(printf %s "$arg" | sed "s/'/'\\\\''/g")"
	done
}

# What runs here for each connection of the guest's `host`.
host_side()
{
	cat >"$work/host" <<-END
	#!/bin/sh
	set --
	while IFS= read -r arg && [ -n "\$arg" ]; do
		set -- "\$@" "\$arg"
	done
	if [ "\$1" = poweroff ]; then
		kill -KILL "\$(cat '$work/qemu.pid')"
		exit
	fi
	cd '$PWD' || exit
	$(quote "$handler") "\$@" 2>&1 </dev/null
	echo "exit \$?"
	END
	cat >"$work/forward" <<-END
	#!/bin/sh
	exec busybox nc 127.0.0.1 $forward
	END
	chmod +x "$work/host" "$work/forward"
}

# add HOSTPATH[:GUESTPATH]
add()
{
	from=${1%%:*}
	to=${1#"$from"}
	to=${to#:}
	to=$work/add${to:-/vm/$(basename "$from")}
	mkdir -p "$(dirname "$to")"
	cp -a "$from" "$to"
}

# disk FILE[:OPT,...] - appends to the emulator's arguments
disk()
{
	file=${1%%:*}
	opts=${1#"$file"}
	drive="file=$(printf %s "$file" | sed 's/,/,,/g'),format=raw,if=none"
	drive="$drive,id=disk$disks,cache=unsafe,discard=unmap"
	device="virtio-blk-pci,drive=disk$disks,serial=disk$disks"
	for opt in $(echo "${opts#:}" | tr , ' '); do
		case $opt in
		lbs=*)
			device="$device,logical_block_size=${opt#lbs=}"
			device="$device,physical_block_size=${opt#lbs=}"
			;;
		snapshot) drive="$drive,snapshot=on" ;;
		*) die "unknown disk option '$opt'" ;;
		esac
	done
	disks=$((disks + 1))
	args="$args -drive $(quote "$drive") -device $(quote "$device")"
}

cleanup()
{
	[ ! -s "$work/qemu.pid" ] ||
		kill "$(cat "$work/qemu.pid")" 2>/dev/null || :
	rm -rf "$work"
}

[ "${1-}" != --image ] || { image; exit; }

work=$(mktemp -d "${TMPDIR:-/tmp}/vm-system.XXXXXX")
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
disks=0 args='' mem=1024 smp=2 timeout=300 forward='' handler='' keep='' log=''
while [ $# -gt 0 ]; do
	case $1 in
	--disk) disk "$2" ;;
	--mem) mem=$2 ;;
	--smp) smp=$2 ;;
	--timeout) timeout=$2 ;;
	--add) add "$2" ;;
	--forward) forward=$2 ;;
	--host) handler=$2 ;;
	--keep) keep=$2 ;;
	--log) log=$2 ;;
	-*) die "unknown option '$1'" ;;
	*) break ;;
	esac
	shift 2
done
[ $# -gt 0 ] || die "no script given"
dir=$(image)
log=${log:-$work/log}

mkdir -p "$work/add/vm"
cp "$1" "$work/add/vm/script"
chmod +x "$work/add/vm/script"
shift
quote "$@" >"$work/add/vm/args"
mkdir "$work/cpio"
mv "$work/add" "$work/cpio/add"
cp "$dir/initrd" "$work/initrd"
(cd "$work/cpio" && find . | busybox cpio -o -H newc 2>/dev/null) |
	gzip -1 >>"$work/initrd"

host_side
net="user,id=net,restrict=on,guestfwd=tcp:10.0.2.101:1-cmd:$work/host"
[ -z "$forward" ] ||
	net="$net,guestfwd=tcp:10.0.2.100:10000-cmd:$work/forward"
root="file=$dir/root.img,format=raw,if=none,id=root,cache=unsafe,snapshot=on"
if [ -n "$keep" ]; then
	[ -e "$keep" ] || cp --sparse=always --reflink=auto "$dir/root.img" "$keep"
	root="file=$keep,format=raw,if=none,id=root,cache=unsafe"
fi

eval "set -- $args"
status=0
timeout --foreground -k 5 "$timeout" \
qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp "$smp" -m "$mem" \
	-display none -nodefaults -no-user-config -no-reboot \
	-pidfile "$work/qemu.pid" \
	-serial "file:$log" -serial stdio -serial "file:$work/status" \
	-kernel "$dir/vmlinuz" -initrd "$work/initrd" \
	-append "console=ttyS0 loglevel=5 panic=-1 mitigations=off net.ifnames=0 \
systemd.show_status=0 systemd.log_target=kmsg systemd.log_level=warning" \
	-netdev "$net" -device virtio-net-pci,netdev=net,romfile= \
	-device virtio-rng-pci "$@" \
	-drive "$root" -device virtio-blk-pci,drive=root,serial=root \
	</dev/null || status=$?
rm -f "$work/qemu.pid"

[ "$status" -ne 124 ] || echo "vm system: stopped after $timeout s" >&2
if [ "$status" -eq 0 ]; then
	status=$(sed -n 's/^exit \([0-9]*\).*/\1/p' "$work/status")
	status=${status:-1}
fi
if grep -aE 'WARNING:|BUG:|KASAN|possible .*lock|Oops|Call Trace|hung task|blocked for more than' "$log" >&2; then
	echo "vm system: the kernel complained" >&2
	[ "$status" -ne 0 ] || status=1
	cat "$log" >&2
elif [ "$status" -ne 0 ]; then
	tail -n 40 "$log" >&2
fi
exit "$status"
