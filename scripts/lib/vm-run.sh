# SPDX-License-Identifier: MIT
#
# vm-run.sh - a script in a small guest
#
#   vm run [--kernel bullseye|bookworm|trixie|sid|debug]
#	[--disk FILE[:OPT,...]]... [--mem MiB] [--smp N] [--timeout SECONDS]
#	[--add HOSTPATH[:GUESTPATH]]... [--forward PORT] [--host HANDLER]
#	[--icount | --parallel] [--fio] [--patch FILE] [--append 'ARGS']
#	SCRIPT [ARG...]
#
# Boots KERNEL (bookworm's) with bookworm's userland in memory, the module of
# this tree as /dm-tidemark.ko, not loaded, the program if it is built, and
# tests/vm/guest/lib.sh as /lib/guest.sh. Runs SCRIPT there as root. What it
# prints comes out here; exits as SCRIPT does, and with
#
#   124	when the time (120 s, four times as much for debug) is over
#   125	when the guest dies, or does not come up
#   99	when SCRIPT is content, but the kernel has reported a mistake
#
# What a kernel reports before its first process runs is nobody's here: it is
# printed, and the guest boots again, three times at most.
#
# --disk	appears as /dev/vda, vdb ... in order. lbs=N is the logical block
#		size; snapshot throws away what is written. Nothing is synced
#		or unmounted at the end. FILE may be nbd://HOST:PORT/EXPORT,
#		without options: a server that sees every flush.
# --add		to /NAME, or GUESTPATH; a file or a directory
# --forward	the guest's 10.0.2.100:10000 is this port of the host's
#		loopback; there is no other network
# --host	`host ARG...` in the guest runs `HANDLER ARG...` here, waits,
#		and returns its output and status. `host poweroff` cuts the
#		guest's power: then the exit status is 0.
# --icount	one processor whose clock counts instructions
# --parallel	emulated processors run at the same time, not in turns; so does
#		TIDEMARK_PARALLEL=1. QEMU does not do all of that rightly: it
#		may go on executing code that the other processor has replaced
# --fio		fio is there too (30 MB)
# --patch	the module is built with this patch: a mistake to be found
# --append	more arguments for the kernel

# What the kernel says when it finds a mistake.
KERNEL_REPORTS='WARNING:|BUG:|BUG at|KASAN|KCSAN|UBSAN|Oops|general protection'
KERNEL_REPORTS="$KERNEL_REPORTS|possible recursive|possible circular|possible"
KERNEL_REPORTS="$KERNEL_REPORTS irq lock|inconsistent lock|suspicious RCU"
KERNEL_REPORTS="$KERNEL_REPORTS|invalid wait context|non-static key"
KERNEL_REPORTS="$KERNEL_REPORTS|blocked for more than|soft lockup|hard LOCKUP"
KERNEL_REPORTS="$KERNEL_REPORTS|detected stalls|self-detected stall"
KERNEL_REPORTS="$KERNEL_REPORTS|corruption|refcount_t|kmemleak:.*suspected"
KERNEL_REPORTS="$KERNEL_REPORTS|Kernel panic|bad: scheduling|lock held"

# The host is slow and shared: what measures time must not cry wolf.
KERNEL_ARGS="console=ttyS0 loglevel=5 panic=-1 oops=panic mitigations=off
random.trust_cpu=on no_timer_check cryptomgr.notests apparmor=0 ipv6.disable=1
log_buf_len=4M watchdog_thresh=60
rcupdate.rcu_cpu_stall_timeout=180 workqueue.watchdog_thresh=120"

# quoted WORD...: for a shell to read again
quoted()
{
	for quoted_word; do
		printf " '%s'" "$(printf %s "$quoted_word" |
			sed "s/'/'\\\\''/g")"
	done
	echo
}

# vm_disk N FILE[:OPTS]: QEMU's words for it, one a line
vm_disk()
{
	disk_file=${2%%:*}
	disk_opts=
	# Flushes go no further than the host's page cache, which outlives
	# QEMU: on the real disk they would only be slow.
	disk_cache=unsafe
	case $2 in
	nbd:*)	disk_file=$2 disk_cache=writeback ;;
	*:*)	disk_opts=${2#*:} ;;
	esac
	[ "$disk_cache" = writeback ] || [ -e "$disk_file" ] ||
		die "no such disk '$disk_file'"
	disk_drive="if=none,id=disk$1,format=raw,discard=unmap"
	disk_drive="$disk_drive,cache=$disk_cache"
	disk_device="virtio-blk-pci,drive=disk$1,serial=disk$1"
	disk_rest=$disk_opts,
	while [ -n "$disk_rest" ]; do
		disk_opt=${disk_rest%%,*}
		disk_rest=${disk_rest#*,}
		case $disk_opt in
		'')	;;
		lbs=*)	disk_opt=${disk_opt#lbs=}
			disk_device="$disk_device,logical_block_size=$disk_opt"
			disk_device="$disk_device,physical_block_size=$disk_opt"
			;;
		snapshot)
			disk_drive="$disk_drive,snapshot=on"
			;;
		*)	die "no such option of a disk '$disk_opt'" ;;
		esac
	done
	printf '%s\n' -drive "file=$disk_file,$disk_drive" \
		-device "$disk_device"
}

