# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# vda to vde, tracked as a to e: ext4, XFS, LUKS, LVM, and partitions; on vdf the
# state directory, with the metadata.
#
#	bypass.sh hand|start|crash

# shellcheck source=tests/vm/guest/lib.sh
. /lib/guest.sh
# shellcheck source=tests/vm/guest/vault.sh
. /lib/vault.sh

modprobe -a -q xfs dm-crypt algif_skcipher
mkdir -p /var/lib/tidemark /etc/tidemark
# Without a sample, what follows owes nothing to chance.
printf '[backup]\nsample_share = 0\n' >/etc/tidemark/tidemark.conf

status()
{
	case $2 in
	base)	status_field=7 ;;
	frozen)	status_field=8 ;;
	esac
	dmsetup status "$1" | cut -d ' ' -f "$status_field"
}

# base DEVICE: a cut of the kernel's alone, committed
base()
{
	base_id=000102030405060708090a0b0c0d0e0f
	dmsetup message "$1" 0 prepare $base_id
	until status "$1" frozen | grep -q ':prepared$'; do
		:
	done
	dmsetup suspend "$1"
	dmsetup message "$1" 0 cut $base_id
	dmsetup resume "$1"
	until status "$1" frozen | grep -q ':shipping$'; do
		:
	done
	dmsetup message "$1" 0 commit $base_id
	until [ "$(status "$1" base) $(status "$1" frozen)" = "$base_id -" ]; do
		:
	done
}

# trusted TEXT DEVICE: attaches it; its metadata are believed
trusted()
{
	got=0
	tidemark --json attach "$2" >/tmp/json || got=$?
	is "$1: attached" $got 0
	is "$1: nothing is held against it" \
		"$(grep -c '"reason":null' /tmp/json)" 1
	ok "$1: the base stands" test "$(status "$2" base)" != -
}

# doubted TEXT DEVICE WORDS: attaches it; they are not, and it says why. It is
# left detached, with a base.
doubted()
{
	got=0
	tidemark --json attach "$2" >/tmp/json || got=$?
	is "$1: attached, with a warning" $got 3
	ok "$1: it says what" grep -q "\"reason\":\"[^\"]*$3" /tmp/json
	sed -n 's/.*"reason":"\([^"]*\)".*/# \1/p' /tmp/json
	is "$1: there is no base" "$(status "$2" base)" -
	base "$2"
	tidemark detach "$2" --quiet
}

# elsewhere DEVICE OPTIONS [COMMAND...]: mounts it without the module
elsewhere()
{
	elsewhere_device=$1 elsewhere_options=$2
	shift 2
	mount -o "$elsewhere_options" "$elsewhere_device" /mnt
	"$@"
	umount /mnt
}

# touched: changes a file
# shellcheck disable=SC2317 # called through `elsewhere`
touched()
{
	date >/mnt/touched
	sync -f /mnt
}

# dirty DEVICE: what it held while it was mounted and written to, journal and
# all; it is then detached
dirty()
{
	mount "/dev/mapper/$1" /mnt
	date >/mnt/before
	sync -f /mnt
	date >/mnt/after
	fsync_file /mnt/after
	dd if="/dev/mapper/$1" of=/tmp/dirty bs=1M iflag=direct status=none \
		conv=sparse
	umount /mnt
	dd if=/tmp/dirty of="/dev/mapper/$1" bs=1M oflag=direct status=none
	rm /tmp/dirty
	base "$1"
	tidemark detach "$1" --quiet
}

fsync_file()
{
	dd if=/dev/zero of="$1" bs=4k count=1 conv=fsync status=none
}

ext4()
{
	mkfs.ext4 -q /dev/vda
	tidemark attach /dev/vda --name a --quiet
	tidemark protect $VAULT /dev/vda --disk a --item guest --quiet
	ok "a first backup" backup a
	tidemark detach a --quiet
	trusted "ext4 left alone" a
	ok "a backup then" backup a
	is "is incremental" "$(field a)" incremental
	tidemark detach a --quiet
	sum=$(sha256sum /dev/vda)
	elsewhere /dev/vda ro true
	is "mounting clean ext4 read-only writes nothing" \
		"$(sha256sum /dev/vda)" "$sum"
	trusted "ext4 mounted read-only" a
	tidemark detach a --quiet

	elsewhere /dev/vda rw touched
	got=0
	tidemark attach a 2>/tmp/err || got=$?
	is "ext4 mounted elsewhere: attached, with a warning" $got 3
	ok "it says so, and what it saw" grep -q \
		"ext4 superblock of the device has changed (mounted 1 time, .*was: mounted 0 times" \
		/tmp/err
	sed 's/^/# /' /tmp/err
	ok "a backup" backup a --cut-hook "host truth now a"
	is "is a compare scan" "$(field a)" compare
	ok "and the truth" host check now a "$(field point)" a
	dirty a
	ok "the journal is dirty" \
		sh -c 'dumpe2fs -h /dev/vda 2>/dev/null | grep -q needs_recovery'
	trusted "ext4 with a dirty journal left alone" a
	tidemark detach a --quiet
	elsewhere /dev/vda ro true
	doubted "a dirty ext4 mounted read-only" a \
		"ext4 superblock of the device has changed"
}

