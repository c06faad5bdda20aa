#!/bin/sh
# SPDX-License-Identifier: MIT
#
# backed.sh first|load|after - a machine that is backed up, and crashes
#
# vda is the disk, vdc holds the program's state, which outlives a crash. META
# is vdb, but under load, where it comes over the network and vdb is the disk of
# marks. All end with the power.
#
#   first			makes the set, with small regions; a full backup
#   load N SEED		starts tracking, says what the base is, until N writes
#   after		what counts as changed, told to the host; a backup

# shellcheck source=tests/vm/guest/lib.sh
. /lib/guest.sh

mkdir -p /var/lib/tidemark
options="chunk_sectors 128 region_sectors 1024"
size=$(blockdev --getsz /dev/vda)

# in_vault: from here on the way to the vault is needed
in_vault()
{
	# shellcheck source=tests/vm/guest/proxied.sh
	. /lib/proxied.sh
}

# idle: until every region is closed: the next crash is to cost its load alone
idle()
{
	until [ "$(dmsetup status a | cut -d ' ' -f 13)" = 0 ]; do
		sleep 0.2
	done
	sync
}

first()
{
	mkfs.ext4 -q /dev/vdc
	mount /dev/vdc /var/lib/tidemark
	in_vault
	dmsetup create a --table "0 $size tidemark /dev/vda /dev/vdb 4 $options"
	dmsetup remove a
	tidemark attach /dev/vda /dev/vdb --name a --quiet
	tidemark protect $VAULT /dev/vda --disk a --item guest --quiet
	put 0 256
	right "the first" full
	idle
	host poweroff
}

load()
{
	mount /dev/vdc /var/lib/tidemark
	modprobe nbd nbds_max=1 max_part=0
	/nbdattach 10.0.2.100 10000 meta /dev/nbd0
	insmod /dm-tidemark.ko
	dmsetup create a --table \
		"0 $size tidemark /dev/vda /dev/nbd0 2 close_after 1"
	/cuts - - /dev/vdb say cut "$(dmsetup status a | cut -d ' ' -f 7)"
	/churn raw "$2" /dev/mapper/a 0 &
	# Writes and discards.
	until [ "$(awk '{ print $5 + $12 }' /sys/block/dm-0/stat)" -ge "$1" ]; do
		sleep 0.1
	done
	host poweroff
}

after()
{
	mount /dev/vdc /var/lib/tidemark
	in_vault
	tidemark attach --all --quiet
	host verdict "$(/cuts a - - report)"
	right "after the crash" incremental
	host counters "$(tracked chunks_changed)" "$(tracked chunks_same)" \
		"$(tracked chunks_uploaded)" "$(tracked chunks_cleared)" \
		"$(tracked bytes_uploaded)"
	idle
	host poweroff
}

"$@"