# vm_add TREE HOSTPATH[:GUESTPATH]
vm_add()
{
	add_from=${2%%:*}
	case $2 in
	*:*)	add_to=${2#*:} ;;
	*)	add_to=/${add_from##*/} ;;
	esac
	[ -e "$add_from" ] || die "cannot add '$add_from': no such file"
	mkdir -p "$(dirname "$1$add_to")"
	cp -RL "$add_from" "$1$add_to"
}

# vm_serve HANDLER DIR: answers the guest's `host`, which comes on standard
# input, until the guest is gone
vm_serve()
{
	while IFS= read -r serve_line; do
		set -- "$1" "$2"
		for serve_word in $serve_line; do
			set -- "$@" "$(echo "${serve_word#=}" | base64 -d)"
		done
		serve_handler=$1 serve_dir=$2
		(
			shift 2
			if [ "$1" = poweroff ]; then
				: >"$serve_dir/poweroff"
				kill -KILL "$(cat "$serve_dir/pid")"
				exit
			fi
			[ -n "$serve_handler" ] || {
				echo "host: no handler was given"
				exit 127
			}
			exec "$serve_handler" "$@"
		) </dev/null >"$serve_dir/answer" 2>&1 &&
			serve_status=0 || serve_status=$?
		{
			echo "$serve_status" \
				"$(stat -c %s "$serve_dir/answer")"
			cat "$serve_dir/answer"
		} >"$2/host.in"
	done
}

# vm_accel [PARALLEL]: sets ACCEL to QEMU's words
#
# A /dev/kvm that is there need not work: a guest has to answer first.
#
# Emulated processors take turns. At the same time they are no faster here, and
# QEMU has a race between them: a store to code drops what was translated of it
# before the new bytes are there, so that the other processor may translate the
# old ones again and keep that. Linux patches its code as it runs: a breakpoint
# it has long removed was hit, and guests stood still.
vm_accel()
{
	accel_thread=single
	[ -z "${1:-${TIDEMARK_PARALLEL-}}" ] || accel_thread=multi
	ACCEL="-accel tcg,thread=$accel_thread -cpu max"
	[ -w /dev/kvm ] || return 0
	kvm_key=$({ uname -r; qemu-system-x86_64 --version; } | key_of)
	cached "kvm/$kvm_key" kvm_probe || return 0
	if [ -e "$TIDEMARK_CACHE/kvm/$kvm_key/works" ]; then
		ACCEL="-accel kvm -cpu host"
	fi
}

kvm_probe()
{
	initramfs_userland "$INITRAMFS_PROGRAMS" "$INITRAMFS_LIBRARIES"
	mkdir -p "$1/tree" &&
	printf '%s\n' '#!/bin/sh' 'echo a guest answers >/dev/ttyS0' \
		'exec reboot -f' >"$1/tree/init" &&
	chmod +x "$1/tree/init" &&
	initramfs_pack "$1/tree" "$1/init.cpio" &&
	cat "$USERLAND" "$1/init.cpio" >"$1/initrd" || return 1
	timeout -k 1 15 qemu-system-x86_64 -accel kvm -cpu host -m 512 \
		-nodefaults -display none -no-reboot -serial "file:$1/console" \
		-kernel "$KERNEL_IMAGE" -initrd "$1/initrd" \
		-append "console=ttyS0 panic=-1" || echo "KVM does not work"
	if grep -q 'a guest answers' "$1/console"; then
		: >"$1/works"
	fi
	rm -r "$1/tree" "$1/init.cpio" "$1/initrd"
}

# vm_turn: waits until this host has a processor for one more guest
#
# More guests than processors do not end sooner, but more of them too late.
# The turn is over when this process is.
vm_turn()
{
	turn_count=$(($(nproc) + 1)) turn=0 turn_wait=0
	mkdir -p "$TIDEMARK_CACHE/turns"
	# Waiting for one alone would leave another's end unseen.
	while :; do
		exec 7>"$TIDEMARK_CACHE/turns/$turn"
		if flock -w "$turn_wait" 7; then
			return
		fi
		turn=$((turn + 1))
		if [ "$turn" -eq "$turn_count" ]; then
			turn=0 turn_wait=1
		fi
	done
}

# vm_report DIR: prints the kernel's reports, 1 if there are any
vm_report()
{
	cat "$1/dmesg" "$1/console" >"$1/kernel"
	grep -qE "$KERNEL_REPORTS" "$1/kernel" || return 0
	report_from=$1/dmesg
	grep -qE "$KERNEL_REPORTS" "$report_from" || report_from=$1/console
	grep -E -B 2 -A 40 "$KERNEL_REPORTS" "$report_from" | head -n 200 |
		sed 's/^/# kernel: /'
	return 1
}

vm_stop()
{
	[ -z "$vm_pid" ] || kill -TERM "$vm_pid" 2>/dev/null || :
	rm -rf "$vm_dir"
}

vm_run()
{
	vm_kernel=bookworm vm_mem=512 vm_smp=2 vm_timeout=120 vm_handler=
	vm_append= vm_icount= vm_parallel= vm_fio= vm_disks=0 vm_pid= vm_patch=
	vm_dir=$(mktemp -d "${TMPDIR:-/tmp}/tidemark-vm.XXXXXX")
	trap vm_stop EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
	mkdir -p "$vm_dir/tree/etc" "$vm_dir/tree/usr/bin" \
		"$vm_dir/tree/usr/sbin" "$vm_dir/tree/usr/lib"
	: >"$vm_dir/words"
	while [ $# -gt 0 ]; do
		case $1 in
		--icount)
			vm_icount=1
			shift
			continue
			;;
		--parallel)
			vm_parallel=1
			shift
			continue
			;;
		--fio)
			vm_fio=1
			shift
			continue
			;;
		--*)	[ $# -ge 2 ] || die "$1 wants a value" ;;
		*)	break ;;
		esac
		case $1 in
		--kernel)	vm_kernel=$2 ;;
		--mem)		vm_mem=$2 ;;
		--smp)		vm_smp=$2 ;;
		--timeout)	vm_timeout=$2 ;;
		--append)	vm_append=$2 ;;
		--patch)	vm_patch=$(realpath "$2") ;;
		--host)		vm_handler=$(realpath "$2") ;;
		--add)		vm_add "$vm_dir/tree" "$2" ;;
		--disk)
			vm_disk "$vm_disks" "$2" >>"$vm_dir/words"
			vm_disks=$((vm_disks + 1))
			;;
		--forward)
			: >"$vm_dir/tree/etc/vm-forward"
			vm_words="user,id=net0,restrict=on"
			vm_words="$vm_words,guestfwd=tcp:10.0.2.100:10000"
			vm_words="$vm_words-cmd:busybox nc 127.0.0.1 $2"
			printf '%s\n' -netdev "$vm_words" -device \
				virtio-net-pci,netdev=net0,romfile= \
				>>"$vm_dir/words"
			;;
		*)	die "no such option '$1'" ;;
		esac
		shift 2
	done
	[ $# -ge 1 ] || die "which script?"
	vm_script=$1
	shift

	initramfs_userland "$INITRAMFS_PROGRAMS" "$INITRAMFS_LIBRARIES"
	vm_userland=$USERLAND
	if [ -n "$vm_fio" ]; then
		initramfs_userland "$INITRAMFS_FIO" ""
		vm_userland="$vm_userland $USERLAND"
	fi
	module_ensure "$vm_kernel" "$vm_patch"
	initramfs_modules
	vm_add "$vm_dir/tree" "$vm_script:/etc/vm-script"
	vm_add "$vm_dir/tree" "$LIB/guest-init:/init"
	vm_add "$vm_dir/tree" "$LIB/guest-host:/usr/bin/host"
	vm_add "$vm_dir/tree" "$TOP/tests/vm/guest/lib.sh:/usr/lib/guest.sh"
	vm_add "$vm_dir/tree" "$MODULE:/dm-tidemark.ko"
	if [ -e "$TOP/build/tidemark" ]; then
		vm_add "$vm_dir/tree" \
			"$TOP/build/tidemark:/usr/sbin/tidemark"
	fi
	chmod +x "$vm_dir/tree/init" "$vm_dir/tree/usr/bin/host" \
		"$vm_dir/tree/etc/vm-script"
	echo "exec /etc/vm-script$(quoted "$@")" >"$vm_dir/tree/etc/vm-command"
	echo "$KERNEL_REPORTS" >"$vm_dir/tree/etc/vm-reports"
	initramfs_pack "$vm_dir/tree" "$vm_dir/run.cpio"
	# shellcheck disable=SC2086 # one or two files
	cat $vm_userland "$MODULES" "$vm_dir/run.cpio" >"$vm_dir/initrd"

	if [ -n "$vm_icount" ]; then
		vm_smp=1
		ACCEL="-accel tcg,thread=single -icount shift=0,sleep=off -cpu max"
	else
		vm_accel "$vm_parallel"
	fi
	mkfifo "$vm_dir/host.in" "$vm_dir/host.out"
	for vm_port in out dmesg status; do
		printf '%s\n' -chardev "file,id=$vm_port,path=$vm_dir/$vm_port" \
			-device "virtserialport,chardev=$vm_port,name=$vm_port"
	done >"$vm_dir/ports"
	printf '%s\n' -chardev "pipe,id=host,path=$vm_dir/host" \
		-device virtserialport,chardev=host,name=host >>"$vm_dir/ports"
	vm_args=$(sed "s/'/'\\\\''/g; s/.*/'&'/" "$vm_dir/ports" \
		"$vm_dir/words" | tr '\n' ' ')
	eval "set -- $vm_args"
	# What hangs is to end; what KASAN and lockdep slow down is to go on.
	[ "$vm_kernel" != debug ] || vm_timeout=$((4 * vm_timeout))
	vm_turn
	vm_boot "$@"
	# Nothing of ours was loaded, and the disks are as they were.
	for vm_again in 2 3; do
		[ "$(cat "$vm_dir/status")" = boot ] || break
		vm_report "$vm_dir" || echo "# reported while booting: again"
		vm_boot "$@"
	done
	vm_end "$vm_ended" "$vm_script"
}

