#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What a disk can do beyond reading and writing, its tracked device can do too.

# shellcheck source=tests/vm/lib.sh
. "$(dirname "$0")/lib.sh"

if [ "$KERNEL" = debug ]; then
	echo "1..0 # SKIP the debug kernel has no scsi_debug"
	exit
fi
guest "what passes through" --add "$TOOLS/atomic" \
	"$TOP/tests/vm/guest/passes.sh"

done_testing
