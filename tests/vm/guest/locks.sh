#!/bin/sh
# SPDX-License-Identifier: MIT
#
# locks.sh - what a write calls on its way through map(), as the kernel's
# function tracer sees it: of dm-linear, and of a tracked disk, warm and cold

# shellcheck source=tests/vm/guest/lib.sh
. /lib/guest.sh
set -e

tracing=/sys/kernel/debug/tracing

# called ROOT OURS COMMAND...: what ROOT, and the functions that the trace shows
# with OURS, call themselves in one write of four at least while COMMAND runs, a
# name a line. What interrupts call in between is rarer.
called()
{
	called_root=$1 called_ours=$2
	shift 2
	echo "$called_root" >$tracing/set_ftrace_filter
	# All functions there are would be too many for a guest to wait for.
	for called_name in '*lock*' '*mutex*' '*sem*' 'down_*' '*alloc*' \
		'*queue*' '*wake*' '*schedule*' 'bio_*' 'submit_*' '*work*' \
		':mod:dm_tidemark'; do
		echo "$called_name" >>$tracing/set_ftrace_filter
	done
	echo "$called_root" >$tracing/set_graph_function
	echo function_graph >$tracing/current_tracer
	"$@" >/dev/null
	cat $tracing/trace >/root/trace
	echo nop >$tracing/current_tracer
	awk -v root="$called_root" -v ours="$called_ours" '
		# "CPU)  duration |  name [module]() {", two spaces a level
		/\|/ && !/}/ && !/\/\*/ {
			text = substr($0, index($0, "|") + 1)
			match(text, /^ */)
			level = RLENGTH / 2
			name = substr(text, RLENGTH + 1)
			sub(/[ (].*/, "", name)
			roots += name == root
			is_ours[$1, level] = index(text, ours)
			if (level > 1 && is_ours[$1, level - 1] &&
			    !is_ours[$1, level])
				calls[name]++
		}
		END {
			for (name in calls)
				if (calls[name] * 4 >= roots)
					print name
			exit !roots
		}
	' /root/trace
}

# writes DEVICE: one to each chunk
# shellcheck disable=SC2317 # called calls it
writes()
{
	/rate uring write 4096 65536 16 1024 random "$1"
}

origin=$(null_disk origin 64 1)
meta=$(null_disk meta 4 1)
insmod /dm-tidemark.ko
dmsetup create linear --table "0 131072 linear $origin 0"
dmsetup create tracked --table "0 131072 tidemark $origin $meta 2 \
	region_sectors 128"

echo 4096 >$tracing/buffer_size_kb
called linear_map linear_map writes /dev/mapper/linear >/root/linear
# A new set: every chunk is marked.
called origin_map '[dm_tidemark]' writes /dev/mapper/tracked >/root/warm
sed 's/^/# of dm-linear: /' /root/linear
sed 's/^/# of a marked chunk: /' /root/warm
ok "a write to marked chunks calls only what dm-linear calls" \
	test -z "$(grep -vxFf /root/linear /root/warm)"

# Nothing is marked, and no region is open: each has one chunk.
dmsetup message tracked 0 prepare 0123456789abcdef0123456789abcdef
until_status tracked ':prepared '
dmsetup suspend tracked
dmsetup message tracked 0 cut 0123456789abcdef0123456789abcdef
dmsetup resume tracked
called origin_map '[dm_tidemark]' writes /dev/mapper/tracked >/root/cold
sed 's/^/# of a closed region: /' /root/cold
ok "the first write to a closed region is seen to take a lock" \
	grep -q raw_spin_lock /root/cold

dmsetup remove tracked
dmsetup remove linear
ok "the module can be unloaded" rmmod dm_tidemark
done_testing
