#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Block devices: read as they are, written when they are nobody's. Loop devices
# stand for disks, of 512-byte and of 4096-byte sectors.

. "$(dirname "$0")/../lib/tap.sh"

[ "$(id -u)" -eq 0 ] || skip_all "only root may make devices"
losetup --find >/dev/null 2>&1 || skip_all "there are no loop devices"

disk() {
	"$BUILD/tests/disk" "$@"
}

# loop NAME SECTOR SIZE: a device over a new file
loop() {
	truncate -s "$3" "$WORK/$1" &&
		dev=$(losetup --find --show --sector-size "$2" "$WORK/$1") &&
		at_exit "losetup --detach $dev"
}

for sector in 512 4096; do
	loop "disk$sector" $sector 9437184 || exit 1
	head -c 9437184 /dev/urandom >"$dev"
	blockdev --flushbufs "$dev"
	is "$(disk info "$dev" | tr '\n' ' ')" \
		"size=9437184 block=$sector device=1 " "a device of $sector"
	disk read "$dev" 0 9437184 | cmp - "$dev"
	ok $? "all of it"
	disk read "$dev" 1000 200000 >"$WORK/got"
	tail -c +1001 "$dev" | head -c 200000 | cmp - "$WORK/got"
	ok $? "a part of any size"
	disk read "$dev" 9433088 8192 >"$WORK/got"
	{ tail -c 4096 "$dev"; head -c 4096 /dev/zero; } | cmp - "$WORK/got"
	ok $? "zeroes past its end"
	is "$(disk same "$dev" "$dev") $(disk same "$dev" "$WORK/disk$sector")" \
		"1 0" "it is itself"

	cp "$dev" "$WORK/want"
	head -c 10000 /dev/urandom >"$WORK/data"
	dd if="$WORK/data" of="$WORK/want" bs=1 seek=12345 conv=notrunc \
		status=none
	disk write "$dev" 9437184 12345 <"$WORK/data"
	ok $? "it is written"
	for range in "1048576 1048576" "3000000 77777" "4096 4096"; do
		# shellcheck disable=SC2086 # offset and length
		disk zero "$dev" $range
		dd if=/dev/zero of="$WORK/want" bs=1 seek="${range% *}" \
			count="${range#* }" conv=notrunc status=none
	done
	cmp "$WORK/want" "$dev"
	ok $? "and zeroed, in ranges of any size"
	is "$(disk write "$dev" 9437185 0 </dev/null)" "error=ENOSPC" \
		"one byte too small"

	mkfs.ext4 -qF "$dev" && mkdir "$WORK/mnt$sector" &&
		mount "$dev" "$WORK/mnt$sector" || exit 1
	at_exit "umount $WORK/mnt$sector"
	is "$(disk write "$dev" 512 0 </dev/null)" "error=EBUSY" \
		"not while it is mounted"
	echo new >"$WORK/mnt$sector/file"
	sync -f "$WORK/mnt$sector"
	# What a filesystem has written must be seen, whatever the page cache
	# of the node still holds.
	disk read "$dev" 0 9437184 >"$WORK/got"
	dd if="$dev" bs=1M iflag=direct status=none | cmp - "$WORK/got"
	ok $? "but it is read then"
done
is "$(disk write "$WORK/data" 0 0 </dev/null)" "error=ENOTBLK" \
	"a file is no device"

finish
