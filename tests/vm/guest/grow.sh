#!/bin/sh
# SPDX-License-Identifier: MIT
#
# grow.sh: a longer table for a tracked device that is in use. The base and the
# bits stay, what was added counts as changed, and META tells the same later.

# shellcheck disable=SC2317 # refused is called through `ok`
# shellcheck source=tests/vm/guest/lib.sh
. /lib/guest.sh
export DM_DISABLE_UDEV=1
insmod /dm-tidemark.ko
small=24616			# 192 chunks and 40 sectors
large=$(blockdev --getsz /dev/vda)
chunks=$((large / 128))
id=0123456789abcdef0123456789abcdef

# changed: what has, as START LEN, in chunks
changed()
{
	dmsetup message t 0 extents current 0 100 | cut -s -d' ' -f2-
}

# word N: of the status, from MODE on
word()
{
	dmsetup status t | cut -d' ' -f$(($1 + 5))
}

# write CHUNK
write()
{
	dd if=/dev/urandom of=/dev/mapper/t bs=64k seek="$1" count=1 \
		oflag=direct status=none
}

cut_and_commit()
{
	dmsetup message t 0 prepare $id
	until_status t ":prepared "
	dmsetup suspend t
	dmsetup message t 0 cut $id
	dmsetup resume t
	until_status t ":shipping "
	dmsetup message t 0 commit $id
	until_status t " $id - "
}

# create META [SECTORS]
create()
{
	dmsetup create t --table "0 ${2:-$small} tidemark /dev/vda $1"
}

# reload META SECTORS
reload()
{
	dmsetup reload t --table "0 $2 tidemark /dev/vda $1"
}

fresh()
{
	dd if=/dev/zero of="$1" bs=4k count=2 oflag=direct status=none
	create "$1"
	cut_and_commit
}

# refused WORDS COMMAND...: fails, and the kernel says why
refused()
{
	refused_words=$1
	shift
	dmesg -C
	"$@" 2>/dev/null && return 1
	dmesg | grep -q "$refused_words" && return
	dmesg
	return 1
}

fresh /dev/vdb
write 7
reload /dev/vdb "$large"
is "nothing changes before the longer table is resumed" "$(changed)" "7 1"
dmsetup suspend t
dmsetup resume t
is "the device has grown" "$(blockdev --getsz /dev/mapper/t)" "$large"
is "what was added counts, and the last chunk that was not whole" "$(changed)" \
	"7 1 192 $((chunks - 192))"
is "it is tracked" "$(word 0)" tracking
is "from the same base" "$(word 2)" $id
is "chunks are counted anew" "$(word 7)" "$chunks"
write 9
dmsetup remove t
create /dev/vdb "$large"
is "META tells the same later" "$(word 2) $(changed)" \
	"$id 7 1 9 1 192 $((chunks - 192))"
cut_and_commit
is "a cut of the larger disk is taken" "$(changed)" ""
write $((chunks - 1))
is "writes to what was added are tracked" "$(changed)" "$((chunks - 1)) 1"

ok "a table that is shorter is refused" \
	refused "Cannot shrink" reload /dev/vdb $small
dmsetup remove t
ok "and so is META of a larger disk" \
	refused "another length" create /dev/vdb
dmsetup remove t 2>/dev/null

# Under load: every chunk written while the device grows is reported.
fresh /dev/vdb
(
	chunk=0
	while [ $chunk -lt 190 ]; do
		write $chunk
		chunk=$((chunk + 2))
	done
) &
reload /dev/vdb "$large"
dmsetup suspend t
dmsetup resume t
wait
is "writes meanwhile are not missed" "$(changed | tr ' ' '\n' | head -n 190 |
	awk 'NR % 2 { first = $1; next } { n += $1 } END { print n, first }')" \
	"95 188"
dmsetup remove t

