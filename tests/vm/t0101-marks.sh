#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Exactly the chunks that were written count as changed: edges, spans, the last
# partial chunk, discards, write-zeroes, NOWAIT and polled I/O, marks by
# message; disks with 512 and 4096-byte blocks, sizes that are no multiple of
# 1 MiB.

. "$(dirname "$0")/lib.sh"

disk origin $((64 * 1048576 + 37 * 512))
disk meta 4M
guest "blocks of 512 bytes" --disk "$DISK_origin" --disk "$DISK_meta" \
	--append "virtio_blk.poll_queues=1" \
	"$TOOLS/marks" /dev/vda /dev/vdb 128 8 $(full && echo 16 1024 2048)

disk origin $((64 * 1048576 + 5 * 4096))
guest "blocks of 4096 bytes" --disk "$DISK_origin:lbs=4096" \
	--disk "$DISK_meta:lbs=4096" "$TOOLS/marks" /dev/vda /dev/vdb 128 \
	$(full && echo 8 2048)

done_testing
