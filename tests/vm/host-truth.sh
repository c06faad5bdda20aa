#!/bin/sh
# SPDX-License-Identifier: MIT
#
# host-truth.sh - what a guest asks of its host while it backs up
#
#	truth NAME IMAGE...	keeps copies of the disks as they are now
#	check NAME IMAGE POINT DISK
#				restores DISK of POINT from the vault and
#				compares it with the copy of IMAGE
#	vhd NAME IMAGE POINT DISK
#				the same through qemu-img and a VHD
#	same NAME IMAGE		is the disk now as the copy?
#	drop NAME IMAGE...	forgets copies
#	pair NAME POINT		prints what `chain check` says of disks a and b
#	two POINT-A POINT-B	the same, each disk from its own point
#
# WORK, TOP, AZURITE_URL and AZURE_STORAGE_CONNECTION_STRING come from the test;
# the vault is called `vault`, the machine `guest` or ITEM.

set -eu
verb=$1 name=$2
shift 2

restore()
{
	"$TOP/build/tidemark" restore disk "$@" --quiet --yes \
		--vault "$AZURITE_URL/vault" --item "${ITEM:-guest}" \
		--state-dir "$WORK/state" --run-dir "$WORK/run"
}

case $verb in
truth)
	for image; do
		cp --sparse=always "$WORK/$image" "$WORK/truth.$name.$image"
	done
	;;
check)
	rm -f "$WORK/restored.$1"
	restore "$3" "$WORK/restored.$1" --point "$2"
	cmp "$WORK/restored.$1" "$WORK/truth.$name.$1"
	rm "$WORK/restored.$1"
	;;
same)
	cmp "$WORK/$1" "$WORK/truth.$name.$1"
	;;
vhd)
	rm -f "$WORK/restored.$1.vhd"
	restore "$3" "$WORK/restored.$1.vhd" --point "$2" --format vhd
	qemu-img compare -f raw -F vpc "$WORK/truth.$name.$1" \
		"$WORK/restored.$1.vhd"
	rm "$WORK/restored.$1.vhd"
	;;
pair)
	restore a "$WORK/pair.a" --point "$1"
	restore b "$WORK/pair.b" --point "$1"
	"$TOP/build/tests/chain" check "$WORK/pair.a" "$WORK/pair.b"
	;;
two)
	restore a "$WORK/pair.a" --point "$name"
	restore b "$WORK/pair.b" --point "$1"
	"$TOP/build/tests/chain" check "$WORK/pair.a" "$WORK/pair.b"
	;;
drop)
	for image; do
		rm "$WORK/truth.$name.$image"
	done
	;;
esac
