#!/bin/sh
# SPDX-License-Identifier: MIT
#
# tables.sh: tables that come and go while META, or the next table, fails, or
# another tracks the same disk. What was written unseen must have cost the base
# by the time tracking is back.

# shellcheck disable=SC2317 # track_again is called through `ok`
# shellcheck source=tests/vm/guest/lib.sh
. /lib/guest.sh
export DM_DISABLE_UDEV=1
insmod /dm-tidemark.ko
sectors=$(blockdev --getsz /dev/vda)
id=0123456789abcdef0123456789abcdef

# track META: a new tracked device t, then a base in META, nothing changed
track()
{
	dd if=/dev/zero of="$1" bs=4k count=2 oflag=direct status=none
	dmsetup create t --table "0 $sectors tidemark /dev/vda $1"
	dmsetup message t 0 prepare $id
	until_status t ":prepared "
	dmsetup suspend t
	dmsetup message t 0 cut $id
	dmsetup resume t
	until_status t ":shipping "
	dmsetup message t 0 commit $id
	until_status t " $id - "
	dmsetup remove t
}

# base META: what a new table finds there
base()
{
	dmsetup create t --table "0 $sectors tidemark /dev/vda $1"
	dmsetup status t | cut -d' ' -f7
	dmsetup remove t
}

write()
{
	dd if=/dev/urandom of=/dev/mapper/t bs=64k seek=3 count=1 \
		oflag=direct status=none
}

table()
{
	dmsetup suspend --noflush "$1"
	dmsetup reload "$1" --table "$2"
	dmsetup resume "$1"
}

track /dev/vdb
is "an orderly stop keeps the base" "$(base /dev/vdb)" $id

# Two that track one disk would each miss what the other writes.
table="0 $sectors tidemark /dev/vda"
dmsetup create t --table "$table /dev/vdb"
track_again()
{
	! dmsetup create other --table "$table /dev/vdc" 2>/dev/null
}
ok "a tracked disk is not tracked a second time" track_again
is "and it is said why" "$(dmesg | grep -c 'Origin is, or overlaps')" 1
dmsetup remove t
for name in t other; do
	dmsetup create $name --notable
done
dmsetup load t --table "$table /dev/vdb"
dmsetup load other --table "$table /dev/vdc"
dmsetup resume t
ok "nor if both tables were loaded before" \
	sh -c '! dmsetup resume other 2>/dev/null'
dmsetup remove other
dmsetup remove t

# The next table cannot be resumed: its META has been taken meanwhile.
dmsetup create t --table "0 $sectors tidemark /dev/vda /dev/vdb"
dmsetup reload t --table "0 $sectors tidemark /dev/vda /dev/vdc"
dmsetup create other --table "0 $sectors tidemark /dev/vdd /dev/vdc"
ok "a table whose META is taken is not resumed" \
	sh -c '! dmsetup resume t 2>/dev/null'
dmsetup reload t --table "0 $sectors linear /dev/vda 0"
dmsetup resume t
write
dmsetup remove t
dmsetup remove other
is "a third table's writes cost the base" "$(base /dev/vdb)" -

# META fails when it is first needed, and is well again before the end.
meta="0 $(blockdev --getsz /dev/vdb)"
dmsetup create m --table "$meta linear /dev/vdb 0"
track /dev/mapper/m
dmsetup create t \
	--table "0 $sectors tidemark /dev/vda /dev/mapper/m 2 meta_timeout 1"
table m "$meta error"
write
dmsetup status t | grep -q " lost " ||
	echo "# $(dmsetup status t)"
table m "$meta linear /dev/vdb 0"
dmsetup remove t
is "a loss is recorded when META is back" "$(base /dev/mapper/m)" -
dmsetup remove m

# The resume of a hibernation brings back memory that is older than the disk.
# Without a place for the image it begins, fails, and ends at once.
track /dev/vdb
dmsetup create t --table "0 $sectors tidemark /dev/vda /dev/vdb"
if grep -q disk /sys/power/state; then
	ok "a hibernation has no place to go" \
		sh -c '! echo disk >/sys/power/state 2>/dev/null'
	is "a hibernation loses tracking" \
		"$(dmsetup status t | cut -d' ' -f5)" lost
	dmsetup remove t
	is "and so the base" "$(base /dev/vdb)" -
	dmsetup create t --table "0 $sectors tidemark /dev/vda -"
	dmsetup create v \
		--table "0 $sectors tidemark-snap /dev/mapper/t - full"
	dmsetup message t 0 prepare $id
	until_status t ":prepared "
	dmsetup suspend t
	dmsetup message t 0 cut $id
	dmsetup resume t
	echo disk 2>/dev/null >/sys/power/state || :
	is "without META everything counts as changed" \
		"$(dmsetup status t | cut -d' ' -f11)" $((sectors / 128))
	is "and a view is invalid" \
		"$(dmsetup status v | cut -d' ' -f5)" invalid
	dmsetup remove v
else
	skip "a hibernation loses tracking" "this kernel cannot hibernate"
	dmsetup remove t
fi

rmmod dm_tidemark
done_testing
