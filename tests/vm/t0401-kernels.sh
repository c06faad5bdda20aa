#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A short form of the module's tests, one boot of every other kernel. The full
# list on all of them is `make check-kernels`.

# shellcheck source=tests/vm/lib.sh
. "$(dirname "$0")/lib.sh"

if full || [ "$KERNEL" != bookworm ]; then
	echo "1..0 # SKIP the whole list runs on this kernel"
	exit
fi
disk large $((64 * 1048576 + 37 * 512))
disk meta 1M
disk small $((16 * 1048576 + 13 * 512))
disk blocks $((64 * 1048576 + 5 * 4096))
for KERNEL in ${KERNELS:-bullseye trixie sid}; do
	guest "the short form" --disk "$WORK/large" --disk "$WORK/meta" \
		--disk "$WORK/small" --disk "$WORK/blocks:lbs=4096" \
		--add "$TOOLS/marks" --add "$TOOLS/persist" \
		--add "$TOOLS/snapshot" --add "$TOOLS/walk" --timeout 600 \
		--append "virtio_blk.poll_queues=1" \
		"$TOP/tests/vm/guest/several.sh" "$(date +%s)"
done

done_testing
