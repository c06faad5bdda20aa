#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What is sent of live disks ahead of the cut: two disks under steady writes are
# cut with little left to keep; what is written in a round is sent in the next;
# and a run that is killed in a round, or between two, leaves nothing that a later
# one believes.

# shellcheck source=tests/vm/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/vm/vault-lib.sh
. "$TOP/tests/vm/vault-lib.sh"
# shellcheck source=tests/vm/proxied-lib.sh
. "$TOP/tests/vm/proxied-lib.sh"

disk a 8M
disk b 12M
disk c 64M
proxied_guest "ahead of the cut" --timeout 700 --disk "$WORK/a" \
	--disk "$WORK/b" --disk "$WORK/c" --add "$TOOLS/churn" \
	"$TOP/tests/vm/guest/precopy.sh" "$FORM"

done_testing
