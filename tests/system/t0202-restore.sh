#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Restores: to raw and VHD files and to devices, of any point, from any machine;
# what is there is kept unless one means it; what cannot be proved is refused.

. "$(dirname "$0")/../lib/tap.sh"
. "$TESTS/lib/vault.sh"

vault_start
A=$WORK/a.img
random_disk "$A" 12
truncate -s $((12 * 1048576 + 512)) "$A"
vault_make Main
tidemark protect "$VAULT" "$A" --disk a --item m1
tidemark backup --json
FIRST=$(json result.point)
cp "$A" "$WORK/first.img"
scribble "$A" 500000 100000
tidemark backup

tidemark restore disk a "$WORK/out.img" --json
ok $? "the last point is restored"
cmp "$WORK/out.img" "$A"
ok $? "byte for byte"
is "$(json result.chunks_checked)" $((13 * 16)) "every chunk checked"
[ "$(du -k "$WORK/out.img" | cut -f1)" -le $((6 * 1024 + 256)) ]
ok $? "the file is sparse"
tidemark restore disk a "$WORK/out1.img" --point "$(echo "$FIRST" | cut -c1-30)"
cmp "$WORK/out1.img" "$WORK/first.img"
ok $? "the first point, by the beginning of its name"

tidemark restore disk a "$WORK/out.vhd" --format vhd
ok $? "as a VHD"
point_disk "$WORK/sdk.vhd" a
cmp "$WORK/out.vhd" "$WORK/sdk.vhd"
ok $? "it is what the SDK reads"

# What is there already
cp "$WORK/out1.img" "$WORK/kept.img"
tidemark restore disk a "$WORK/kept.img"
is "$STATUS" 11 "an existing file is not overwritten where nobody can be asked"
cmp "$WORK/kept.img" "$WORK/out1.img"
ok $? "and is as it was"
tidemark restore disk a "$WORK/kept.img" --yes
cmp "$WORK/kept.img" "$A"
ok $? "with --yes it is replaced"
is "$(find "$WORK" -name 'kept.img?*')" "" "nothing is left beside it"
mkdir "$WORK/dir"
tidemark restore disk a "$WORK/dir" --yes
is "$STATUS" 11 "a directory is no target"
tidemark restore disk a "$WORK/no/such/file"
is "$STATUS" 4 "a place that is not there is not found"
[ ! -e "$WORK/no" ]
ok $? "nor made"

# A link
mkdir "$WORK/far"
cp "$WORK/out1.img" "$WORK/far/real.img"
ln -s far/real.img "$WORK/link.img"
tidemark restore disk a "$WORK/link.img" --json
is "$STATUS" 11 "what a link leads to is not overwritten unasked"
cmp "$WORK/far/real.img" "$WORK/out1.img"
ok $? "and is as it was"
tidemark restore disk a "$WORK/link.img" --yes --json
is "$(json result.target)" "$(realpath "$WORK")/far/real.img" \
	"it is told what is replaced"
cmp "$WORK/far/real.img" "$A"
ok $? "which is what the link leads to"
is "$(readlink "$WORK/link.img")" far/real.img "the link stays"
ln -s far/none.img "$WORK/dangling.img"
proxy_reset
tidemark restore disk a "$WORK/dangling.img" --yes --json
is "$STATUS" 4 "a link that leads nowhere is refused"
like "$(json error.message)" "*link*nowhere*" "and why"
is "$(proxy_requests block-put) $(readlink "$WORK/dangling.img")" \
	"0 far/none.img" "before anything is begun"
tidemark restore disk b "$WORK/b.img"
is "$STATUS" 4 "a disk that the point does not have"

# A device that is not there is no file to be made
NONE=/dev/tidemark-none-$$
at_exit "rm -f $NONE"
for none in "$NONE" "/dev/tidemark-$$/none" "$WORK/devices/${NONE#/dev/}"; do
	ln -sfn /dev "$WORK/devices"
	tidemark restore disk a "$none" --yes --json
	is "$STATUS" 4 "$none is not found"
	like "$(json error.message)" "*no such device*" "and why"
done
[ ! -e "$NONE" ]
ok $? "nothing is made in /dev"
if [ -w /dev/shm ]; then
	SHM=/dev/shm/tidemark-$$.img
	at_exit "rm -f $SHM"
	tidemark restore disk a "$SHM" && cmp "$SHM" "$A"
	ok $? "but in /dev/shm"
	rm -f "$SHM"
fi
if [ "$(id -u)" -eq 0 ]; then
	: >"$NONE"
	tidemark restore disk a "$NONE" --yes
	is "$STATUS" 11 "a file that is there is not taken for a device"
	[ ! -s "$NONE" ]
	ok $? "and stays as it is"
	rm "$NONE"
fi

# Another machine, with nothing but the credentials
machine other
tidemark restore disk a "$WORK/away.img"
is "$STATUS" 4 "a machine without disks has to say where"
tidemark restore disk a "$WORK/away.img" --vault "$VAULT" --item m1
cmp "$WORK/away.img" "$A"
ok $? "it restores another machine's disk"
tidemark points --vault "$VAULT" --item m1
is "$(wc -l <"$WORK/out")" 2 "and lists its points"
machine m1

# A device
loop=
if [ "$(id -u)" -eq 0 ]; then
	truncate -s 13M "$WORK/device"
	head -c 13M /dev/urandom >"$WORK/device"
	loop=$(losetup --show -f "$WORK/device" 2>/dev/null) || loop=
fi
if [ -n "$loop" ]; then
	at_exit "losetup -d $loop"
	tail -c +$((12 * 1048576 + 513)) "$WORK/device" >"$WORK/tail"
	tidemark restore disk a "$loop"
	is "$STATUS" 11 "a device is not overwritten unasked"
	tidemark restore disk a "$loop" --yes
	ok $? "a device, with --yes"
	cmp -n "$(stat -c %s "$A")" "$loop" "$A"
	ok $? "holds the disk"
	tail -c +$((12 * 1048576 + 513)) "$loop" | cmp - "$WORK/tail"
	ok $? "and behind it what it held before"
	truncate -s 12M "$WORK/device" && losetup -c "$loop"
	tidemark restore disk a "$loop" --yes
	is "$STATUS" 10 "a device that is too small"
fi

# Data in the vault that are not what they should be: a page of a blob changed
# behind the run's back is in the next point's snapshot
tidemark backup
head -c 512 /dev/urandom | "$TESTS/lib/sdk.py" put "$(container)" \
	disks/a.vhd $((65536 * 7 + 512))
tidemark backup
tidemark verify --json
is "$STATUS" 9 "a damaged point does not pass"
like "$(json error.message)" "*1 are not what was backed up*" "one chunk of it"
rm -f "$WORK/bad.img"
tidemark restore disk a "$WORK/bad.img"
is "$STATUS" 9 "nor is it restored"
[ ! -e "$WORK/bad.img" ]
ok $? "and no file is left"
tidemark backup --full && tidemark verify
ok $? "a full backup makes the next point whole"
tidemark verify "$FIRST"
ok $? "an older point is not affected"
"$TESTS/lib/sdk.py" read "$(container)" "checks/$FIRST" | grep -q '"good": true'
ok $? "what was found is kept in the vault"
finish
