# SPDX-License-Identifier: MIT
#
# guest.sh - TAP for scripts that run in a guest: `. /lib/guest.sh`

tap_count=0
tap_failed=0

# ok TEXT COMMAND...: passes when COMMAND succeeds
ok()
{
	tap_text=$1
	shift
	if "$@"; then
		pass "$tap_text"
	else
		fail "$tap_text" "$* (status $?)"
	fi
}

# is TEXT GOT WANTED
is()
{
	if [ "$2" = "$3" ]; then
		pass "$1"
	else
		fail "$1" "got: $2" "wanted: $3"
	fi
}

pass()
{
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1"
}

# fail TEXT [DIAGNOSTIC...]
fail()
{
	tap_count=$((tap_count + 1))
	tap_failed=$((tap_failed + 1))
	echo "not ok $tap_count - $1"
	shift
	for tap_line; do
		echo "# $tap_line"
	done
}

# skip TEXT WHY
skip()
{
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1 # SKIP $2"
}

# until_status NAME WORDS: waits for them in the status of a mapped device
until_status()
{
	until dmsetup status "$1" >/tmp/status && grep -q -- "$2" /tmp/status; do
		# it is gone: nothing will ever be said
		[ -s /tmp/status ] || exit 1
	done
}

# null_disk NAME MIB BACKED [LATENCY_NS]: a disk of null_blk's, kept in memory if
# BACKED is 1; prints its path
null_disk()
{
	[ -d /sys/module/null_blk ] || modprobe null_blk nr_devices=0
	[ -d /sys/kernel/config/nullb ] ||
		mount -t configfs configfs /sys/kernel/config
	(
		mkdir "/sys/kernel/config/nullb/$1" &&
			cd "/sys/kernel/config/nullb/$1" || exit
		echo "$3" >memory_backed
		echo "$2" >size
		nproc >submit_queues
		echo 0 >irqmode
		if [ $# -gt 3 ]; then
			echo 2 >irqmode
			echo "$4" >completion_nsec
		fi
		echo 1 >power
		# older kernels number them, newer ones give them their name
		if [ -b "/dev/$1" ]; then
			echo "/dev/$1"
		else
			echo "/dev/nullb$(cat index)"
		fi
	)
}

# done_testing: the plan; the last thing a script does
done_testing()
{
	echo "1..$tap_count"
	[ "$tap_failed" -eq 0 ]
	exit
}
