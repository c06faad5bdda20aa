# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# Restores to tracked disks: replace.sh before|after FORM. vda is tracked whole;
# of vdc the second partition is. vdb1 and vdb4 hold the metadata, vdb2 the store,
# vdb3 the program's state, which outlives the boot.

# shellcheck source=tests/vm/guest/lib.sh
. /lib/guest.sh
# shellcheck source=tests/vm/guest/proxied.sh
. /lib/proxied.sh

form=$2
mkdir -p /var/lib/tidemark

# replace ARG...: the result is in /tmp/json
replace()
{
	if tidemark --json --yes restore replace "$@" >/tmp/json 2>/tmp/err; then
		return 0
	else
		replace_status=$?
		sed 's/^/# /' /tmp/json
		return $replace_status
	fi
}

# back POINT ARG...: replace of disk a, without a way back
back()
{
	replace a --no-backup --point "$@"
}

# kept N: the truth of backup N, as a point and as a disk
kept()
{
	ok "backup $1" backup a --cut-hook "host truth $1 a"
	eval "point_$1=\$(field point)"
}

# is_as N TEXT: the disk is what it was at backup N
is_as()
{
	ok "$2: exactly" host same "$1" a
}

# spoil: some of it has to be read, some to become zeroes
spoil()
{
	put 5 10
	put 30 10
	put 80 10
	put 205 10
}

# killed RULE: replace stands where a rule, of which RULE is a part, holds its
# requests; it is to be killed
killed()
{
	rule=$(host rule "{\"do\":\"hold\",\"times\":0,$1}")
	tidemark --yes restore replace a --no-backup --point "$point_1" \
		>/tmp/killed 2>&1 &
	pid=$!
	until host acted "$rule"; do
		kill -0 $pid || break
	done
}

set_up()
{
	printf 'size=1M\nsize=8M\nsize=40M\nsize=1M\n' | sfdisk -q /dev/vdb
	mkfs.ext4 -q /dev/vdb3
	mount /dev/vdb3 /var/lib/tidemark
	tidemark attach /dev/vda /dev/vdb1 --store /dev/vdb2 --name a --quiet
	tidemark protect $VAULT /dev/vda --disk a --item guest --quiet
	put 0 64
	put 200 20
	kept 1
	put 10 40
	put 240 8
	dd if=/dev/zero of=/dev/mapper/a bs=64k seek=205 count=2 oflag=direct \
		status=none
	kept 2
}

# 50 chunks are not what they were
differing=$((50 * 65536))

in_place()
{
	put 100 3
	ok "a dry run" replace a --point "$point_1" --dry-run
	is "it would move what differs" "$(field bytes_to_move)" \
		$((differing - 8 * 65536))
	is "and write that" "$(field bytes_to_write)" $((differing + 3 * 65536))
	is "by what tracking knows" "$(field by_tracking)" true
	is "of the disk only what has changed since is read" \
		"$(field chunks_hashed)" 3
	ok "the dry run has left it" \
		test "$(dmsetup status a | cut -d ' ' -f 11)" = 3
	points=$(host points | wc -l)
	ok "it goes back" replace a --point "$point_1"
	is_as 1 "what comes back"
	is "a point of what it was has been made" "$(host points | wc -l)" \
		$((points + 1))
	is "by what tracking knows" "$(field by_tracking)" true
	is "after that backup nothing of the disk is read" \
		"$(field chunks_hashed)" 0
	ok "moved is what differs" test "$(field bytes_received)" -le \
		$(((differing - 8 * 65536) * 105 / 100))
	echo "# $(field bytes_received) bytes for $((differing - 8 * 65536))"
	right "after that" incremental
	is "the next backup reads what has been brought back" \
		"$(tracked chunks_read)" 53
	way_back=$(host points | tail -n 2 | head -n 1)
	ok "and back again" back "$way_back"
	put 100 3
	# What goes past the module is not marked
	dd if=/dev/urandom of=/dev/vda bs=64k count=256 oflag=direct \
		status=none
	told=0
	back "$point_1" || told=$?
	is "a disk that was written without being tracked: one is told" $told 3
	is "nothing is believed of it" "$(field by_tracking)" false
	is "all of it is read" "$(field chunks_hashed)" 256
	is_as 1 "what comes back"
	right "after that" incremental
	is "the next backup reads all of it" "$(tracked chunks_read)" 256
	ok "to the second" back "$point_2"
	is_as 2 "the second"
	right "after that" incremental
}

