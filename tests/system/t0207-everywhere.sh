#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Every kind of target, new, dirty and larger than the disk, from a full and from
# an incremental point, on a machine that has nothing but the vault's address and
# key: exactly. What was never written is not read. A page that was changed in the
# vault is caught in each, by disk, offset and chunk.

. "$(dirname "$0")/../lib/tap.sh"
. "$TESTS/lib/vault.sh"

vault_start
A=$WORK/a.img
BYTES=$((5 * 1048576 + 512))
VHD_BYTES=$((6 * 1048576 + 512))
truncate -s $BYTES "$A"
scribble "$A" 0 1048576
scribble "$A" 3145728 700000
vault_make Main
tidemark protect "$VAULT" "$A" --disk a --item m1
tidemark backup --json
FULL=$(json result.point)
cp "$A" "$WORK/full.img"
point_disk "$WORK/full.vhd" a
scribble "$A" 500000 100000
wipe "$A" 3145728 300000
scribble "$A" 4194304 4096
tidemark backup --json
INCREMENTAL=$(json result.point)
cp "$A" "$WORK/incremental.img"
point_disk "$WORK/incremental.vhd" a
same_disk "what the SDK reads of the last point is the disk" \
	"$WORK/incremental.vhd" "$A"
CONTAINER=$(container)

storage() {
	"$BUILD/tests/storage" "$@" >"$WORK/storage"
}

# dirty NAME BYTES: a page blob full of noise
dirty() {
	storage delete copies "$1" || :
	storage page-create copies "$1" "$2" 0
	head -c 4194304 /dev/urandom | storage page-put copies "$1" 0
	head -c $(($2 - 4194304)) /dev/urandom |
		storage page-put copies "$1" 4194304
}

# of NAME in container copies; sets COPY
fetch() {
	COPY=$WORK/copy.vhd
	"$BUILD/tests/storage" read copies "$1" 0 \
		"$("$BUILD/tests/storage" properties copies "$1" |
			sed -n 's/^size=//p')" >"$COPY"
}

storage container-create copies
COPIES=$PROXY_URL/copies
machine other

# restore TARGET...: of the point that it is about, from elsewhere
restore() {
	tidemark restore disk a "$@" --point "$POINT" --vault "$VAULT" \
		--item m1 --json
}

# exact TEXT GOT WANTED, and no more than that
exact() {
	[ "$STATUS" -eq 0 ] && cmp "$2" "$3"
	ok $? "$WHICH: $1" || cat "$WORK/out"
}

files() {
	for format in raw vhd; do
		wanted=$WORK/$WHICH.vhd
		[ $format = vhd ] || wanted=$WORK/$WHICH.img
		file=$WORK/file.$format
		rm -f "$file"
		restore "$file" --format $format
		exact "$format, new" "$file" "$wanted"
		scribble "$file" 1500000 3000000
		restore "$file" --format $format --yes
		exact "$format, dirty" "$file" "$wanted"
		scribble "$file" $VHD_BYTES 1048576
		restore "$file" --format $format --yes
		exact "$format, larger" "$file" "$wanted"
	done
	qemu-img compare -f raw -F vpc "$WORK/file.raw" "$WORK/file.vhd" \
		>/dev/null
	ok $? "$WHICH: for QEMU the VHD is the same disk"
}

blobs() {
	storage delete copies new || :
	restore "$COPIES/new"
	fetch new
	exact "blob, new, $(json result.copied_by_service)" "$COPY" "$1"
	dirty new $VHD_BYTES
	restore "$COPIES/new" --yes
	fetch new
	exact "blob, dirty" "$COPY" "$1"
	dirty new $((VHD_BYTES + 1048576))
	restore "$COPIES/new" --yes
	fetch new
	exact "blob, larger" "$COPY" "$1"
}

uploads() {
	UPLOAD_URL="$COPIES/md?$("$TESTS/lib/sdk.py" blob-sas copies md rw)"
	export UPLOAD_URL
	storage delete copies md || :
	storage page-create copies md $VHD_BYTES 0
	restore upload:env:UPLOAD_URL
	fetch md
	exact "managed disk, new" "$COPY" "$1"
	dirty md $VHD_BYTES
	restore upload:env:UPLOAD_URL --yes
	fetch md
	exact "managed disk, dirty" "$COPY" "$1"
	dirty md $((VHD_BYTES + 512))
	restore upload:env:UPLOAD_URL --yes
	is "$STATUS" 10 "$WHICH: managed disk, of another size: refused"
}

# device TEXT MIB SOURCE
device() {
	head -c "$2M" "$3" >"$WORK/device"
	losetup -c "$LOOP"
	restore "$LOOP" --yes
	[ "$STATUS" -eq 0 ] && cmp -n $BYTES "$LOOP" "$WORK/$WHICH.img"
	ok $? "$WHICH: device, $1" || cat "$WORK/out"
}

devices() {
	device "zeroes" 6 /dev/zero
	device "dirty" 6 /dev/urandom
	device "larger" 8 /dev/urandom
	[ "$(du -k "$WORK/device" | cut -f1)" -le $((8192 - 5120 + 2100)) ]
	ok $? "$WHICH: what is not there is discarded"
}

