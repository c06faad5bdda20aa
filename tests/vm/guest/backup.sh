# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# Backups of a tracked disk, of one with partitions, and of both at one
# instant, under load. vda is tracked whole; vdb has partitions, of which the
# second is tracked; vdc1 and vdc2 hold metadata, vdc3 and vdc4 the stores.

# shellcheck source=tests/vm/guest/lib.sh
. /lib/guest.sh
# shellcheck source=tests/vm/guest/vault.sh
. /lib/vault.sh

printf 'size=1M\nsize=1M\nsize=16M\nsize=16M\n' | sfdisk -q /dev/vdc
printf 'size=1M\nsize=18M\nsize=2M\n' | sfdisk -q /dev/vdb
tidemark attach /dev/vda /dev/vdc1 --store /dev/vdc3 --name a --quiet
tidemark attach /dev/vdb2 /dev/vdc2 --store /dev/vdc4 --name b --quiet
mkfs.ext4 -q /dev/mapper/a
mkfs.ext4 -q /dev/mapper/b
mkdir /a /b
mount /dev/mapper/a /a
mount /dev/mapper/b /b

ok "protect a tracked disk" \
	tidemark protect $VAULT /dev/vda --disk a --item guest --quiet
ok "protect a disk of partitions" \
	tidemark protect $VAULT /dev/vdb --disk b --item guest --quiet

# step N: changes both filesystems, also while they are backed up
step()
{
	/churn files "$1" /a 40
	/churn files "$1" /b 40
	/churn files "$1" /a 0 &
	load_a=$!
	/churn files "$1" /b 0 &
	load_b=$!
	ok "backup $1" backup --cut-hook "host truth $1 a b"
	kill $load_a $load_b
	ok "the load on one disk went on" wait $load_a
	ok "the load on the other too" wait $load_b
	point=$(field point)
	ok "point $1 of the one is the truth" host check "$1" a "$point" a
	ok "point $1 of the other is the truth" host check "$1" b "$point" b
}

step 1
is "the first is full" "$(grep -c '"full"' /tmp/json)" 1
step 2
is "the next is incremental" "$(grep -c '"incremental"' /tmp/json)" 1
ok "qemu-img sees a VHD of it" host vhd 2 a "$point" a
is "its consistency" "$(field consistency)" filesystem-consistent
dmsetup status a
dmsetup status b
is "no snapshot is left" "$(dmsetup ls | grep -c snap)" 0

ok "a cut without freezing" backup --no-freeze --cut-hook "host truth 3 a b"
is "is crash-consistent" "$(field consistency)" crash-consistent
ok "and the truth" host check 3 a "$(field point)" a

umount /a /b
tidemark detach a --quiet
tidemark detach b --quiet
tidemark attach a --quiet
tidemark attach b --quiet
ok "after a clean stop" backup --cut-hook "host truth 4 a b"
is "it is incremental" "$(grep -c '"incremental"' /tmp/json)" 1
ok "and the truth" host check 4 b "$(field point)" b
tidemark detach --all
done_testing