in_use()
{
	mkfs.ext4 -q -F /dev/mapper/a
	mkdir -p /mnt
	mount /dev/mapper/a /mnt
	refused=0
	back "$point_1" || refused=$?
	is "a mounted disk is not brought back" $refused 7
	refused=0
	tidemark restore disk a /dev/vda --yes --quiet 2>/dev/null || refused=$?
	is "nor restored to beneath" $refused 7
	umount /mnt
}

# At moments that are spread over what it takes
random_deaths()
{
	n=3
	[ "$form" = short ] || n=20
	exact=0 died=0
	for i in $(seq $n); do
		put $((i * 7)) 30
		took=$(od -An -N1 -tu1 /dev/urandom)
		tidemark --yes restore replace a --no-backup \
			--point "$point_1" >/tmp/killed 2>&1 &
		pid=$!
		sleep "$((took / 64)).$((took % 64 + 20))"
		kill -9 $pid 2>/dev/null || :
		wait $pid 2>/dev/null || died=$((died + 1))
		back "$point_1" && host same 1 a && exact=$((exact + 1))
	done
	is "killed at $n moments, $died of them in time: each is exact" $exact $n
	spoil
	killed '"kind":"read","path":"/a.vhd","skip":3'
	kill -9 $pid
	wait $pid 2>/dev/null || :
	host clear
	refused=0
	backup a >/tmp/refused || refused=$?
	is "no backup of what is between two states" $refused 11
	ok "it is completed" back "$point_1"
	is_as 1 "what was killed"
	right "after all that" incremental
}

partitions()
{
	printf 'size=1M\nsize=3M\nsize=1M\n' | sfdisk -q /dev/vdc
	tidemark attach /dev/vdc2 /dev/vdb4 --name c --quiet
	tidemark protect $VAULT /dev/vdc --disk c --item guest \
		--quiet
	dd if=/dev/urandom of=/dev/mapper/c bs=64k count=40 oflag=direct \
		status=none
	dd if=/dev/urandom of=/dev/vdc1 bs=64k count=4 oflag=direct status=none
	ok "a disk of partitions" backup c --cut-hook "host truth 1 c"
	point=$(field point)
	dd if=/dev/urandom of=/dev/mapper/c bs=64k seek=7 count=9 oflag=direct \
		status=none
	dd if=/dev/urandom of=/dev/vdc1 bs=64k seek=2 count=4 oflag=direct \
		status=none
	ok "goes back" replace c --no-backup --point "$point"
	ok "a disk of partitions: exactly" host same 1 c
	is "by what tracking knows" "$(field by_tracking)" true
	ok "the rest of it is read" test "$(field chunks_hashed)" -lt 70
	ok "its next backup" backup c --cut-hook "host truth 2 c"
	ok "is right" host check 2 c "$(field point)" c
	tidemark detach c --quiet
}

before()
{
	set_up
	in_place
	in_use
	random_deaths
	partitions
	spoil
	killed '"kind":"read","path":"/a.vhd","skip":3'
	put 90 2
	sync
	host poweroff
}

# beneath TEXT POINT N MODE: onto the device, then a backup
beneath()
{
	ok "$1: it is restored" tidemark restore disk a /dev/vda --point "$2" \
		--yes --quiet
	is_as "$3" "$1"
	[ "$4" != compare ] || tidemark attach a --quiet
	right "$1" "$4"
	is "$1: all of it is read" "$(tracked chunks_read)" 256
}

after()
{
	host clear
	mount /dev/vdb3 /var/lib/tidemark
	tidemark attach a --quiet
	point_1=$(host points | head -n 1)
	point_2=$(host points | sed -n 2p)
	told=0
	tidemark status --local >/dev/null 2>/tmp/err || told=$?
	is "after a power cut one is told" $told 3
	ok "that it is not consistent" grep -q 'not consistent' /tmp/err
	ok "it is completed" back "$point_1"
	is_as 1 "after a power cut"
	is "as the one that broke off" "$(field completed_earlier_one)" true
	right "after that" incremental
	beneath "beneath its tracking" "$point_2" 2 incremental
	tidemark detach a --quiet
	beneath "while it is detached" "$point_1" 1 compare
	tidemark detach --all --quiet
	umount /var/lib/tidemark
}

case $1 in
before)	before ;;
after)	after ;;
esac
done_testing
