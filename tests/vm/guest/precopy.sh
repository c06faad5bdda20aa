# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# Pre-copy: precopy.sh FORM. vda is tracked whole, as `a`; of vdb the second
# partition, as `b`. vdc1 and vdc2 hold metadata, vdc3 and vdc4 the stores.

# shellcheck source=tests/vm/guest/lib.sh
. /lib/guest.sh
# shellcheck source=tests/vm/guest/proxied.sh
. /lib/proxied.sh

form=$1
pages='"kind":"page-put","path":"/a.vhd"'
# The first of them says that the run goes ahead, each other that a round is
# the kernel's base.
said='"kind":"block-put","path":"/runs/"'
lost=/var/lib/tidemark/lost/0123456789abcdef0123456789abcdef.json

printf '[backup]\nprecopy = 2M\nprecopy_remainder = 512K\n' \
	>/etc/tidemark/tidemark.conf.d/precopy.conf
printf 'size=1M\nsize=1M\nsize=8M\nsize=8M\n' | sfdisk -q /dev/vdc
printf 'size=1M\nsize=9M\n' | sfdisk -q /dev/vdb
tidemark attach /dev/vda /dev/vdc1 --store /dev/vdc3 --name a --quiet
tidemark attach /dev/vdb2 /dev/vdc2 --store /dev/vdc4 --name b --quiet
tidemark protect $VAULT /dev/vda --disk a --item guest --quiet
tidemark protect $VAULT /dev/vdb --disk b --item guest --quiet

# zero CHUNK COUNT
zero()
{
	dd if=/dev/zero of=/dev/mapper/a bs=64k seek="$1" count="$2" \
		oflag=direct status=none
}

# hold RULE: the number of a rule for one request that waits to be let go
hold()
{
	host rule "{\"do\":\"hold\",\"times\":1,$1}"
}

# held RULE: waits until the backup's request waits there
held()
{
	until host acted "$1"; do
		kill -0 $pid || return
	done
}

# rounds: how many of disk a the last backup says that there were
rounds()
{
	grep -o '"precopy":\[.*\]' /tmp/json | grep -o '"disk":"a"' | wc -l
}

# start NAME: a backup that goes its way beside this script
start()
{
	tidemark --json backup a --cut-hook "host truth $1 a" \
		>/tmp/json 2>/tmp/err &
	pid=$!
}

# expects TEXT true|false: what the estimate says of rounds
expects()
{
	is "$1: what is expected of it" "$(tidemark --json estimate a |
		grep -o '"precopy": *[a-z]*' | grep -o '[a-z]*$')" "$2"
}

# Killed, and reaped.
slay()
{
	kill -9 $pid
	wait $pid 2>/dev/null
	is "$1: it was killed" $? 137
}

# arrives TEXT N: how many rounds there were, and the point is what was cut
arrives()
{
	ok "$1: it ends well" wait $pid
	point=$(field point)
	ok "$1: the point is the truth" host check now a "$point" a
	is "$1: rounds" "$(rounds)" "$2"
}

# What is written in a round is sent in the next, even what becomes zero in a blob
# that this run has made.
first()
{
	put 0 128
	expects "the first" true
	# The first pages are the footer's.
	one=$(hold "$pages,\"skip\":1")
	two=$(hold "$said,\"skip\":1")
	start now
	held "$one"
	is "the first round is cut" "$(status frozen | cut -d : -f 2)" shipping
	is "without a snapshot" "$(dmsetup ls | grep -c snap)" 0
	zero 5 20
	put 40 20
	host release
	held "$two"
	base=$(status base)
	ok "its cut is the base" test "$base" != -
	is "and nothing is frozen" "$(status frozen)" -
	three=$(hold "$pages")
	host release
	held "$three"
	put 50 2
	zero 45 1
	put 10 1
	host release
	arrives "the first" 2
	is "it is full" "$(field a)" full
	ok "progress tells it from the rest" \
		grep -q '"stage":"precopy"' /tmp/err
	ok "the base is the point's cut" test "$(status base)" != "$base"
	host clear
	put 7
	expects "the next" false
	right "the next one" incremental
	is "and it reads no more than has changed" "$(tracked chunks_read)" 1
	is "without rounds" "$(rounds)" 0
}

# A run is killed when a round is being sent: its cut is merged back.
in_a_round()
{
	put 0 100
	one=$(hold "$pages")
	start killed
	held "$one"
	put 3
	slay "in a round"
	is "in a round: its cut is left" \
		"$(status frozen | cut -d : -f 2)" shipping
	zero 20 2
	put 60
	host clear
	start now
	arrives "in a round, then a backup" 1
	is "in a round, then by changes" "$(field a)" incremental
}

