#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A view is the disk at its cut, sector by sector, while the disk is written to
# as fast as the guest can and chunks are let go in random order: both modes,
# with a store and without, chunks of 4 KiB, 64 KiB and 1 MiB, disks of odd sizes
# with sectors of 512 and 4096 bytes. The truth is the image that the host reads
# while the guest stands in the cut. CUTS and SEED are variables.

# shellcheck source=tests/vm/lib.sh
. "$(dirname "$0")/lib.sh"

if full; then
	: "${CUTS:=125}"
elif [ "$KERNEL" = debug ]; then
	: "${CUTS:=6}"
else
	: "${CUTS:=12}"
fi
: "${SEED:=$(date +%s)}"

export WORK TOP
disk origin $((16 * 1048576 + 13 * 512))
disk blocks $((16 * 1048576 + 3 * 4096))
disk meta 2M
disk store 20M
disk scratch 64M
guest "$CUTS cuts, seed $SEED" --disk "$WORK/origin" \
	--disk "$WORK/blocks:lbs=4096" --disk "$WORK/meta" \
	--disk "$WORK/store:lbs=4096" --disk "$WORK/scratch" \
	--host "$TOP/tests/vm/host-exact.sh" --timeout $((300 + CUTS * 30)) \
	"$TOOLS/exact" /dev/vda /dev/vdb /dev/vdc /dev/vdd /dev/vde \
	"$CUTS" "$SEED"

done_testing
