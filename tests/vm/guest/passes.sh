#!/bin/sh
# SPDX-License-Identifier: MIT
#
# passes.sh: what a disk can do beyond reading and writing, its tracked device
# can do too: protection information, atomic writes. Zones it refuses.

# shellcheck disable=SC2317 # refused is called through `ok`
# shellcheck source=tests/vm/guest/lib.sh
. /lib/guest.sh
set -e
export DM_DISABLE_UDEV=1

# node_of NAME: dm-N
node_of()
{
	node=$(readlink -f "/sys/dev/block/$(dmsetup info -c --noheadings \
		--separator : -o major,minor "$1")")
	echo "${node##*/}"
}

# changed: what has, as START LEN, in chunks
changed()
{
	dmsetup message t 0 extents current 0 100 | cut -s -d' ' -f2-
}

# of DEVICE ATTRIBUTE: what sysfs says
of()
{
	cat "/sys/block/$1/$2"
}

insmod /dm-tidemark.ko
modprobe null_blk nr_devices=0
mount -t configfs configfs /sys/kernel/config

atomic=
if modinfo -p scsi_debug | grep -q ^atomic_wr:; then
	atomic=atomic_wr=1
fi
modprobe sd_mod
# shellcheck disable=SC2086 # none, or one word
modprobe scsi_debug add_host=2 per_host_store=1 dev_size_mb=64 dif=1 dix=1 $atomic
until set -- /sys/bus/pseudo/drivers/scsi_debug/adapter*/host*/target*/*/block/* &&
	[ $# = 2 ] && [ -b "/dev/${1##*/}" ] && [ -b "/dev/${2##*/}" ]; do
	:
done
disk=${1##*/} meta=${2##*/}
sectors=$(blockdev --getsz "/dev/$disk")
dmsetup create t --table "0 $sectors tidemark /dev/$disk /dev/$meta"
dm=$(node_of t)
id=0123456789abcdef0123456789abcdef
dmsetup message t 0 prepare $id
until_status t ":prepared "
dmsetup suspend t
dmsetup message t 0 cut $id
dmsetup resume t
until_status t ":shipping "
dmsetup message t 0 commit $id
until_status t " $id - "

is "protection information is passed on" "$(of "$dm" integrity/format)" \
	"$(of "$disk" integrity/format)"
ok "which the disk has" [ "$(of "$disk" integrity/format)" != none ]
head -c 192k /dev/urandom >/tmp/data
dd if=/tmp/data of=/dev/mapper/t bs=192k seek=1 oflag=direct status=none
ok "a write that waits for META keeps its own" \
	sh -c 'dd if=/dev/mapper/t bs=192k skip=1 count=1 iflag=direct \
		status=none | cmp - /tmp/data'
is "and is tracked" "$(changed)" "3 3"

# Beside it a linear device, to know what this kernel's device-mapper can do.
dmsetup create l --table "0 $sectors linear /dev/$disk 0"
peer=$(node_of l)
largest=queue/atomic_write_max_bytes
can=0
[ ! -e "/sys/block/$peer/$largest" ] || can=$(of "$peer" $largest)
dmsetup remove l
if [ "$can" -gt 0 ]; then
	is "atomic writes are passed on, as large" "$(of "$dm" $largest)" "$can"
	ok "one that waits for META is written" \
		/atomic /dev/mapper/t $((400 * 65536)) 8192
	is "and is tracked, too" "$(changed)" "3 3 400 1"
else
	skip "atomic writes" "this kernel's device-mapper has none"
fi
dmsetup remove t

cd /sys/kernel/config/nullb
mkdir z
echo 1 >z/zoned
echo 16 >z/zone_size
echo 64 >z/size
echo 1 >z/memory_backed
echo 1 >z/power
zoned=/dev/z
[ -b $zoned ] || zoned=/dev/nullb$(cat z/index)
refused()
{
	dmesg -C
	! dmsetup create t --table "0 131072 tidemark $zoned -" \
		2>/dev/null && dmesg | grep -q "Zoned devices are not supported"
}
is "there is a zoned disk" "$(of "${zoned#/dev/}" queue/zoned)" host-managed
ok "which is refused, and why" refused

rmmod dm_tidemark
done_testing
