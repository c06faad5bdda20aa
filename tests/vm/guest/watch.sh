# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# vda and vdc are tracked as a and c, with metadata in the halves of vdb, which
# can fail; the state directory is on vdd.
#
#	watch.sh lose|after

# shellcheck source=tests/vm/guest/lib.sh
. /lib/guest.sh
# shellcheck source=tests/vm/guest/vault.sh
. /lib/vault.sh

records=/var/lib/tidemark/lost
mkdir -p /var/lib/tidemark /etc/tidemark
# Without a sample, what follows owes nothing to chance.
printf '[backup]\nsample_share = 0\n' >/etc/tidemark/tidemark.conf

# status DEVICE mode|set|base|frozen|open|flags
status()
{
	case $2 in
	mode)	status_field=5 ;;
	set)	status_field=6 ;;
	base)	status_field=7 ;;
	frozen)	status_field=8 ;;
	open)	status_field=13 ;;
	flags)	status_field=14 ;;
	esac
	dmsetup status "$1" | cut -d ' ' -f "$status_field"
}

meta_works()
{
	dmsetup create m --table "0 8192 linear /dev/vdb 0"
	dmsetup create n --table "0 8192 linear /dev/vdb 8192"
}

# meta_fails NAME
meta_fails()
{
	dmsetup suspend "$1"
	dmsetup load "$1" --table "0 8192 error"
	dmsetup resume "$1"
}

# put DEVICE CHUNK [COUNT]: random data into chunks of 64 KiB
put()
{
	dd if=/dev/urandom of="/dev/mapper/$1" bs=64k seek="$2" \
		count="${3:-1}" oflag=direct status=none
}

# right TEXT MODE: a backup of a whose point is the truth
right()
{
	if ! backup a --cut-hook "host truth now a"; then
		fail "$1: a backup" "$(cat /tmp/err)"
		return
	fi
	ok "$1: the point is the truth" host check now a "$(field point)" a
	is "$1: $2" "$(field a)" "$2"
}

# by_hand DEVICE ID: a cut of the kernel's alone, committed
by_hand()
{
	dmsetup message "$1" 0 prepare "$2"
	until status "$1" frozen | grep -q ':prepared$'; do
		:
	done
	dmsetup suspend "$1"
	dmsetup message "$1" 0 cut "$2"
	dmsetup resume "$1"
	until status "$1" frozen | grep -q ':shipping$'; do
		:
	done
	dmsetup message "$1" 0 commit "$2"
	until [ "$(status "$1" base) $(status "$1" frozen)" = "$2 -" ]; do
		:
	done
}

# comes "MODE FLAGS": of a, before long
# shellcheck disable=SC2317 # ok calls it
comes()
{
	tries=0
	until [ "$(status a mode) $(status a flags)" = "$1" ]; do
		tries=$((tries + 1))
		if [ "$tries" -gt 1000 ]; then
			dmsetup status a
			return 1
		fi
	done
}

lose()
{
	mkfs.ext4 -q /dev/vdd
	mount /dev/vdd /var/lib/tidemark
	meta_works
	tidemark attach /dev/vda /dev/mapper/m --name a --region-size 1M \
		--meta-timeout 600 --quiet
	tidemark attach /dev/vdc /dev/mapper/n --name c --region-size 1M \
		--meta-timeout 600 --quiet
	tidemark protect $VAULT /dev/vda --disk a --item guest --quiet
	put a 0 64
	right "the first" full
	put a 5
	right "the next" incremental
	# All of a new set has changed: nothing waits for metadata then.
	by_hand c 000102030405060708090a0b0c0d0e0f

	set=$(status a set)
	# The first backup has opened every region: writes would need nothing.
	until [ "$(status a open)" = 0 ]; do
		:
	done
	meta_fails m
	put a 300 &
	write=$!
	ok "metadata that fail are noticed" comes "lost waiting"
	ok "nobody has recorded it" test ! -e "$records/$set.json"
	ok "a write is held" kill -0 $write
	tidemark --json watch >/tmp/watched 2>/tmp/watch &
	watch=$!
	ok "somebody watches, and it is let go" wait $write
	ok "the loss is recorded" grep -q "\"$set\"" "$records/$set.json"
	ok "with what it is of" grep -q '"device": "a"' "$records/$set.json"
	is "nothing waits any more" "$(status a flags)" -

	other=$(status c set)
	meta_fails n
	ok "a write while somebody watches" put c 100
	is "that device is lost, too" "$(status c mode)" lost
	ok "and that is recorded" test -s "$records/$other.json"
	put a 400 3
	tidemark --json status --local >/tmp/json
	is "status says so" "$(field tracking)" lost
	kill $watch
	ended=0
	wait $watch || ended=$?
	is "the watch ends with warnings" $ended 3
	is "it told each once" "$(cat /tmp/watch)" '{"event":"lost","device":"a"}
{"event":"lost","device":"c"}'
	is "and in the end" "$(grep -o '"recorded":\["a","c"\]' /tmp/watched)" \
		'"recorded":["a","c"]'
	host poweroff
}

after()
{
	mount /dev/vdd /var/lib/tidemark
	meta_works
	tidemark --json meta dump /dev/mapper/m >/tmp/json
	set=$(field set)
	ok "the loss is recorded" test -s "$records/$set.json"
	ok "the metadata look sound" grep -q '"base":"' /tmp/json
	is "and say nothing of a loss" "$(grep -c '"lost"' /tmp/json)" 0

	# With a table made by hand nobody has looked at the record but this.
	dmsetup create a --table "0 65536 tidemark /dev/vda /dev/mapper/m"
	is "the kernel believes them" "$(status a mode) $(status a set)" \
		"tracking $set"
	right "of a set that is recorded as lost" compare
	put a 9
	right "as long as it is that set" compare
	ok "the record stays" test -e "$records/$set.json"
	base=$(status a base)
	dmsetup remove a

	got=0
	tidemark --json attach --all >/tmp/json || got=$?
	is "attach, with a warning" $got 3
	ok "that says why" grep -q "'a' are not believed: its tracking was lost" \
		/tmp/json
	ok "and once more for programs" \
		grep -q '"reason":"its tracking was lost"' /tmp/json
	ok "there was a base" test "$base" != -
	is "there is none now" "$(status a base)" -
	ok "the set is another" test "$(status a set)" != "$set"
	ok "the record is still there" test -e "$records/$set.json"
	put a 11
	right "the next" compare
	ok "the record has gone" test ! -e "$records/$set.json"
	is "that of the other device is left" "$(find $records -type f | wc -l)" 1
	put a 13
	right "then" incremental
	is "of what has changed" "$(grep -o '"chunks_read":[0-9]*' /tmp/json |
		head -n 1)" '"chunks_read":1'
}

case $1 in
lose)	lose ;;
after)	after ;;
esac
done_testing
