# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# proxied.sh - for guests whose backups go through the fault proxy, of a disk
# `a` that is tracked as /dev/mapper/a: `. /lib/proxied.sh`

# shellcheck source=tests/vm/guest/vault.sh
. /lib/vault.sh

# status base|frozen|epoch|flags: what the kernel says of the tracked disk
status()
{
	case $1 in
	base)	status_field=7 ;;
	frozen)	status_field=8 ;;
	epoch)	status_field=9 ;;
	flags)	status_field=14 ;;
	esac
	dmsetup status a | cut -d ' ' -f "$status_field"
}

# put CHUNK [COUNT]: random data into chunks of 64 KiB
put()
{
	dd if=/dev/urandom of=/dev/mapper/a bs=64k seek="$1" count="${2:-1}" \
		oflag=direct status=none
}

# tracked NAME: a counter of the last backup
tracked()
{
	grep -o '"tracked":{[^}]*}' /tmp/json | tail -n 1 |
		sed "s/.*\"$1\":\([0-9]*\).*/\1/"
}

# right TEXT MODE: a backup whose point is the truth
right()
{
	if ! backup a --cut-hook "host truth now a"; then
		fail "$1: a backup" "$(cat /tmp/err)"
		return
	fi
	point=$(field point)
	ok "$1: the point is the truth" host check now a "$point" a
	is "$1: $2" "$(field a)" "$2"
}

# die AT: a backup is killed while its request AT, part of a rule, is on its
# way; the request goes no further until `host clear`
die()
{
	rule=$(host rule "{\"do\":\"hold\",$1}")
	tidemark backup a --cut-hook "host truth killed a" >/tmp/killed 2>&1 &
	pid=$!
	until host acted "$rule"; do
		kill -0 $pid || break
	done
	[ "${2:-}" = leave ] && return
	kill -9 $pid
	died=0
	wait $pid 2>/dev/null || died=$?
	is "killed at $1" $died 137
}
