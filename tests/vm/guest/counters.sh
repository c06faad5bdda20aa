# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# What incremental backups read and send. vda is tracked whole, of vdb the
# second partition; vdc1 and vdc2 hold their metadata.

# shellcheck source=tests/vm/guest/lib.sh
. /lib/guest.sh
# shellcheck source=tests/vm/guest/proxied.sh
. /lib/proxied.sh
chunk=65536

printf 'size=1M\nsize=1M\n' | sfdisk -q /dev/vdc
printf 'size=1M\nsize=12M\n' | sfdisk -q /dev/vdb
tidemark attach /dev/vda /dev/vdc1 --name a --quiet
tidemark attach /dev/vdb2 /dev/vdc2 --name b --quiet
tidemark protect $VAULT /dev/vda --disk a --item guest --quiet
tidemark protect $VAULT /dev/vdb --disk b --item guest --quiet
put 0 256
backup || fail "the first backup" "$(cat /tmp/err)"

# stop: an orderly one, of which the module leaves, and everything back
stop()
{
	tidemark detach --all --quiet
	rmmod dm_tidemark
	insmod /dm-tidemark.ko
	tidemark attach --all --quiet
}

read_bytes()
{
	awk '{ print $3 * 512 }' "/sys/block/$1/stat"
}

# measure TEXT CHANGED SAME CLEARED: a backup of disk a, after a clean stop
measure()
{
	text=$1 changed=$2 same=$3 cleared=$4 sent=$(($2 - $3 - $4))
	stop
	host reset
	before=$(read_bytes vda)
	right "$text" incremental
	took=$(($(read_bytes vda) - before))
	sampled=$(field chunks_sampled)
	puts=$(host sum bytes page-put '/a\.vhd$')
	clears=$(host sum requests page-clear '/a\.vhd$')
	requests=$(host sum requests '*' '')
	echo "# $text: $changed changed, $sampled sampled, $took bytes read" \
		"from the disk, $puts bytes put, $clears clears," \
		"$requests requests"
	is "$text: chunks changed" "$(tracked chunks_changed)" "$changed"
	is "$text: chunks read" "$(tracked chunks_read)" "$changed"
	ok "$text: bytes read" test $(($(tracked bytes_read) * 10)) -le \
		$((changed * chunk * 11))
	is "$text: chunks found the same" "$(tracked chunks_same)" "$same"
	is "$text: chunks cleared" "$(tracked chunks_cleared)" "$cleared"
	is "$text: chunks sent" "$(tracked chunks_uploaded)" $sent
	is "$text: bytes sent, counted on their way" "$puts" $((sent * chunk))
	ok "$text: bytes read, counted by the disk" test "$took" -le \
		$((changed * chunk * 11 / 10 + sampled * chunk))
	is "$text: requests, counted on their way" "$(field requests)" \
		"$requests"
}

for i in 3 17 64 65 100 200 255 511; do
	dd if=/dev/urandom of=/dev/mapper/a bs=4k seek=$((i * 16 + 5)) \
		count=1 oflag=direct status=none
done
measure "a little in eight chunks" 8 0 0

for i in 5 6 7 90 91; do
	dd if=/dev/mapper/a of=/tmp/chunk bs=64k skip=$i count=1 status=none
	dd if=/tmp/chunk of=/dev/mapper/a bs=64k seek=$i oflag=direct \
		status=none
done
measure "the same data again" 5 5 0
is "nothing is written to the vault's disk for that" \
	"$clears $(host sum requests page-put '/a\.(vhd|hash)$')" "0 0"

blkdiscard -o $((40 * chunk)) -l $((4 * chunk)) /dev/mapper/a
dd if=/dev/zero of=/dev/mapper/a bs=64k seek=50 count=2 oflag=direct status=none
measure "discarded, and written with zeroes" 6 0 6
is "that takes one request for each range" "$clears" 2

blkdiscard -o $((400 * chunk)) -l $((24 * chunk)) /dev/mapper/a
put 42
put 120 3
dd if=/dev/mapper/a of=/tmp/chunk bs=64k skip=130 count=1 status=none
dd if=/tmp/chunk of=/dev/mapper/a bs=64k seek=130 oflag=direct status=none
blkdiscard -o $((140 * chunk)) -l $((8 * chunk)) /dev/mapper/a

measure "all of that" 37 25 8

stop
host reset
ok "an unchanged disk" backup a
requests=$(host sum requests '*' '')
echo "# an unchanged disk: $requests requests"
ok "takes at most 24 requests, counted on their way" test "$requests" -le 24
is "reads nothing" "$(tracked chunks_read)" 0
is "and writes no page" "$(host sum requests 'page-*' '')" 0

# Of a disk with partitions, what is not tracked is scanned, and counted apart.
for i in 1 50 99; do
	dd if=/dev/urandom of=/dev/mapper/b bs=64k seek=$i count=1 \
		oflag=direct status=none
done
stop
host reset
ok "a disk of partitions" backup b --cut-hook "host truth now b"
ok "its point is the truth" host check now b "$(field point)" b
is "of its tracked partition, what has changed is read" \
	"$(tracked chunks_read)" 3
ok "and no more bytes" test $(($(tracked bytes_read) * 10)) -le \
	$((3 * chunk * 11))
is "the rest is scanned, and found the same" \
	"$(grep -o '"scanned":{[^}]*}' /tmp/json |
		grep -o '"bytes_uploaded":[0-9]*')" '"bytes_uploaded":0'
is "and what is sent is what has changed" \
	"$(host sum bytes page-put '/b\.vhd$')" $((3 * chunk))
tidemark detach --all
done_testing
