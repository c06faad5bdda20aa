#!/bin/sh
# SPDX-License-Identifier: MIT
#
# `tidemark meta` says of real metadata what the kernel says, after a clean
# stop, in use and after a power cut; and names damage.

# shellcheck source=tests/vm/lib.sh
. "$(dirname "$0")/lib.sh"

tidemark=$TOP/build/tidemark

disk origin 64M
disk meta 1M

# boot HOW: some writes, then an orderly stop or a power cut
boot()
{
	guest "$1" --disk "$WORK/origin" --disk "$WORK/meta" \
		"$TOP/tests/vm/guest/meta.sh" "$1"
}

# meta TEXT STATUS PATTERN VERB: runs it on the metadata
meta()
{
	meta_status=0
	"$tidemark" meta "$4" "$WORK/meta" >"$WORK/said" 2>&1 ||
		meta_status=$?
	if [ "$meta_status" -eq "$2" ] && grep -q "$3" "$WORK/said"; then
		result 0 "$1"
	else
		echo "# status $meta_status, wanted $2 and '$3'"
		sed 's/^/# /' "$WORK/said"
		result 1 "$1"
	fi
}

# damage SECTOR: rot in the middle of it
damage()
{
	printf x | dd of="$WORK/meta" bs=1 seek=$(($1 * 512 + 200)) \
		conv=notrunc status=none
}

meta "blank metadata" 4 blank check
boot clean
meta "sound after a clean stop" 0 'are sound' check
# Chunks 3, 100 and 101 of 64 KiB, as the guest has written.
meta "the changed chunks" 0 '^3 of 1024 chunks' check
meta "the first of them" 0 '^  3 + 1$' dump
meta "the others" 0 '^  100 + 2$' dump
cp "$WORK/meta" "$WORK/clean"

chunk_area=$("$tidemark" meta dump "$WORK/meta" |
	awk '$1 == "chunk" && $2 == 1 { print $3 }')
damage "$chunk_area"
meta "a rotten sector is named" 3 'do not check' check
meta "and what it covers has changed" 3 '^1024 of 1024' check
cp "$WORK/clean" "$WORK/meta"
damage 0
meta "one superblock is enough" 3 'the other rules' check
damage 8
meta "two bad ones are not" 9 'neither superblock' check

cp "$WORK/clean" "$WORK/meta"
boot cut
meta "an open region after a power cut" 0 '^259 of 1024 chunks' check
meta "and why" 0 '^1 regions are open' dump
done_testing
