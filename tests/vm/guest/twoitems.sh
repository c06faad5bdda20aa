#!/bin/sh
# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# One tracked disk in two items, whose backups meet.

# shellcheck source=tests/vm/guest/lib.sh
. /lib/guest.sh
# shellcheck source=tests/vm/guest/machines.sh
. /lib/machines.sh

# holds RULE: a backup of `a` waits at that request of its own
holds()
{
	rule=$(host rule "{\"do\":\"hold\",$1}")
	tidemark --json backup a --cut-hook "host truth now a" \
		>/tmp/first 2>/tmp/first.err &
	pid=$!
	until host acted "$rule"; do
		kill -0 $pid || break
	done
}

# ends TEXT STATUS: it goes on, and ends so
ends()
{
	host clear
	ended=0
	wait $pid || ended=$?
	is "$1: the one that waited: status" $ended "$2"
	cp /tmp/first /tmp/json
}

# other TEXT STATUS: all of a backup of the other item
other()
{
	ended=0
	backup other --state-dir /elsewhere || ended=$?
	is "$1: the other item's backup: status" $ended "$2"
}

# Without a sample, what follows owes nothing to chance.
sample 0
tidemark attach /dev/vda /dev/vdb --name a --quiet
tidemark protect $VAULT /dev/vda --disk a --item guest --quiet
tidemark protect $VAULT /dev/vda --disk other --item other \
	--state-dir /elsewhere --quiet
put 0 64
right "the first" full
put 1
right "the second" incremental

# It was planned to send what is marked, and chunk 7 is no more when it cuts.
put 7
holds '"kind":"read","path":"/a.vhd"'
base=$(status base)
other "before its cut" 0
ok "before its cut: the base moves" test "$(status base)" != "$base"
put 8
ends "before its cut" 3
ok "before its cut: its point is the truth" \
	host check now a "$(field point)" a
is "before its cut: all is compared" "$(field a)" compare
put 9
right "before its cut, then one more" incremental

# The other takes the cut for one that was left behind.
put 10
holds '"kind":"page-put","path":"/a.vhd"'
other "as it ships" 7
ends "as it ships" 8
put 11
right "as it ships, then one more" incremental

# The same, where no snapshot stands in its way.
printf '[backup]\nprecopy = 2M\nprecopy_remainder = 512K\n' \
	>/etc/tidemark/tidemark.conf.d/precopy.conf
put 0 64
holds '"kind":"page-put","path":"/a.vhd"'
other "as it sends ahead" 0
put 12
ends "as it sends ahead" 3
grep -v progress /tmp/first.err | sed 's/^/# /'
ok "as it sends ahead: its point is the truth" \
	host check now a "$(field point)" a
is "as it sends ahead: all is compared" "$(field a)" compare
put 13
right "as it sends ahead, then one more" incremental
stop
done_testing
