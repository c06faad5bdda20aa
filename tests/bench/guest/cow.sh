#!/bin/sh
# SPDX-License-Identifier: MIT
#
# cow.sh overwrite "ENGINE..." "DEPTH..." ["TARGET..."]: requests a second while
# every write is the first to its block since the cut, of linear (no snapshot),
# persistent and transient (dm-snapshot) and tidemark
# cow.sh outside "ENGINE..." "DEPTH...": writes to what a cut does not ship, the
# first to their blocks, and again
# cow.sh released "ENGINE..." "DEPTH...": writes once all was released
# cow.sh seqread "ENGINE..." "DEPTH...": reads of the snapshot in sequence, with
# nothing overwritten, and with a quarter of the blocks
#
# One line each: "WHAT ENGINE TARGET RATE". Of tidemark's store, too, beside what
# was overwritten: "store_taken RATIO", while the rate was measured, and
# "store_amplification RATIO", from the cut until the pool is empty.
#
# For a boot whose clock counts instructions. Every target has the same origin
# and the same store, of null_blk's; chunks are 64 KiB, dm-snapshot's 4 KiB, as
# LVM makes them; the pool is as large as it is by default.

# shellcheck source=tests/bench/guest/lib.sh
. /lib/bench.sh
set -e

# The disk's blocks: a quarter for a first run, which fills any pool, the others
# for the run that is measured, in which each copy pushes another to the store.
mib=128
sectors=$((mib * 2048))
blocks=$((mib * 256))
chunks=$((mib * 16))
fill=$((blocks / 4))
rest=$((blocks - fill))

# random DEPTH COUNT: rate's arguments for 4 KiB writes
random()
{
	echo "write 4096 4096 $1 $2 random"
}

# track: a disk of which all counts as changed
track()
{
	dd if=/dev/zero of="$meta" bs=8k count=1 oflag=direct status=none
	dmsetup create tidemark --table "0 $sectors tidemark $origin $meta"
}

# look NUMBER: a cut, and a view of what it ships
look()
{
	dmsetup create view --table \
		"0 $sectors tidemark-snap /dev/mapper/tidemark $store delta"
	cut "$1"
}

# snap KIND NAME: dm-snapshot's
snap()
{
	# what is there would be taken for an older snapshot's
	dd if=/dev/zero of="$store" bs=4k count=1 oflag=direct status=none
	dmsetup create "$2" --table "0 $sectors snapshot-origin $origin"
	dmsetup create view --table "0 $sectors snapshot $origin $store $1 8"
}

# up TARGET: new, and a snapshot of all of it
up()
{
	case $1 in
	linear)		dmsetup create linear \
				--table "0 $sectors linear $origin 0" ;;
	persistent)	snap P persistent ;;
	transient)	snap N transient ;;
	tidemark)
		track
		look 1
		;;
	esac
}

down()
{
	[ "$1" = linear ] || dmsetup remove view
	dmsetup remove "$1"
}

# is_view CONDITION: is the view valid, and this true of needed chunks, and of
# blocks in store and pool?
is_view()
{
	dmsetup status view | awk "{ needed = \$6; store = \$8; pool = \$10
		exit !(\$5 == \"valid\" && ($1)) }"
}

# is_kept TARGET NUMBER: has its snapshot NUMBER blocks or more? dm-snapshot
# counts sectors, and its own in them; tidemark what is in the store.
is_kept()
{
	case $1 in
	linear)
		;;
	tidemark)
		is_view "store >= $2"
		;;
	*)
		dmsetup status view | awk -v n="$2" \
			'{ exit !($4 + 0 >= 8 * n) }'
		;;
	esac
}

# drain: until nothing is left in the pool
drain()
{
	until dmsetup status view | awk '{ exit $10 != 0 }'; do
		:
	done
}

# store_ratio KEY SECTORS BLOCKS
store_ratio()
{
	awk -v key="$1" -v given="$2" -v blocks="$3" \
		'BEGIN { printf "%s %.5f\n", key, given / 8 / blocks }'
}

