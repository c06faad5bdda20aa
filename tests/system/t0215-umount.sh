#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A mounted recovery point is taken down by whatever name it is called, and its
# disks only when nothing is mounted from them. Here a record says what is mounted
# and a loop device stands for the kernel's NBD device: with real ones it is
# tests/vm/t0514-mount.sh.

. "$(dirname "$0")/../lib/tap.sh"
. "$TESTS/lib/vault.sh"

[ "$(id -u)" -eq 0 ] || skip_all "only root may"
losetup --find >/dev/null 2>&1 || skip_all "there are no loop devices"
machine m1
RECORD=$TIDEMARK_RUN_DIR/mounts/tm01234567.json
SERVER=$TIDEMARK_RUN_DIR/mounts/tm01234567

# record DIR: a point is mounted on it, with one disk and one filesystem
record() {
	mkdir -p "$SERVER"
	printf '{"format":1,"id":"tm01234567","dir":"%s","point":"%s",
"disks":[{"name":"a"}],"arrays":[],
"trees":[{"name":"a-p1","node":"/dev/nbd0p1","type":"tmpfs"}]}' "$1" \
		20260102T030405Z-0123456789abcdef0123456789abcdef >"$RECORD"
}

# process FILE...: one with these among its arguments; its number in PID
process() {
	tail -f "$@" >/dev/null 2>&1 &
	PID=$!
	at_exit "kill $PID 2>/dev/null"
	until [ "$(cat /proc/$PID/comm)" = tail ]; do
		sleep 0.1
	done
}

# by RECORDED NAME TEXT: what was recorded as one is taken down as the other
by() {
	record "$1"
	mkdir -p "$WORK/real/mm/a-p1"
	mount -t tmpfs none "$WORK/real/mm/a-p1" || exit 1
	echo x >"$WORK/real/mm/a-p1/file"
	(cd "$WORK/real/sub" && tidemark files list a-p1 --from "$2" &&
		grep -q file "$WORK/out")
	ok $? "$3: it is found"
	(cd "$WORK/real/sub" && tidemark umount "$2")
	is "$?" 0 "and unmounted"
	! mountpoint -q "$WORK/real/mm/a-p1"
	ok $? "in truth" || umount "$WORK/real/mm/a-p1"
	[ ! -e "$RECORD" ]
	ok $? "and the record of it is gone"
}

mkdir -p "$WORK/real/sub"
ln -s real "$WORK/link"
by "$WORK/real/mm" "$WORK/real/mm" "by its name"
by "$WORK/real/mm" ../mm "from beside it"
by "$WORK/real/mm" "/$WORK/link//mm/" "through a link"
by "$WORK/real/sub/../mm" "$WORK/real/mm" "recorded from beside it"
by "$WORK/link/mm" "$WORK/real/mm" "recorded through a link"

# The server is known by its socket, and the socket by one name.
record "$WORK/real/mm"
mkdir -p "$WORK/real/mm"
ln -s run "$WORK/m1/linked"
: >"$SERVER/0.sock"
process "$SERVER/0.sock"
echo "$PID" >"$SERVER/0.pid"
tidemark umount "$WORK/real/mm" --run-dir "$WORK/m1/linked"
is "$STATUS" 0 "with the run directory through a link"
kill -KILL "$PID" 2>/dev/null
wait "$PID" 2>/dev/null
is "$?" 143 "the server has been ended"

# Mounted where nobody looks for it
truncate -s 8M "$WORK/disk"
mkfs.ext4 -q "$WORK/disk"
DEVICE=$(losetup --find --show "$WORK/disk") || exit 1
at_exit "losetup --detach $DEVICE"
cat >"$WORK/inside" <<-'END'
	set -e
	mount --make-rprivate /
	mount "$DEVICE" "$WORK/elsewhere"
	mount -t tmpfs none "$WORK/dev"
	mknod "$WORK/dev/nbd0" b $(stat -c '0x%t 0x%T' "$DEVICE")
	mknod "$WORK/dev/null" c 1 3
	mkdir "$WORK/dev/shm"
	mount --rbind /dev/shm "$WORK/dev/shm"
	mount -t tmpfs none /sys/block
	mkdir /sys/block/nbd0
	echo "$PID" >/sys/block/nbd0/pid
	mount --rbind "$WORK/dev" /dev
	set +e
	"$TIDEMARK" umount "$WORK/real/mm"
	echo "status $?"
	mountpoint "$WORK/elsewhere"
	umount "$WORK/elsewhere"
	rm -r /sys/block/nbd0
	"$TIDEMARK" umount "$WORK/real/mm"
	echo "status $?"
END
record "$WORK/real/mm"
mkdir -p "$WORK/elsewhere" "$WORK/dev" "$WORK/real/mm"
process "$RECORD" "$SERVER/0.sock"
export DEVICE PID WORK TIDEMARK
unshare --mount sh "$WORK/inside" >"$WORK/out" 2>"$WORK/err"
like "$(cat "$WORK/out")" "status 7*elsewhere is a mountpoint*status 0*" \
	"no disk is taken away beneath a filesystem, but after it"
like "$(cat "$WORK/err")" "*cannot unmount*'$WORK/elsewhere' is in use*" \
	"and it is said where that is"
finish
