# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# Backups that die: deaths.sh kill|after FORM. vda is tracked; vdb1 holds the
# metadata, vdb2 the store, vdb3 the program's state, which outlives the boot.

# shellcheck source=tests/vm/guest/lib.sh
. /lib/guest.sh
# shellcheck source=tests/vm/guest/proxied.sh
. /lib/proxied.sh

form=$2
mkdir -p /var/lib/tidemark

# dies TEXT AT STAGE LATE POINTS: a backup is killed at AT, with its cut at
# STAGE in the kernel; its last request arrives before or after the next backup,
# LATE; POINTS of it there are then.
dies()
{
	text=$1 stage=$3 late=$4
	echo "# $text, then its request comes $late the next backup"
	n=$((n + 1))
	before=$(host points | wc -l)
	put $n
	put $((n + 40)) 2
	die "$2"
	case $(status frozen) in
	*:*)	now=$(status frozen | cut -d : -f 2) ;;
	*)	now=none ;;
	esac
	is "$text: the kernel's cut" "$now" "$stage"
	# Some was shipped, some was not; and what is new joins in.
	put $n
	put $((n + 41))
	put $((n + 80))
	if [ "$late" = before ]; then
		host clear
		until [ "$(host points | wc -l)" -eq $((before + $5)) ]; do
			:
		done
		[ "$5" -eq 0 ] ||
			ok "$text: the point that it made is the truth" \
				host check killed a "$(host points | tail -n 1)" a
	fi
	right "$text, then a backup" incremental
	is "$text: nothing is frozen" "$(status frozen)" -
	is "$text: no snapshot is left" "$(dmsetup ls | grep -c snap)" 0
	if [ "$late" = after ]; then
		host clear
		ok "$text: what came late has changed nothing" \
			host check now a "$point" a
	fi
	is "$text: points" "$(host points | wc -l)" $((before + 1 + $5))
}

kill_all()
{
	printf 'size=1M\nsize=8M\nsize=40M\n' | sfdisk -q /dev/vdb
	mkfs.ext4 -q /dev/vdb3
	mount /dev/vdb3 /var/lib/tidemark
	tidemark attach /dev/vda /dev/vdb1 --store /dev/vdb2 --name a --quiet
	tidemark protect $VAULT /dev/vda --disk a --item guest --quiet
	put 0 64
	right "the first" full
	n=0
	dies "before the cut" '"kind":"sequence"' none before 0
	[ "$form" = short ] || dies "after the cut" \
		'"kind":"block-put","path":"/runs/"' shipping before 0
	dies "sending pages" '"kind":"page-put","path":"/a.vhd"' \
		shipping after 0
	dies "writing hashes" '"kind":"page-put","path":"/a.hash","skip":1' \
		shipping before 0
	[ "$form" = short ] || dies "making the snapshot" \
		'"kind":"snapshot","path":"/a.vhd"' shipping after 0
	dies "making the point" '"kind":"block-put","path":"/points/"' \
		shipping before 1
	dies "making the point, too late" \
		'"kind":"block-put","path":"/points/"' shipping after 0

	put 3 4
	put 90 4
	sync
	die '"kind":"page-put","path":"/a.hash","skip":1' leave
	put 5
	put 93
	host poweroff
}

after()
{
	mount /dev/vdb3 /var/lib/tidemark
	tidemark attach --all --quiet
	is "after a power cut everything counts as changed" \
		"$(status flags | grep -c unclean)" 1
	put 6
	# The dead run's leases live on for their minute.
	until backup --cut-hook "host truth now a"; do
		[ $? -eq 7 ] || break
	done
	point=$(field point)
	ok "after a power cut: the point is the truth" \
		host check now a "$point" a
	is "all of the disk is read" "$(tracked chunks_read)" 128
	ok "what is sent is what has changed" \
		test "$(tracked chunks_uploaded)" -le 16
	is "nothing is frozen" "$(status frozen)" -
	host clear
	ok "what came late has changed nothing" host check now a "$point" a
	put 7
	put 95
	right "the next one" incremental
	is "it reads no more than has changed" "$(tracked chunks_read)" 2
	tidemark detach --all --quiet
	umount /var/lib/tidemark
}

case $1 in
kill)	kill_all ;;
after)	after ;;
esac
done_testing