xfs()
{
	# Smaller than it likes, unless it is tested.
	TEST_DIR=/ TEST_DEV=/ QA_CHECK_FS=1 mkfs.xfs -q /dev/vdb
	tidemark attach /dev/vdb --name b --quiet
	base b
	tidemark detach b --quiet
	trusted "XFS left alone" b
	tidemark detach b --quiet
	elsewhere /dev/vdb rw true
	doubted "XFS mounted, and nothing done" b "the XFS .* has changed"
	elsewhere /dev/vdb rw touched
	doubted "XFS mounted elsewhere" b "the XFS .* has changed"
	tidemark attach b --quiet
	dirty b
	trusted "XFS with a dirty log left alone" b
	tidemark detach b --quiet
	elsewhere /dev/vdb ro true
	doubted "a dirty XFS mounted read-only" b "the XFS .* has changed"
}

luks()
{
	echo secret >/tmp/key
	cryptsetup luksFormat -q --type luks2 --pbkdf pbkdf2 \
		--pbkdf-force-iterations 1000 /dev/vdc /tmp/key
	cryptsetup open --key-file /tmp/key /dev/vdc crypt
	mkfs.ext4 -q /dev/mapper/crypt
	cryptsetup close crypt
	tidemark attach /dev/vdc --name c --quiet
	base c
	tidemark detach c --quiet
	cryptsetup open --key-file /tmp/key /dev/vdc crypt
	cryptsetup close crypt
	trusted "LUKS opened and closed" c
	tidemark detach c --quiet
	cryptsetup open --key-file /tmp/key /dev/vdc crypt
	elsewhere /dev/mapper/crypt rw touched
	cryptsetup close crypt
	doubted "what LUKS holds, mounted elsewhere" c \
		"beginning of the encrypted data of the device has changed"
	cryptsetup luksAddKey -q --pbkdf pbkdf2 --pbkdf-force-iterations 1000 \
		--key-file /tmp/key /dev/vdc /etc/passwd
	doubted "a new key" c "LUKS header of the device has changed"
}

lvm_volumes()
{
	{
		pvcreate -q /dev/vdd
		vgcreate -q vg /dev/vdd
		lvcreate -q -an -Zn -L 4M -n first vg
		lvcreate -q -ay -Zn -L 12M -n second vg
		mkfs.ext4 -q /dev/vg/second
		vgchange -q -an vg
	} >/tmp/lvm 2>&1
	tidemark attach /dev/vdd --name d --quiet
	base d
	tidemark detach d --quiet
	vgchange -q -ay vg >/tmp/lvm 2>&1
	vgchange -q -an vg >/tmp/lvm 2>&1
	trusted "volumes activated and deactivated" d
	tidemark detach d --quiet
	vgchange -q -ay vg >/tmp/lvm 2>&1
	elsewhere /dev/vg/second rw touched
	vgchange -q -an vg >/tmp/lvm 2>&1
	doubted "a volume mounted elsewhere" d \
		"beginning of a logical volume of the device has changed"
	lvcreate -q -an -Zn -L 4M -n third vg >/tmp/lvm 2>&1
	doubted "a new volume" d "LVM metadata of the device has changed"
}

partitions()
{
	printf 'label: gpt\nsize=8M\nsize=8M\n' | sfdisk -q /dev/vde
	mkfs.ext4 -q /dev/vde2
	tidemark attach /dev/vde --name e --quiet
	base e
	tidemark detach e --quiet
	trusted "partitions left alone" e
	tidemark detach e --quiet
	elsewhere /dev/vde2 rw touched
	doubted "a partition mounted elsewhere" e \
		"ext4 superblock of partition 2 has changed"
	sfdisk -q --part-label /dev/vde 1 other
	doubted "a partition renamed" e "partition table has changed"
	mkfs.ext4 -q /dev/vde1
	doubted "a filesystem made where there was none" e \
		"beginning of partition 1 has changed"
}

hand()
{
	mkfs.ext4 -q /dev/vdf
	mount /dev/vdf /var/lib/tidemark
	ext4
	xfs
	luks
	lvm_volumes
	partitions
	tidemark attach a --quiet
	tidemark attach b --quiet
	ok "an orderly stop" tidemark detach --all
	ok "leaves a seal" grep -q '"kind": "ext4"' \
		/var/lib/tidemark/attached/a.json
	umount /var/lib/tidemark
	sync
}

start()
{
	elsewhere /dev/vda rw touched
	mount /dev/vdf /var/lib/tidemark
	got=0
	tidemark --json attach --all >/tmp/json || got=$?
	is "all that was attached, with a warning" $got 3
	is "of one disk" "$(grep -o '"reason":"' /tmp/json | wc -l)" 1
	is "that one starts anew" "$(status a base)" -
	ok "the other does not" test "$(status b base)" != -
	is "while it is attached there is no seal" \
		"$(grep -l '"seal"' /var/lib/tidemark/attached/[ab].json)" ""
	is "what was detached by hand is not there" "$(dmsetup ls | wc -l)" 2
	base a
	mount /dev/mapper/a /mnt
	touched
	host poweroff
}

crash()
{
	mount /dev/vdf /var/lib/tidemark
	ok "a crash is no reason to doubt" tidemark attach --all
	ok "the base stands" test "$(status a base)" != -
	tidemark detach --all
}

case $1 in
hand)	hand ;;
start)	start ;;
crash)	crash ;;
esac
done_testing
