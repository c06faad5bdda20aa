#!/bin/sh
# SPDX-License-Identifier: MIT
#
# meta.sh clean|cut: writes to a tracked disk, then removes it or cuts power

# shellcheck source=tests/vm/guest/lib.sh
. /lib/guest.sh
set -e
insmod /dm-tidemark.ko
sectors=$(blockdev --getsz /dev/vda)
dmsetup create t --table "0 $sectors tidemark /dev/vda /dev/vdb"
[ "$1" = cut ] || dmsetup message t 0 prepare 0123456789abcdef0123456789abcdef
if [ "$1" = cut ]; then
	dd if=/dev/zero of=/dev/mapper/t bs=64k seek=500 count=1 oflag=direct \
		status=none
	host poweroff
fi
# A new set counts everything as changed, until a commit.
until_status t ':prepared '
dmsetup suspend t
dmsetup message t 0 cut 0123456789abcdef0123456789abcdef
dmsetup resume t
until_status t ':shipping '
dmsetup message t 0 commit 0123456789abcdef0123456789abcdef
until_status t ' 0123456789abcdef0123456789abcdef - '
dd if=/dev/zero of=/dev/mapper/t bs=64k seek=3 count=1 oflag=direct status=none
dd if=/dev/zero of=/dev/mapper/t bs=64k seek=100 count=2 oflag=direct \
	status=none
dmsetup remove t
rmmod dm_tidemark
