#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Recovery points mounted on the machine that they are of.
#
#	vda1	ext4			vda2	LVM group vg0: ext4, XFS
#	vda3	a half of md RAID1: ext4
#	vdb1	the other half		vdb2	LUKS: ext4
#	vdc	XFS on the whole disk	(btrfs: vdb3)
#
# shellcheck disable=SC2317 # called through `ok`

# shellcheck source=tests/vm/guest/lib.sh
. /vm/guest.sh
# vault.sh loads the module, which wants it.
modprobe libcrc32c
# shellcheck source=tests/vm/guest/vault.sh
. /vm/vault.sh

# Where each filesystem is used, and what it is called in a mounted point.
TREES="plain:a-p1 lvm:vg0-data lvmxfs:vg0-logs raid:md luks:b-p2-luks
btrfs:b-p3 xfs:c"
PASSPHRASE=correct-horse

printf 'size=64M\nsize=340M\nsize=64M\n' | sfdisk -q /dev/vda
printf 'size=64M\nsize=64M\nsize=256M\n' | sfdisk -q /dev/vdb
udevadm settle
pvcreate -q /dev/vda2 >/dev/null
vgcreate -q vg0 /dev/vda2 >/dev/null
lvcreate -q -n data -L 16M vg0 >/dev/null
lvcreate -q -n logs -L 304M vg0 >/dev/null
mdadm --create /dev/md0 --quiet --level 1 --raid-devices 2 --run \
	--assume-clean /dev/vda3 /dev/vdb1
printf %s $PASSPHRASE | cryptsetup luksFormat -q --type luks2 \
	--pbkdf pbkdf2 --pbkdf-force-iterations 1000 /dev/vdb2 --key-file -
printf %s $PASSPHRASE >/root/key
chmod 600 /root/key
cryptsetup open /dev/vdb2 secret --key-file /root/key
for device in vda1 mapper/vg0-data md0 mapper/secret; do
	mkfs.ext4 -q "/dev/$device"
done
mkfs.xfs -q /dev/mapper/vg0-logs
mkfs.xfs -q /dev/vdc
mkfs.btrfs -q /dev/vdb3
mkdir -p /plain /lvm /lvmxfs /raid /luks /btrfs /xfs /point
mount /dev/vda1 /plain
mount /dev/mapper/vg0-data /lvm
mount /dev/mapper/vg0-logs /lvmxfs
mount /dev/md0 /raid
mount /dev/mapper/secret /luks
mount /dev/vdb3 /btrfs
mount /dev/vdc /xfs

# fill DIR: files of all kinds
fill()
{
	mkdir -p "$1/dir/deeper"
	head -c 300000 /dev/urandom >"$1/dir/random"
	echo "of $1" >"$1/name"
	truncate -s 2M "$1/sparse"
	echo end >>"$1/sparse"
	ln "$1/name" "$1/dir/again"
	ln -s /name "$1/dir/deeper/link"
	chown 1234:4321 "$1/dir/random"
	chmod 4751 "$1/dir/random"
	setfattr -n user.colour -v blue "$1/name"
	setfacl -m u:4242:r "$1/name"
	touch -d '2020-02-02 02:02:02 UTC' "$1/dir/random"
}

# told DIR: all that there is to say of what is in it, but what a filesystem makes
# of a directory: its size, its links
told()
{
	(
		cd "$1" || exit
		find . -path ./lost+found -prune -o \( -type d \
			-printf '%p %y %m %U %G %T@\n' -o \
			-printf '%p %y %m %U %G %s %n %T@ %l\n' \) |
			sed 's/^\. .*//' | sort
		find . -path ./lost+found -prune -o ! -type l -print | sort \
			>/tmp/names
		xargs sha256sum </tmp/names 2>/dev/null
		xargs getfattr -d -m user. </tmp/names
		xargs getfacl -n -p </tmp/names
	)
}

for tree in $TREES; do
	fill "/${tree%%:*}"
done
sync
for disk in a b c; do
	tidemark protect "$VAULT" "/dev/vd$disk" --disk $disk --item guest --quiet
done
ok "a backup" backup --quiet
for tree in $TREES; do
	told "/${tree%%:*}" >"/root/told.${tree%%:*}"
	echo changed since >"/${tree%%:*}/name"
	rm "/${tree%%:*}/dir/random"
done
sync

# host_state: what of this machine has to stay as it is
host_state()
{
	vgs --noheadings -o vg_name,vg_uuid,lv_count 2>&1
	lvs --noheadings -o lv_name,lv_attr 2>&1
	grep -c ^md /proc/mdstat
	dmsetup ls | sort
	links
	findmnt -rno SOURCE,TARGET | sort
}

# links: what names lead to which disks; an NBD device that is not in use has a
# number, too
links()
{
	find /dev/disk /dev/md -type l ! -path '*/by-diskseq/*' -printf '%p %l\n' \
		2>/dev/null | sort
}
container=$(sed -n 's/.*"container": "\([^"]*\)".*/\1/p' \
	/var/lib/tidemark/disks/a.json)
host "$container" >/root/blobs
host_state >/root/before
links >/root/links

# servers: their processes
servers()
{
	grep -l nbdkit /proc/[0-9]*/comm 2>/dev/null | sed 's|[^0-9]||g'
}

