#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Tracking costs next to nothing on a warm disk, with io_uring, which shows
# what a target without NOWAIT loses.

# shellcheck source=tests/vm/lib.sh
. "$(dirname "$0")/lib.sh"

guest "against dm-linear" --icount --fio --timeout 300 \
	"$TOP/tests/vm/guest/speed.sh"

done_testing
