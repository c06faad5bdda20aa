#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Machines that are not what the vault last saw: a clone that backs up into the
# same item, and a machine rolled back as a whole. A machine is its disk, its
# metadata and /var/lib/tidemark; its image is taken and put back while it stands
# still, its module unloaded.
#
# Whenever the base of the metadata is not the cut of the last point, all is
# compared, whatever the epochs' numbers are. No sample is taken here, so
# nothing is owed to chance.

# shellcheck source=tests/vm/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/vm/vault-lib.sh
. "$TOP/tests/vm/vault-lib.sh"
# shellcheck source=tests/vm/proxied-lib.sh
. "$TOP/tests/vm/proxied-lib.sh"

disk a 8M
disk b 1M
proxied_guest "clones and machines rolled back" --timeout 800 \
	--disk "$WORK/a" --disk "$WORK/b" \
	--add "$TOP/tests/vm/guest/machines.sh:/usr/lib/machines.sh" \
	"$TOP/tests/vm/guest/clones.sh"

done_testing