LOOP=
truncate -s 8M "$WORK/device"
[ "$(id -u)" -ne 0 ] || LOOP=$(losetup --show -f "$WORK/device" 2>/dev/null) ||
	LOOP=
[ -z "$LOOP" ] || at_exit "losetup -d $LOOP"

for WHICH in full incremental; do
	POINT=$FULL
	[ $WHICH = full ] || POINT=$INCREMENTAL
	files
	blobs "$WORK/$WHICH.vhd"
	proxy_rule '{"header": "x-ms-copy-source", "times": 0, "do": "status",
		"status": 409, "code": "CannotVerifyCopySource"}'
	blobs "$WORK/$WHICH.vhd"
	proxy_clear
	uploads "$WORK/$WHICH.vhd"
	[ -z "$LOOP" ] || devices
done

# What has never been written: 27 chunks have been, when it was backed up first
WHICH=full POINT=$FULL
rm -f "$WORK/file.raw"
restore "$WORK/file.raw"
is "$(json result.bytes_written)" $((27 * 65536)) "only what is there is written"
[ "$(json result.bytes_received)" -le $((27 * 65536 + 4096)) ]
ok $? "and read: $(json result.bytes_received) bytes"

# A device that is mounted, or too small
if [ -n "$LOOP" ]; then
	mkfs.ext4 -q -F "$LOOP"
	mkdir "$WORK/mnt"
	mount "$LOOP" "$WORK/mnt"
	restore "$LOOP" --yes
	is "$STATUS" 7 "a mounted device is refused"
	umount "$WORK/mnt"
	blkid -p "$LOOP" | grep -q ext4
	ok $? "and as it was"
	exec 3<"$LOOP"
	restore "$LOOP" --yes --mounted
	is "$STATUS" 0 "one in use is written to if one says so"
	exec 3<&-
	cmp -n $BYTES "$LOOP" "$WORK/full.img"
	ok $? "exactly"
	head -c 3M /dev/urandom >"$WORK/device"
	losetup -c "$LOOP"
	cp "$WORK/device" "$WORK/small"
	restore "$LOOP" --yes
	is "$STATUS" 10 "a smaller one is refused"
	like "$(json error.message)" "*3145728 bytes*$BYTES*" "with both sizes"
	cmp "$WORK/device" "$WORK/small"
	ok $? "and as it was"
	restore "$LOOP" --yes --smaller
	is "$STATUS $(json result.bytes_cut)" "3 $((11 * 65536))" \
		"or gets what fits, and one is warned of the rest"
	cmp -n 3145728 "$LOOP" "$WORK/full.img"
	ok $? "exactly"
	head -c 6M /dev/urandom >"$WORK/device"
	losetup -c "$LOOP"
fi
# asked ANSWER: exit status; what was said is in $WORK/said
asked() {
	echo "$1" | script -qec "'$TIDEMARK' restore disk a '$WORK/file.raw' \
		--vault '$VAULT' --item m1 --point $POINT --quiet" \
		"$WORK/typed" >"$WORK/said"
}

: >"$WORK/file.raw"
asked n
is $? 11 "on a terminal one is asked, and may say no"
grep -q "file.raw' is there already.*y/N" "$WORK/said"
ok $? "what is overwritten is said"
[ ! -s "$WORK/file.raw" ]
ok $? "it is as it was"
asked y
is $? 0 "or yes"
cmp "$WORK/file.raw" "$WORK/full.img"
ok $? "it is replaced"
restore "$WORK/file.raw" --yes --smaller
is "$STATUS" 2 "a file is as large as it has to be"

# A page that was changed in the vault
machine m1
head -c 512 /dev/urandom | storage page-put "$CONTAINER" disks/a.vhd \
	$((65536 * 7 + 512))
tidemark backup --json
POINT=$(json result.point)
machine other
dirty md $VHD_BYTES
caught() {
	is "$STATUS" 9 "a damaged page is caught: $1"
	like "$(json error.message)" "*disk 'a'*byte 458752, chunk 7,*" \
		"$1: and named"
}
restore "$WORK/bad.img"
caught "raw"
restore "$WORK/bad.img" --resume
caught "raw, to be resumed"
restore "$WORK/bad.vhd" --format vhd
caught "vhd"
restore "$COPIES/bad.vhd"
caught "blob, copied"
proxy_rule '{"header": "x-ms-copy-source", "times": 0, "do": "status",
	"status": 409, "code": "CannotVerifyCopySource"}'
restore "$COPIES/bad.vhd"
caught "blob, streamed"
proxy_clear
restore upload:env:UPLOAD_URL --yes
caught "managed disk"
if [ -n "$LOOP" ]; then
	restore "$LOOP" --yes
	caught "device"
fi
is "$(find "$WORK" -name 'bad*')" "" "no file of it is left"
storage read copies bad.vhd 0 512
is $? 1 "nor a blob"
finish
