#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A write to chunks that are marked calls nothing that dm-linear's does not: no
# lock, no allocation, no queue.

# shellcheck source=tests/vm/lib.sh
. "$(dirname "$0")/lib.sh"

if [ "$KERNEL" = debug ]; then
	echo "1..0 # SKIP that kernel has no function tracer"
	exit
fi

# One processor: what one executes while the tracer changes it on another has been
# seen to trap, or to stand still, in QEMU's emulation.
guest "calls of map()" --smp 1 --timeout 300 --add "$TOOLS/rate" \
	"$TOP/tests/vm/guest/locks.sh"

done_testing
