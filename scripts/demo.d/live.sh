#!/bin/sh
# SPDX-License-Identifier: MIT
#
# live.sh VAULT-URL - the machine that is backed up, at work
#
# /dev/vda and /dev/vdb are its disks, tracked from the start. PostgreSQL keeps
# its tables on the first, its log on the second: only a cut of both at one
# instant is a database.
set -eu
cd /

vault=$1
# shellcheck source=scripts/demo.d/story.sh
. /demo/story.sh
# shellcheck source=/dev/null # written by the demo
. /demo/environment

# as_postgres COMMAND [ARG...]
as_postgres()
{
	setpriv --reuid postgres --regid postgres --init-groups env HOME=/tmp \
		PATH=/usr/lib/postgresql/15/bin:/usr/bin:/bin PGHOST=/tmp "$@"
}

modules()
{
	updates=/lib/modules/$(uname -r)/updates
	mkdir -p "$updates"
	mv /dm-tidemark.ko "$updates/"
	quietly depmod
	quietly modprobe dm-tidemark
}

disks()
{
	mkdir -p /etc/tidemark /var/lib/tidemark/store /srv/a /srv/b
	# The emulator is at a private address and speaks plain HTTP.
	printf '[vault]\nplain_http = yes\n' >/etc/tidemark/tidemark.conf
	# LVM shall see a tracked disk once, through its tracking.
	echo 'devices { global_filter = [ "r|^/dev/vd|", "r|^/dev/loop|" ] }' \
		>/etc/lvm/lvmlocal.conf
	for disk in a b; do
		quietly tidemark attach "/dev/vd$disk" --name "disk-$disk" \
			--store "/var/lib/tidemark/store/$disk" \
			--store-size 128M
	done
	quietly mkfs.ext4 -q /dev/mapper/disk-a
	quietly pvcreate -q /dev/mapper/disk-b
	quietly vgcreate -q vg /dev/mapper/disk-b
	quietly lvcreate -q -l '100%FREE' -n files vg
	quietly mkfs.xfs -q /dev/vg/files
	mount /dev/mapper/disk-a /srv/a
	mount /dev/vg/files /srv/b
	say "disk a  1 GiB  tracking > ext4           tables, /usr/share/doc"
	say "disk b  1 GiB  tracking > LVM > XFS      transaction log, /usr/share/perl"
}

# A transaction is written down here only once it has been acknowledged; this
# file is on neither disk.
ledger()
{
	n=0
	while n=$((n + 1)); do
		echo "INSERT INTO ledger VALUES ($n) RETURNING n;" || break
		sleep 0.2
	done 2>/dev/null | as_postgres psql -qAt postgres >/root/acknowledged 2>/root/ledger.log
}

database()
{
	cp -a /usr/share/doc /srv/a/
	cp -a /usr/share/perl /srv/b/
	cp -a /var/lib/postgresql/seed /srv/a/postgres
	mv /srv/a/postgres/pg_wal /srv/b/pg_wal
	ln -s /srv/b/pg_wal /srv/a/postgres/pg_wal
	# Room for the log: a checkpoint makes every page go there anew.
	echo 'max_wal_size = 256MB' >>/srv/a/postgres/postgresql.conf
	as_postgres pg_ctl -s -w -D /srv/a/postgres -l /srv/a/postgres/log start
	as_postgres psql -q postgres -c 'CREATE TABLE ledger (n bigint PRIMARY KEY)'
	as_postgres pgbench -n -c 2 -R 5 -T 3600 postgres >/root/pgbench.log 2>&1 &
	pgbench=$!
	ledger &
	ledger=$!
	tries=0
	until [ -s /root/acknowledged ]; do
		tries=$((tries + 1))
		[ "$tries" -lt 300 ] || fail "PostgreSQL takes no transactions"
		sleep 0.2
	done
	say "$(find /srv/a/doc /srv/b/perl -type f | wc -l) files; PostgreSQL 15, 200,000 accounts, pgbench and a ledger writing"
}

# counter NAME: of the last backup
counter()
{
	jq ".result.counters.total.$1" "$report"
}

# backup N: a recovery point of both disks
backup()
{
	report=/root/backup-$1.json
	start=$(now)
	# $( ) is for the shell that runs the hook.
	# shellcheck disable=SC2016
	tidemark backup --json \
		--cut-hook "host cut $1 "'$(tail -n 1 /root/acknowledged)' \
		>"$report" 2>/root/backup.log || {
		cat "$report" /root/backup.log
		fail "the backup"
	}
	seconds=$(since "$start")
	chunks=$(counter chunks_read)
	read=$(counter bytes_read)
	sent=$(counter bytes_uploaded)
	requests=$(counter requests)
	point=$(jq -r .result.point "$report")
	say "point  $point"
	say "cut    both disks at one instant, transaction $(host told "acknowledged-$1") acknowledged"
	say "read   $(size "$read") in $chunks chunks: $(counter chunks_same) as before, $(counter chunks_cleared) zero, $(counter chunks_uploaded) sent"
	say "sent   $(size "$sent") in $requests requests, $seconds s, the database at work"
	host tell "point-$1" "$point"
	host tell "read-$1" "$read"
	host tell "sent-$1" "$sent"
	host tell "chunks-$1" "$chunks"
	host tell "requests-$1" "$requests"
	host tell "seconds-$1" "$seconds"
}

# About 1 % of the disks, the database's part aside.
change()
{
	dd if=/dev/urandom of=/srv/a/new bs=1M count=4 status=none
	dd if=/dev/urandom of=/srv/b/new bs=1M count=4 status=none
	rm -r /srv/a/doc/a*
	find /srv/b/perl -name '*.pm' | sed -n 1,20p | while read -r file; do
		echo '# changed' >>"$file"
	done
	sync
	for disk in a b; do
		say "disk $disk: $(dmsetup status "disk-$disk" | awk '{
			printf "%d of %d chunks changed (%.1f %%)", $11, $12,
				100 * $11 / $12 }')"
	done
}

put_away()
{
	kill "$ledger" "$pgbench"
	as_postgres pg_ctl -s -w -m fast -D /srv/a/postgres stop
	umount /srv/a /srv/b
	quietly vgchange -q -an vg
	quietly tidemark detach disk-a
	quietly tidemark detach disk-b
	quietly rmmod dm_tidemark
}

say "Debian 12, Linux $(uname -r), up after $(now) s"
modules
disks
database

chapter "First backup"
quietly tidemark vault create "$vault" --name Harbour
for disk in a b; do
	quietly tidemark protect "$vault" "/dev/mapper/disk-$disk" \
		--disk "$disk" --item voyager
done
backup 1

chapter "Work goes on"
change

chapter "Second backup, incremental"
backup 2

put_away
say "The machine shuts down."