# name_of TREE: its directory below /point
name_of()
{
	case $1 in
	md)	(cd /point && echo md-*) ;;
	*)	echo "$1" ;;
	esac
}

tidemark mount /point --key-file /root/key >/tmp/out 2>/tmp/err
is "a point is mounted beside its own disks" $? 0
sed 's/^/# /' /tmp/out /tmp/err
udevadm settle
for tree in $TREES; do
	told "/point/$(name_of "${tree##*:}")" >/tmp/told
	ok "${tree%%:*} is as it was" cmp "/root/told.${tree%%:*}" /tmp/told
done
ok "it cannot be written" sh -c '! touch /point/a-p1/new 2>/dev/null'
links >/tmp/links
ok "UUIDs and names lead to the machine's own disks" diff /root/links /tmp/links
host "$container" >/tmp/blobs
is "each of its servers holds the point" "$(grep -c '^holds/' /tmp/blobs)" 3
is "its own group is untouched" "$(vgs --noheadings -o vg_name 2>/dev/null |
	grep -c vg0)" 1
is "its own files are the new ones" "$(cat /lvm/name /plain/name | sort -u)" \
	"changed since"

ok "a directory where one is mounted" sh -c \
	'tidemark mount /point >/dev/null 2>&1; [ $? -eq 7 ]'
mkdir -p /full/x
ok "a directory that is not empty" sh -c \
	'tidemark mount /full >/dev/null 2>&1; [ $? -eq 11 ]'

ok "files are listed" sh -c \
	'tidemark files list a-p1/dir --from /point | grep -q " random$"'
ok "a tree is copied out" tidemark files get a-p1/ /out --from /point --quiet
told /out >/tmp/told
ok "as it was" cmp /root/told.plain /tmp/told
is "sparse" "$(du -k /out/sparse | cut -f 1)" 4
tidemark files get a-p1/dir/deeper/link /out2 --from /point --quiet
is "a link is copied as one" "$(readlink /out2)" /name
ok "a path through a link stays in the filesystem" sh -c \
	'tidemark files list a-p1/dir/deeper/link/.. --from /point >/dev/null 2>&1
		[ $? -ne 0 ]'

cd /point/a-p1 || exit
ok "in use: it is not taken down" sh -c \
	'tidemark umount /point >/dev/null 2>/tmp/err; [ $? -eq 7 ]'
ok "and said which" grep -q "/point/a-p1" /tmp/err
cd / || exit
ok "umount" tidemark umount /point --quiet
udevadm settle
host_state >/root/after
ok "nothing is left, nothing is changed" diff /root/before /root/after
host "$container" >/tmp/blobs
ok "nor in the vault: blobs, ETags, holds" diff /root/blobs /tmp/blobs
is "no server is left" "$(servers)" ""
is "no record is left" "$(ls /run/tidemark/mounts)" ""
ok "a second umount finds nothing" sh -c \
	'tidemark umount /point >/dev/null 2>&1; [ $? -eq 4 ]'

# By another name, and mounted elsewhere too
ln -s / /way
mkdir -p /elsewhere
ok "mounted by another name" sh -c \
	'cd /way && tidemark mount ./point --disk c --quiet'
mount --bind /point/c /elsewhere
ok "no disk is taken away beneath a filesystem" sh -c \
	'tidemark umount /way/point >/dev/null 2>/tmp/err; [ $? -eq 7 ]'
ok "it is said where that is" grep -q "'/elsewhere' is in use" /tmp/err
echo 3 >/proc/sys/vm/drop_caches
told /elsewhere >/tmp/told
ok "which can be read" cmp /root/told.xfs /tmp/told
umount /elsewhere
ok "then it is taken down by another name" sh -c \
	'cd /way/elsewhere && tidemark umount ../point --quiet'
udevadm settle
host_state >/root/after
ok "and nothing is left" diff /root/before /root/after

# Without the key
tidemark mount /point --disk b >/tmp/out 2>/tmp/err
is "what cannot be opened is a warning" $? 3
ok "the rest is there" test -e /point/b-p3/name
ok "it is named" grep -q "b-p2" /tmp/err

# Killed: the servers die, then a mount dies half way
# shellcheck disable=SC2046 # numbers
kill -KILL $(servers)
while [ -n "$(servers)" ]; do
	sleep 0.1
done
ok "with dead servers it is taken down" tidemark umount /point --quiet
tidemark mount /point --key-file /root/key >/dev/null 2>&1 &
mounting=$!
until [ -e /sys/block/nbd1/pid ]; do
	sleep 0.1
done
kill -KILL $mounting
wait $mounting 2>/dev/null
ok "a mount that was killed is taken down" tidemark umount --all --quiet
udevadm settle
host_state >/root/after
ok "again nothing is left" diff /root/before /root/after

# For the moment only
start=$(date +%s)
ok "files without a mount" tidemark files get b-p3/dir /out3 --quiet \
	--disk b --key-file /root/key
echo "# a tree without a mount: $(($(date +%s) - start)) s"
ok "are those of the point" test -e /out3/random
host_state >/root/after
ok "and nothing is left" diff /root/before /root/after

done_testing