# vm_boot QEMU-ARG...: runs the guest to its end; sets vm_ended, QEMU's status
vm_boot()
{
	for vm_file in out dmesg status console; do
		: >"$vm_dir/$vm_file"
	done
	# Both ends of the channel, so that opening them waits for nobody.
	exec 8<>"$vm_dir/host.in" 9<>"$vm_dir/host.out" 6<"$vm_dir/host.out"
	# The older machine's ACPI takes half a minute more under KASAN.
	# shellcheck disable=SC2086 # lists of words
	timeout -k 5 "$vm_timeout" qemu-system-x86_64 -machine q35 $ACCEL \
		-smp "$vm_smp" -m "$vm_mem" -nodefaults -no-user-config \
		-display none -no-reboot -pidfile "$vm_dir/pid" \
		-kernel "$KERNEL_IMAGE" -initrd "$vm_dir/initrd" \
		-append "$(echo $KERNEL_ARGS) $vm_append" \
		-serial "file:$vm_dir/console" \
		-device virtio-serial-pci,max_ports=8 "$@" \
		</dev/null >"$vm_dir/qemu" 2>&1 6<&- 7<&- 8<&- 9<&- &
	vm_pid=$!
	(
		exec <&6 6<&- 7<&- 8<&- 9<&-
		vm_serve "$vm_handler" "$vm_dir"
	) &
	vm_server=$!
	exec 6<&-
	tail -c +1 -f -s 0.1 --pid="$vm_pid" "$vm_dir/out" 7<&- 8<&- 9<&- &
	vm_tail=$!
	wait "$vm_pid" && vm_ended=0 || vm_ended=$?
	vm_pid=
	# The server may be about to answer, and would wait for a reader.
	exec 9<&-
	wait "$vm_server" || :
	exec 8<&-
	wait "$vm_tail" || :
}

