#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Exactly the chunks that were written count as changed: edges, spans, the last
# partial chunk, discards, write-zeroes, NOWAIT and polled I/O, marks by
# message; disks with 512 and 4096-byte blocks, sizes that are no multiple of
# 1 MiB.

# shellcheck source=tests/vm/lib.sh
. "$(dirname "$0")/lib.sh"

small=128 large=128
if full; then
	small="128 8 16 1024 2048" large="128 8 2048"
fi

disk origin $((64 * 1048576 + 37 * 512))
disk meta 4M
# shellcheck disable=SC2086 # a list
guest "blocks of 512 bytes" --disk "$WORK/origin" --disk "$WORK/meta" \
	--append "virtio_blk.poll_queues=1" \
	"$TOOLS/marks" /dev/vda /dev/vdb $small

disk origin $((64 * 1048576 + 5 * 4096))
# shellcheck disable=SC2086 # a list
guest "blocks of 4096 bytes" --disk "$WORK/origin:lbs=4096" \
	--disk "$WORK/meta:lbs=4096" --append "virtio_blk.poll_queues=1" \
	"$TOOLS/marks" /dev/vda /dev/vdb $large

done_testing
