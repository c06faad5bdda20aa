#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A tracked disk that grows while it is in use: the base and the bits stay, and
# whatever may go wrong meanwhile, no change is missed.

# shellcheck source=tests/vm/lib.sh
. "$(dirname "$0")/lib.sh"

disk origin 32M
disk meta 1M
disk meta2 16M
guest "a disk that grows" --disk "$WORK/origin" --disk "$WORK/meta" \
	--disk "$WORK/meta2" --mem 1024 --timeout 300 \
	"$TOP/tests/vm/guest/grow.sh"

done_testing
