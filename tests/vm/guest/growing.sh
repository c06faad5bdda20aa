# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# A volume on vda that grows while it is tracked, as a with metadata in a file
# and as b with metadata in half of vdb, which is too small until it grows, too;
# the state directory is on vdc.

# shellcheck source=tests/vm/guest/lib.sh
. /lib/guest.sh
# shellcheck source=tests/vm/guest/vault.sh
. /lib/vault.sh

mkdir -p /var/lib/tidemark /etc/tidemark
printf '[backup]\nsample_share = 0\n' >/etc/tidemark/tidemark.conf
mkfs.ext4 -q /dev/vdc
mount /dev/vdc /var/lib/tidemark

# length NAME SECTORS TARGET: gives a linear device another length
length()
{
	dmsetup suspend "$1"
	dmsetup load "$1" --table "0 $2 linear $3"
	dmsetup resume "$1"
}

# word NAME N: of the status, from MODE on
word()
{
	dmsetup status "$1" | cut -d ' ' -f $(($2 + 4))
}

# refused TEXT STATUS WORDS COMMAND...: fails with STATUS, and says WORDS
refused()
{
	text=$1 want=$2 words=$3
	shift 3
	got=0
	"$@" >/tmp/out 2>/tmp/err || got=$?
	is "$text: status" "$got" "$want"
	ok "$text: says why" grep -q "$words" /tmp/err
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

# v begins with less than half of the disk that the host sees.
dmsetup create v --table "0 131072 linear /dev/vda 0"
dmsetup create m --table "0 48 linear /dev/vdb 0"
mkfs.ext4 -q -b 4096 /dev/mapper/v
tidemark attach /dev/mapper/v --name a --chunk-size 4K --region-size 64K \
	--quiet
mount /dev/mapper/a /mnt
refused "a device that is not tracked" 4 "nothing is recorded" \
	tidemark grow none
tidemark --json grow a >/tmp/json
is "what has not grown stays" \
	"$(field was_bytes) $(field size_bytes)" "67108864 67108864"

tidemark protect $VAULT /dev/mapper/v --disk a --item guest --quiet
ok "a backup of what there is of it" backup a
base=$(word a 3)
date >/mnt/before
meta=$(stat -c %s /var/lib/tidemark/meta/a)
length v 278528 "/dev/vda 0"
ok "grow" tidemark --json grow a
is "its size" "$(blockdev --getsize64 /dev/mapper/a)" 142606336
is "it tracks" "$(word a 1)" tracking
is "chunks" "$(word a 8)" 34816
is "the base stands" "$(word a 3)" "$base"
ok "its metadata have become larger" \
	test "$(stat -c %s /var/lib/tidemark/meta/a)" -gt "$meta"
ok "what was added counts as changed" test "$(word a 7)" -ge 18432
resize2fs /dev/mapper/a >/tmp/resize 2>&1
date >/mnt/after
right "all of it" incremental
date >/mnt/later
right "and again" incremental
umount /mnt
tidemark detach a --quiet
ok "attach again" tidemark attach a --quiet
is "it is as large as it has become" \
	"$(blockdev --getsize64 /dev/mapper/a)" 142606336
tidemark detach a --quiet
sed -i 's/"sectors": 278528/"sectors": 131072/' \
	/var/lib/tidemark/attached/a.json
ok "a record that had not followed" tidemark attach a --quiet
is "goes by the metadata" \
	"$(blockdev --getsize64 /dev/mapper/a)" 142606336
right "then" incremental
tidemark detach a --quiet

length v 131072 "/dev/vda 0"
tidemark attach /dev/mapper/v /dev/mapper/m --name b --chunk-size 4K \
	--region-size 64K --quiet
length v 278528 "/dev/vda 0"
refused "metadata on a device that is too small" 10 "are needed" \
	tidemark grow b
is "it goes on as it was" "$(word b 1) $(word b 8)" "tracking 16384"
length m 64 "/dev/vdb 0"
dmsetup message b 0 prepare 000102030405060708090a0b0c0d0e0f
until word b 4 | grep -q ':prepared$'; do
	:
done
refused "while there is a cut" 7 "backup" tidemark grow b
dmsetup message b 0 abort 000102030405060708090a0b0c0d0e0f
until [ "$(word b 4)" = - ]; do
	:
done
ok "when that has grown, too" tidemark grow b --quiet
is "it tracks" "$(word b 1) $(word b 8)" "tracking 34816"
tidemark detach b --quiet
refused "what is detached" 11 "not attached" tidemark grow b
done_testing
