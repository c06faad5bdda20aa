#!/bin/sh
# SPDX-License-Identifier: MIT
#
# track.sh DIR - what tracking costs, beside dm-linear and dm-era
#
#   ROUNDS	of two writers beside one, 500

# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"

counted 512 warm uring aio
counted 1024 cold uring aio
counted 1536 cold_4t uring aio
guest "two writers" --parallel --add "$TOOLS/scale" "$GUEST/track.sh" scaling \
	"${ROUNDS:-500}"
report
