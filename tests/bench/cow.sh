#!/bin/sh
# SPDX-License-Identifier: MIT
#
# cow.sh DIR - what a snapshot costs, beside dm-linear and dm-snapshot

# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"

counted 1024 overwrite "uring aio" "1 32" "linear persistent transient tidemark"
counted 1024 outside "uring aio" "1 32"
counted 1024 released "uring aio" "1 32"
counted 1024 seqread "uring aio" "1 16"
guest "cuts of 16 disks" --icount --mem 1024 --add "$TOOLS/window" \
	"$GUEST/window.sh"
report
