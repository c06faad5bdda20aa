# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# attach and detach, in a guest: vda is tracked, vdb holds metadata, vdc is a
# disk with partitions and room for files.
#
#	attach.sh make|boot

# shellcheck source=tests/vm/guest/lib.sh
. /lib/guest.sh
insmod /dm-tidemark.ko
modprobe loop
mkdir -p /var/lib

# The state directory outlives this boot on vdc1.
state()
{
	mkdir -p /var/lib/tidemark
	mount /dev/vdc1 /var/lib/tidemark
}

# refused TEXT STATUS WORD COMMAND...: fails with STATUS, says WORD, once
refused()
{
	text=$1 want=$2 word=$3
	shift 3
	got=0
	"$@" >/tmp/out 2>/tmp/err || got=$?
	is "$text: status" "$got" "$want"
	ok "$text: says why" grep -q "$word" /tmp/err
	is "$text: nothing on stdout" "$(cat /tmp/out)" ""
}

# shellcheck disable=SC2317 # ok calls it
json()
{
	tidemark --json "$@" >/tmp/json
}

field()
{
	sed -n "s/.*\"$1\": *\"\{0,1\}\([^\",}]*\).*/\1/p" /tmp/json | head -n 1
}

# options DEVICE: of its table
options()
{
	dmsetup table "$1" | cut -d ' ' -f 6-
}

make()
{
	printf 'size=40M\nsize=8M\n' | sfdisk -q /dev/vdc
	mkfs.ext4 -q /dev/vdc1
	state

	refused "no such device" 4 "No such file" tidemark attach /dev/vdz -
	refused "not a device" 2 "not a block device" tidemark attach /init -
	refused "mounted" 11 "in use" tidemark attach /dev/vdc1 /dev/vdb
	refused "a partition is mounted" 11 "in use" \
		tidemark attach /dev/vdc /dev/vdb
	refused "metadata on the origin" 11 "lies on" \
		tidemark attach /dev/vda /dev/vda
	truncate -s 4096 /var/lib/tidemark/small
	refused "metadata too small" 10 "are needed" \
		tidemark attach /dev/vda /var/lib/tidemark/small
	mkfs.ext4 -q /dev/vdc2
	refused "metadata over a filesystem" 11 "ext4" \
		tidemark attach /dev/vda /dev/vdc2
	refused "a bad name" 2 "name" \
		tidemark attach /dev/vda /dev/vdb --name '../x'
	refused "a bad chunk size" 2 "chunk" \
		tidemark attach /dev/vda /dev/vdb --chunk-size 100K
	is "refusals leave nothing" "$(dmsetup ls)" "No devices found"

	ok "attach" json attach /dev/vda /dev/vdb
	is "it is named after the device" "$(field device)" tm-vda
	ok "its node is there" test -b /dev/mapper/tm-vda
	is "it has the size of the origin" \
		"$(blockdev --getsize64 /dev/mapper/tm-vda)" \
		"$(blockdev --getsize64 /dev/vda)"
	ok "it tracks" dmsetup status tm-vda
	refused "attached twice" 11 "in use" tidemark attach /dev/vda -
	refused "attached by name twice" 11 "is attached" \
		tidemark attach tm-vda
	mkfs.ext4 -q /dev/mapper/tm-vda
	mount /dev/mapper/tm-vda /mnt
	refused "detach what is mounted" 7 "busy" tidemark detach tm-vda
	ok "it is still there" test -b /dev/mapper/tm-vda
	umount /mnt
	changed=$(dmsetup status tm-vda | cut -d ' ' -f 11)
	ok "changes were counted" test "$changed" -gt 0

	ok "detach" tidemark detach tm-vda
	is "the mapping is gone" "$(dmsetup ls)" "No devices found"
	ok "detach what is detached" tidemark detach tm-vda --quiet
	ok "attach again by name" json attach tm-vda
	is "nothing was missed" "$(field all_changed)" false
	is "it remembers" "$(dmsetup status tm-vda | cut -d ' ' -f 11)" \
		"$changed"

	ok "attach with files" tidemark attach /dev/vdc2 \
		/var/lib/tidemark/meta-vdc2 --name second \
		--store /var/lib/tidemark/store-vdc2 --store-size 4M --quiet
	is "the store is made" "$(stat -c %s /var/lib/tidemark/store-vdc2)" \
		4194304
	ok "detach lets the files go" tidemark detach second
	ok "and their loop devices" test -z "$(losetup -a)"
	ok "attach in memory" tidemark attach /dev/vdc2 - --name third
	is "without options it tracks as the configuration says" \
		"$(options third)" "2 chunk_sectors 128"
	ok "detach that" tidemark detach third
	mkdir -p /etc/tidemark
	printf '[tracking]\nclose_after = 5\nmeta_timeout = 6\n' \
		>/etc/tidemark/tidemark.conf
	printf 'region_size = 2M\n' >>/etc/tidemark/tidemark.conf
	refused "a time of nothing" 2 "close-after" \
		tidemark attach /dev/vdc2 - --close-after 0
	refused "a word that is none" 2 "on-lost" \
		tidemark attach /dev/vdc2 - --on-lost maybe
	refused "regions that are none" 2 "regions" \
		tidemark attach /dev/vdc2 - --region-size 96K
	ok "attach with options" tidemark attach /dev/vdc2 - --name fourth \
		--close-after 3 --on-lost fail --region-size 1M
	is "they come before the configuration" "$(options fourth)" "10 \
chunk_sectors 128 region_sectors 2048 close_after 3 meta_timeout 6 on_lost fail"
	tidemark detach fourth
	ok "attach that again" tidemark attach fourth
	is "what was asked for is remembered" "$(options fourth)" "10 \
chunk_sectors 128 region_sectors 2048 close_after 3 meta_timeout 6 on_lost fail"
	tidemark detach fourth
	tidemark detach tm-vda
	ok "attach what has a set already" tidemark attach tm-vda
	is "it keeps its regions" "$(options tm-vda)" \
		"6 chunk_sectors 128 close_after 5 meta_timeout 6"
	rm /etc/tidemark/tidemark.conf

	ok "detach everything" tidemark detach --all
	is "nothing is left" "$(dmsetup ls)" "No devices found"
	umount /var/lib/tidemark
	sync
}

boot()
{
	state
	ok "attach everything" json attach --all
	is "what was not detached by hand is back" "$(dmsetup ls | cut -f 1)" \
		tm-vda
	ok "it remembers" test \
		"$(dmsetup status tm-vda | cut -d ' ' -f 11)" -gt 0
	ok "a second time does nothing" tidemark attach --all
	mount -o ro /dev/mapper/tm-vda /mnt
	ok "the filesystem is there" test -d /mnt/lost+found
	umount /mnt
	ok "detach everything" tidemark detach --all
	umount /var/lib/tidemark
}

case $1 in
make)	make ;;
boot)	boot ;;
esac
done_testing