# vm_end QEMU-STATUS SCRIPT: exits with the status of the run
vm_end()
{
	end_status=$(cat "$vm_dir/status")
	if [ "$end_status" = boot ]; then
		end_status=99 end_why="the kernel always reports a mistake"
	elif [ -n "$end_status" ]; then
		end_why="the script failed"
	elif [ -e "$vm_dir/poweroff" ]; then
		end_status=0
	elif [ "$1" -eq 124 ] || [ "$1" -eq 137 ]; then
		end_status=124 end_why="the time was over"
	else
		end_status=125 end_why="the guest died"
	fi
	if ! vm_report "$vm_dir" && [ "$end_status" -eq 0 ]; then
		end_status=99 end_why="the kernel reported a mistake"
	fi
	[ "$end_status" -ne 0 ] || exit 0

	end_log=$TOP/build/vm/$(basename "$2")-$vm_kernel-$$.log
	mkdir -p "$TOP/build/vm"
	for end_part in qemu console dmesg out; do
		echo "==> $end_part"
		cat "$vm_dir/$end_part"
	done >"$end_log"
	case $end_status in
	124 | 125)
		tail -n 40 "$vm_dir/console" | sed 's/^/# console: /'
		sed 's/^/# qemu: /' "$vm_dir/qemu"
		;;
	esac
	echo "# $end_why (status $end_status), log in $end_log"
	exit "$end_status"
}
