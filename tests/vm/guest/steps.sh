# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# Incremental steps: steps.sh FILESYSTEM STEPS SEED. vda is tracked, vdb1 holds
# the metadata, vdb2 the store. Every step changes the disk in its own way and
# goes on changing it while it is backed up; every point must be the truth.
#
# shellcheck disable=SC2317 # ok and run call them

# shellcheck source=tests/vm/guest/lib.sh
. /lib/guest.sh
# shellcheck source=tests/vm/guest/vault.sh
. /lib/vault.sh
fs=$1 steps=$2 seed=$3
dev=/dev/mapper/$fs

printf 'size=1M\nsize=200M\n' | sfdisk -q /dev/vdb
modprobe -q "$fs"
tidemark attach /dev/vda /dev/vdb1 --store /dev/vdb2 --name "$fs" --quiet
tidemark protect $VAULT /dev/vda --disk "$fs" --item "$fs" --quiet
mkdir -p /disk

make_fs()
{
	case $fs in
	ext4)	mkfs.ext4 -qF "$dev" ;;
	xfs)	mkfs.xfs -qf "$dev" ;;
	esac
}

check_fs()
{
	case $fs in
	ext4)	e2fsck -fn "$dev" >/tmp/fsck 2>&1 ;;
	xfs)	xfs_repair -n "$dev" >/tmp/fsck 2>&1 ;;
	esac
}

mounted()
{
	grep -q " /disk " /proc/mounts
}

# run TEXT COMMAND...: says what failed, and nothing else
run()
{
	"$@" || fail "step $step: $*"
}

# One way to change a disk for each of five steps, five times over.
change()
{
	case $((step % 5)) in
	1)	! mounted || run umount /disk
		run make_fs
		run mount "$dev" /disk
		run /churn files $((seed + step)) /disk 300 ;;
	2)	run /churn files $((seed + step)) /disk 400 ;;
	3)	run /churn files $((seed + step)) /disk 200
		run fstrim /disk ;;
	4)	run umount /disk
		run check_fs
		# A clean stop, and on again.
		run tidemark detach "$fs" --quiet
		run tidemark attach "$fs" --quiet
		run mount "$dev" /disk
		run /churn files $((seed + step)) /disk 100 ;;
	0)	run umount /disk
		run /churn raw $((seed + step)) "$dev" 60 ;;
	esac
}

step=0
while [ $step -lt "$steps" ]; do
	step=$((step + 1))
	change
	if mounted; then
		/churn files $((seed + step + 1000)) /disk 0 &
	else
		/churn raw $((seed + step + 1000)) "$dev" 40 &
	fi
	load=$!
	if backup --cut-hook "host truth $fs$step vda"; then
		point=$(field point)
		ok "$fs step $step: the point is the truth" \
			host check "$fs$step" vda "$point" "$fs"
	else
		fail "$fs step $step: backup" "$(cat /tmp/err)"
	fi
	host drop "$fs$step" vda
	! mounted || kill $load
	wait $load || fail "$fs step $step: the load"
	[ $step -eq 1 ] || grep -q '"incremental"' /tmp/json ||
		fail "$fs step $step: it is not incremental"
	echo "# step $step: $(field milliseconds) ms," \
		"$(grep -o '"tracked":{[^}]*}' /tmp/json)"
done
! mounted || umount /disk
ok "$fs: detach" tidemark detach "$fs" --quiet
done_testing