# A run is killed when a round is over: the kernel's base is no point's. What is
# recorded of a set that was lost is not forgotten for it.
between_rounds()
{
	mkdir -p "${lost%/*}"
	printf '{"format":1,"set":"%s","device":"a"}\n' \
		"$(basename $lost .json)" >$lost
	put 0 100
	one=$(hold "$pages")
	two=$(hold "$said,\"skip\":1")
	start killed
	held "$one"
	put 30 20
	host release
	held "$two"
	slay "between rounds"
	is "between rounds: nothing is frozen" "$(status frozen)" -
	ok "between rounds: the loss of a set is on record" test -e $lost
	put 31
	zero 70 1
	host clear
	start now
	arrives "between rounds, then a backup" 1
	is "between rounds, then all is compared" "$(field a)" compare
	ok "what the rounds had sent is not sent again" \
		test "$(tracked chunks_uploaded)" -le 24
	ok "then the loss is settled" test ! -e $lost
}

# The same in the second round: one cut is the base, one is merged back.
in_the_second()
{
	put 0 100
	one=$(hold "$pages")
	two=$(hold "$said,\"skip\":1")
	start killed
	held "$one"
	put 30 20
	host release
	held "$two"
	three=$(hold "$pages")
	host release
	held "$three"
	put 33
	slay "in the second round"
	zero 34 3
	put 101
	host clear
	start now
	arrives "in the second round, then a backup" 1
	is "in the second round, then all is compared" "$(field a)" compare
}

# A run that gives up in a round, and one that is killed after the cut.
others()
{
	put 0 100
	one=$(hold "$pages")
	start killed
	held "$one"
	kill -TERM $pid
	host release
	wait $pid
	is "told to end in a round: status" $? 12
	is "told to end in a round: nothing is frozen" "$(status frozen)" -
	put 2
	right "told to end in a round, then a backup" incremental

	put 0 100
	two=$(hold "\"kind\":\"block-put\",\"path\":\"/points/\"")
	start killed
	held "$two"
	slay "after the cut"
	host clear
	put 9
	right "after the cut, then a backup" incremental
}

# peak NAME: the most blocks that the snapshot was seen to keep
peak()
{
	awk '{ n = $8 + $10; if (n > most) most = n } END { print most + 0 }' \
		"/tmp/peak.$1"
}

# written NAME: sectors, ever
written()
{
	written_dev=$(dmsetup info -c --noheadings --separator : \
		-o major,minor "$1")
	awk '{ print $7 }' "/sys/dev/block/$written_dev/stat"
}

# Both disks, written all the while in a part of them each.
load()
{
	dmsetup create hot-a --table "0 2048 linear /dev/mapper/a 4096"
	dmsetup create hot-b --table "0 2048 linear /dev/mapper/b 0"
	tidemark --json backup --full --no-precopy >/tmp/json 2>/tmp/err
	is "none if not wanted" "$(rounds)" 0
	/churn raw 1 /dev/mapper/hot-a 0 &
	load_a=$!
	/churn raw 2 /dev/mapper/hot-b 0 &
	load_b=$!
	before=$(written a)
	tidemark --json backup --full --cut-hook \
		"dmsetup status a-snap >/tmp/kept; host truth load a b" \
		>/tmp/json 2>/tmp/err &
	pid=$!
	: >/tmp/peak.a
	while kill -0 $pid 2>/dev/null; do
		dmsetup status a-snap >>/tmp/peak.a 2>/dev/null
		sleep 0.3
	done
	ok "under load: it ends well" wait $pid
	after=$(written a)
	kill $load_a $load_b
	ok "the load on one disk went on" wait $load_a
	ok "the load on the other too" wait $load_b
	point=$(field point)
	ok "under load: one is the truth" host check load a "$point" a
	ok "under load: so is the other" host check load b "$point" b
	ok "under load: there were rounds" test "$(rounds)" -ge 1
	is "of both" "$(grep -o '"precopy":\[.*\]' /tmp/json |
		grep -c '"disk":"b"')" 1
	kept=$(cut -d ' ' -f 6 /tmp/kept)
	echo "# the cut keeps $kept of $(cut -d ' ' -f 7 /tmp/kept) chunks"
	ok "the cut has little to keep" test "$kept" -le 32
	echo "# $(peak a) blocks kept, $(((after - before) / 8)) written"
	ok "what was kept is far less than what was written" \
		test $(($(peak a) * 4)) -lt $(((after - before) / 8))
	dmsetup remove hot-a
	dmsetup remove hot-b
}

first
in_a_round
between_rounds
[ "$form" = short ] || in_the_second
[ "$form" = short ] || others
load
is "nothing is frozen" "$(status frozen)" -
is "no snapshot is left" "$(dmsetup ls | grep -c snap)" 0
tidemark detach --all --quiet
done_testing
