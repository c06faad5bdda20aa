#!/bin/sh
# SPDX-License-Identifier: MIT
#
# proof.sh - another machine, without Tidemark, with the restored disks
#
# /dev/vda and /dev/vdb are the disks of point 1, vdc and vdd those of point 2.
set -eu
cd /

# shellcheck source=scripts/demo.d/story.sh
. /demo/story.sh

# as_postgres COMMAND [ARG...]
as_postgres()
{
	setpriv --reuid postgres --regid postgres --init-groups env HOME=/tmp \
		PATH=/usr/lib/postgresql/15/bin:/usr/bin:/bin PGHOST=/tmp "$@"
}

ask()
{
	as_postgres psql -qAt postgres -c "$1"
}

# files DISK-A: both filesystems, after the replay that any mount does
files()
{
	quietly mount "$1" /srv/a
	quietly mount /dev/vg/files /srv/b
	count=$(find /srv/a/doc /srv/b/perl -type f | wc -l)
	umount /srv/a /srv/b
	quietly e2fsck -fn "$1"
	quietly xfs_repair -n /dev/vg/files
	say "ext4 and XFS check clean; $count files"
}

# database N DISK-A
database()
{
	mount "$2" /srv/a
	mount /dev/vg/files /srv/b
	rm -f /srv/a/postgres/postmaster.pid
	start=$(now)
	quietly as_postgres pg_ctl -s -w -D /srv/a/postgres \
		-l /srv/a/postgres/log start
	say "PostgreSQL recovers and starts in $(since "$start") s"
	start=$(now)
	quietly as_postgres pg_amcheck --heapallindexed postgres
	say "pg_amcheck finds nothing wrong, $(since "$start") s"

	sums=$(ask "SELECT (SELECT sum(abalance) FROM pgbench_accounts) =
		ALL (SELECT sum(bbalance) FROM pgbench_branches
		UNION ALL SELECT sum(tbalance) FROM pgbench_tellers
		UNION ALL SELECT sum(delta) FROM pgbench_history)")
	[ "$sums" = t ] || fail "the bank's books do not balance"
	acknowledged=$(host told "acknowledged-$1")
	found=$(ask 'SELECT count(*) FROM ledger')
	last=$(ask 'SELECT max(n) FROM ledger')
	[ "$last" -eq "$found" ] || fail "the ledger has gaps"
	[ "$last" -ge "$acknowledged" ] ||
		fail "transaction $acknowledged was acknowledged before the cut, the ledger ends at $last"
	[ "$last" -le $((acknowledged + 1)) ] ||
		fail "the ledger ends at $last, after the cut at $acknowledged"
	say "accounts, branches, tellers and history balance; ledger complete up to transaction $last ($acknowledged acknowledged at the cut)"
	host tell "ledger-$1" "$last"
	as_postgres pg_ctl -s -w -m fast -D /srv/a/postgres stop
	umount /srv/a /srv/b
}

# prove N DISK-A DISK-B
prove()
{
	chapter "Point $1 on another machine"
	# Both points hold the volume group of that name: one at a time.
	echo "devices { global_filter = [ \"a|^$3\$|\", \"r|.*|\" ] }" \
		>/etc/lvm/lvmlocal.conf
	quietly vgchange -q -ay vg
	quietly udevadm settle
	files "$2"
	host tell "clean-$1" yes
	database "$1" "$2"
	host tell "database-$1" yes
	quietly vgchange -q -an vg
}

mkdir -p /srv/a /srv/b
prove 1 /dev/vda /dev/vdb
prove 2 /dev/vdc /dev/vdd
