# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# machines.sh - for guests that become other machines: `. /lib/machines.sh`
#
# A machine is vda, which is tracked as /dev/mapper/a, vdb, which holds the
# metadata, and /var/lib/tidemark.

# shellcheck source=tests/vm/guest/proxied.sh
. /lib/proxied.sh

mkdir -p /keep /etc/tidemark

# sample N: unmarked chunks to check in each run, of a million
sample()
{
	printf '[backup]\nsample_share = %s\n' "$1" \
		>/etc/tidemark/tidemark.conf
}

start()
{
	# What the host has put in place is read afresh.
	blockdev --flushbufs /dev/vda
	blockdev --flushbufs /dev/vdb
	insmod /dm-tidemark.ko
	tidemark attach --all --quiet
}

stop()
{
	tidemark detach --all --quiet
	rmmod dm_tidemark
}

# keep NAME: stops this machine, and keeps an image of it
keep()
{
	stop
	host save "$1" a b
	rm -rf "/keep/$1"
	cp -a /var/lib/tidemark "/keep/$1"
}

# become NAME: now the machine is that image; it starts
become()
{
	host load "$1" a b
	rm -rf /var/lib/tidemark
	cp -a "/keep/$1" /var/lib/tidemark
	start
}
