#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Files that differ between two points, on the machine that they are of.
#
#	vda1	ext4			vda2	LVM group vg0: XFS
#	vda3	ext4, left alone	vda4	btrfs
#	vda5	ext4 since the first point
#
# shellcheck disable=SC2317 # called through `ok`

# shellcheck source=tests/vm/guest/lib.sh
. /vm/guest.sh
# vault.sh loads the module, which wants it.
modprobe libcrc32c
# shellcheck source=tests/vm/guest/vault.sh
. /vm/vault.sh

printf 'label: gpt\nsize=48M\nsize=332M\nsize=8M\nsize=128M\nsize=8M\n' |
	sfdisk -q /dev/vda
udevadm settle
pvcreate -q /dev/vda2 >/dev/null
vgcreate -q vg0 /dev/vda2 >/dev/null
lvcreate -q -n data -L 304M vg0 >/dev/null
# The kernel finishes nothing later.
now=lazy_itable_init=0,lazy_journal_init=0
mkfs.ext4 -q -E $now /dev/vda1
mkfs.ext4 -q -E $now /dev/vda3
mkfs.xfs -q /dev/mapper/vg0-data
mkfs.btrfs -q /dev/vda4 >/dev/null
mkdir -p /ext4 /xfs /btrfs /alone
mount /dev/vda1 /ext4
mount /dev/mapper/vg0-data /xfs
mount /dev/vda4 /btrfs
mount /dev/vda3 /alone
echo kept >/alone/file
umount /alone

# before DIR: what there is in the first point
before()
{
	mkdir -p "$1/attributed" "$1/dir" "$1/moved"
	for file in chmod content deleted renamed same xattr; do
		echo "$file" >"$1/dir/$file"
	done
	echo inside >"$1/moved/inside"
	echo kind >"$1/kind"
	ln "$1/dir/same" "$1/dir/linked"
	ln -s dir "$1/link"
}

# after DIR: what has become of it in the second
after()
{
	setfattr -n user.colour -v blue "$1/attributed" "$1/dir/xattr"
	chmod 600 "$1/dir/chmod"
	# as many bytes, and the time set back
	touch -r "$1/dir/content" /tmp/then
	printf CONTENT 1<>"$1/dir/content"
	touch -r /tmp/then "$1/dir/content"
	# ext4 gives it the inode of what was deleted
	rm "$1/dir/deleted"
	echo created >"$1/dir/created"
	mv "$1/dir/renamed" "$1/dir/to"
	mv "$1/moved" "$1/elsewhere"
	rm "$1/kind"
	mkdir "$1/kind"
	# names that would break a line, or command a terminal
	: >"$1/dir/line
break"
	cat "$1/dir/same" "$1/link/same" >/dev/null
}

for tree in ext4 xfs btrfs; do
	before /$tree
done
sync
echo "# filesystems are made after $(cut -d . -f 1 /proc/uptime) s"
tidemark protect "$VAULT" /dev/vda --disk a --item guest --quiet
ok "a backup" backup
one=$(field point)
for tree in ext4 xfs btrfs; do
	after /$tree
done
mkfs.ext4 -q -E $now /dev/vda5
sync
ok "another" backup
two=$(field point)
echo "# backed up after $(cut -d . -f 1 /proc/uptime) s"

# machine_state: what of this machine has to stay as it is
machine_state()
{
	vgs --noheadings -o vg_name,vg_uuid,lv_count 2>&1
	lvs --noheadings -o lv_name,lv_attr 2>&1
	dmsetup ls | sort
	find /dev/disk -type l ! -path '*/by-diskseq/*' -printf '%p %l\n' | sort
	findmnt -rno SOURCE,TARGET | sort
	grep -l nbdkit /proc/[0-9]*/comm 2>/dev/null
	ls /run/tidemark/mounts /run/udev/rules.d 2>/dev/null
	host "$container"
}
container=$(sed -n 's/.*"container": "\([^"]*\)".*/\1/p' \
	/var/lib/tidemark/disks/a.json)
mkdir -p /run/tidemark/mounts /run/udev/rules.d
machine_state >/root/before

# listed NAME, unpaired NAME: what `after` did, and that without renames
listed()
{
	cat <<-END
	filesystem $1: 3 added, 2 removed, 4 changed, 3 renamed
	  M $1/attributed
	  M $1/dir/chmod
	  M $1/dir/content
	  A $1/dir/created
	  D $1/dir/deleted
	  A $1/dir/line?break
	  R $1/dir/renamed -> $1/dir/to
	  M $1/dir/xattr
	  R $1/moved -> $1/elsewhere
	  R $1/moved/inside -> $1/elsewhere/inside
	  D $1/kind
	  A $1/kind
	END
}

unpaired()
{
	cat <<-END
	filesystem $1: 6 added, 5 removed, 4 changed
	  M $1/attributed
	  M $1/dir/chmod
	  M $1/dir/content
	  A $1/dir/created
	  D $1/dir/deleted
	  A $1/dir/line?break
	  D $1/dir/renamed
	  A $1/dir/to
	  M $1/dir/xattr
	  A $1/elsewhere
	  A $1/elsewhere/inside
	  D $1/kind
	  A $1/kind
	  D $1/moved
	  D $1/moved/inside
	END
}

{
	listed a-p1
	echo "filesystem a-p3: nothing differs"
	unpaired a-p4
	echo "filesystem a-p5: only in the second of the two"
	listed vg0-data
} >/root/wanted

start=$(date +%s)
tidemark points diff "$one" "$two" --files >/tmp/out 2>/tmp/err
is "two points are compared beside the machine's own disks" $? 0
echo "# that took $(($(date +%s) - start)) s"
sed 's/^/# /' /tmp/err
ok "exactly what was done is listed" diff -u /root/wanted /tmp/out
udevadm settle
machine_state >/root/after
ok "nothing is left, nothing is changed: here, and in the vault" \
	diff /root/before /root/after

tidemark points diff "$two" "$one" --files --disk a --json >/tmp/out 2>/tmp/err
is "the other way round, for programs" $? 0
tr -d ' \n' </tmp/out >/tmp/json
ok "what was not looked at is said" grep -q \
	'"name":"a-p3","type":"ext4","in":"both","looked_at":false' /tmp/json
ok "and what only one has" grep -q \
	'"name":"a-p5","type":"ext4","in":"first"}' /tmp/json
ok "what was renamed" grep -qF \
	'{"change":"renamed","path":"a-p1/moved","from":"a-p1/elsewhere","differs":[]}' \
	/tmp/json
ok "what differs of a file" grep -qF \
	'{"change":"changed","path":"vg0-data/dir/content","differs":["ctime"]}' \
	/tmp/json
ok "a name as it is" grep -qF '"path":"a-p1/dir/line\nbreak"' /tmp/json
is "a point and itself" "$(tidemark points diff latest "$two" --files)" \
	"nothing differs"

# Ended while both are mounted, or the second is about to be
tidemark points diff "$one" "$two" --files >/dev/null 2>/tmp/err &
pid=$!
until [ "$(find /run/tidemark/mounts -name '*.json' | wc -l)" -eq 2 ]; do
	[ -e /proc/$pid ] || break
	sleep 0.1
done
start=$(date +%s)
kill -TERM $pid
wait $pid
is "it is cancelled" $? 12
echo "# that took $(($(date +%s) - start)) s"
sed 's/^/# /' /tmp/err
udevadm settle
machine_state >/root/after
ok "again nothing is left" diff /root/before /root/after

done_testing