fresh /dev/vdb
dmsetup message t 0 prepare fedcba9876543210fedcba9876543210
until_status t ":prepared "
ok "it does not grow while there is a cut" \
	refused "has a cut" reload /dev/vdb "$large"
dmsetup message t 0 abort fedcba9876543210fedcba9876543210
until_status t " $id - "
write 3
reload /dev/vdb "$large"
dmsetup message t 0 prepare fedcba9876543210fedcba9876543210
until_status t ":prepared "
dmsetup suspend t
dmsetup message t 0 cut fedcba9876543210fedcba9876543210
dmsetup resume t
is "a cut that came between is given up" \
	"$(word 2) $(word 3) $(word 10) $(changed)" \
	"$id - fedcba9876543210fedcba9876543210 3 1 192 $((chunks - 192))"
dmsetup remove t

# META fails in between: tracking is lost, and the disk goes on.
meta="0 $(blockdev --getsz /dev/vdb)"
dmsetup create m --table "$meta linear /dev/vdb 0"
fresh /dev/mapper/m
write 5
dmsetup suspend m
dmsetup reload m --table "$meta error"
dmsetup resume m
reload /dev/mapper/m "$large"
dmsetup suspend t
dmsetup resume t
is "META fails: the device grows, and tracking is lost" \
	"$(blockdev --getsz /dev/mapper/t) $(word 0)" "$large lost"
write $((chunks - 1))
is "everything counts as changed" "$(changed)" "0 $chunks"
dmsetup suspend m
dmsetup reload m --table "$meta linear /dev/vdb 0"
dmsetup resume m
dmsetup remove t
create /dev/mapper/m "$large"
is "and later, too: there is no base" "$(word 2) $(changed)" "- 0 $chunks"
dmsetup remove t
dmsetup remove m

# A view that was made for the smaller disk has no room for the larger one.
fresh /dev/vdb
dmsetup create v --notable
dmsetup load v --table "0 $small tidemark-snap /dev/mapper/t - full"
reload /dev/vdb "$large"
dmsetup suspend t
dmsetup resume t
ok "a view of the smaller disk is not resumed" \
	refused "has grown since" dmsetup resume v
dmsetup remove v
dmsetup remove t

# In memory.
create -
cut_and_commit
write 11
reload - "$large"
dmsetup suspend t
dmsetup resume t
is "without META it grows as well" "$(word 0) $(word 2) $(changed)" \
	"memory $id 11 1 192 $((chunks - 192))"
dmsetup remove t

# So large that regions have to grow, too.
modprobe null_blk nr_devices=0
mount -t configfs none /sys/kernel/config
mkdir /sys/kernel/config/nullb/n
echo $((16 << 20)) >/sys/kernel/config/nullb/n/size
echo 0 >/sys/kernel/config/nullb/n/memory_backed
echo 1 >/sys/kernel/config/nullb/n/power
null=/dev/nullb$(cat /sys/kernel/config/nullb/n/index)
[ -e "$null" ] || null=/dev/n
huge=$((1 << 31)) larger=$((3 << 31))
dd if=/dev/zero of=/dev/vdc bs=4k count=2 oflag=direct status=none
dmsetup create t --table "0 $huge tidemark $null /dev/vdc"
cut_and_commit
ok "META that is too small for that is refused" \
	refused "too small for the larger" dmsetup reload t \
	--table "0 $((larger * 4)) tidemark $null /dev/vdc"
write 1000
dmsetup reload t --table "0 $larger tidemark $null /dev/vdc"
dmsetup suspend t
dmsetup resume t
is "a disk of 1 TiB grows to 3 TiB" "$(word 0) $(word 2) $(changed)" \
	"tracking $id 1000 1 $((huge / 128)) $(((larger - huge) / 128))"
cut_and_commit
write $((larger / 128 - 1))
is "and is tracked to the end" "$(changed)" "$((larger / 128 - 1)) 1"
dmsetup remove t

rmmod dm_tidemark
done_testing