# overwrite_one ENGINE DEPTH TARGET
overwrite_one()
{
	up "$3"
	node=/dev/mapper/$3
	before=$(sectors_written "$store")
	# shellcheck disable=SC2046 # lists of words
	/rate "$1" $(random 32 "$fill") "$node" >/dev/null
	start=$(sectors_written "$store")
	# shellcheck disable=SC2046
	measure "overwrite_depth$2" "$1" "$3" $(random "$2" "$rest") "$node" \
		"$blocks" "$fill"
	end=$(sectors_written "$store")
	if [ "$3" = tidemark ]; then
		store_ratio store_taken $((end - start)) "$rest"
		drain
		end=$(sectors_written "$store")
		store_ratio store_amplification $((end - before)) "$blocks"
	fi
	is_kept "$3" "$blocks"
	down "$3"
}

overwrite()
{
	for engine in $1; do
		for depth in $2; do
			for target in ${3:-linear persistent transient tidemark}; do
				overwrite_one "$engine" "$depth" "$target"
			done
		done
	done
}

# against WHAT ENGINE DEPTH ARG...: 4 KiB writes of both targets
against()
{
	what=${1}_depth$3 engine=$2 depth=$3
	shift 3
	for target in linear tidemark; do
		# shellcheck disable=SC2046
		measure "$what" "$engine" "$target" \
			$(random "$depth" "$blocks") "/dev/mapper/$target" "$@"
	done
}

# Half of the disk is shipped, the other, in which we write, is not.
outside()
{
	up linear
	for engine in $1; do
		for depth in $2; do
			track
			cut 1
			commit 1
			dmsetup message tidemark 0 mark $((chunks / 2)) \
				$((chunks / 2))
			look 2
			against outside "$engine" "$depth" $((blocks / 2))
			against outside_again "$engine" "$depth" $((blocks / 2))
			is_view "needed == $chunks / 2 && !store && !pool"
			down tidemark
		done
	done
	down linear
}

# A quarter was overwritten before.
released()
{
	up linear
	for engine in $1; do
		for depth in $2; do
			up tidemark
			# shellcheck disable=SC2046
			/rate "$engine" $(random 32 "$fill") \
				/dev/mapper/tidemark >/dev/null
			dmsetup message view 0 release 0 "$chunks"
			against released "$engine" "$depth"
			is_view "!needed"
			down tidemark
		done
	done
	down linear
}

# read_both WHAT ENGINE DEPTH: 1 MiB in sequence, the disk twice
read_both()
{
	for target in linear tidemark; do
		case $target in
		linear)		node=/dev/mapper/linear ;;
		tidemark)	node=/dev/mapper/view ;;
		esac
		measure "${1}_depth$3" "$2" "$target" read 1048576 1048576 \
			"$3" $((mib * 2)) ordered "$node"
	done
}

seqread()
{
	up linear
	up tidemark
	for engine in $1; do
		for depth in $2; do
			read_both seqread "$engine" "$depth"
		done
	done
	# shellcheck disable=SC2046
	/rate uring $(random 32 "$fill") /dev/mapper/tidemark >/dev/null
	drain
	for engine in $1; do
		for depth in $2; do
			read_both seqread_overwritten "$engine" "$depth"
		done
	done
	is_kept tidemark "$fill"
	down tidemark
	down linear
}

insmod /dm-tidemark.ko
modprobe dm-snapshot
origin=$(null_disk origin "$mib" 1 100000)
store=$(null_disk store $((mib * 2)) 1 100000)
meta=$(null_disk meta 4 1 100000)
# The disks' pages exist, so that the first to write does not pay.
/rate uring write 1048576 1048576 16 "$mib" ordered "$origin" >/dev/null
/rate uring write 1048576 1048576 16 $((mib * 2)) ordered "$store" >/dev/null
"$@"
