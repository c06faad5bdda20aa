#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Machines of which the disk or the metadata alone were rolled back.
#
# Certain: metadata whose base is not the cut of the last point make everything
# be compared; and metadata copied from a machine that runs say so, and
# everything counts as changed. Not certain: where the disk or its metadata
# alone are put back to a copy made at an orderly stop, and the metadata's base
# is the cut of the last point, nothing that they hold is wrong. Then only the
# sample of unmarked chunks can tell (and the seal that `detach` leaves, where
# the disk's ends differ). Here the sample is large enough to be sure to; as it
# comes, it finds a change of a small part of a disk in time at best.

# shellcheck source=tests/vm/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/vm/vault-lib.sh
. "$TOP/tests/vm/vault-lib.sh"
# shellcheck source=tests/vm/proxied-lib.sh
. "$TOP/tests/vm/proxied-lib.sh"

disk a 8M
disk b 1M
proxied_guest "parts of a machine rolled back" --timeout 800 \
	--disk "$WORK/a" --disk "$WORK/b" \
	--add "$TOP/tests/vm/guest/machines.sh:/usr/lib/machines.sh" \
	"$TOP/tests/vm/guest/rolledback.sh"

done_testing
