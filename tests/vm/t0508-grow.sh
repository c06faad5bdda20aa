#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A disk that grows while it is tracked and mounted: `tidemark grow` follows it,
# its backups go on from their base, and metadata that are too small are said to
# be.

# shellcheck source=tests/vm/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/vm/vault-lib.sh
. "$TOP/tests/vm/vault-lib.sh"

disk a 136M
disk b 1M
disk c 32M

vault_guest "a disk grows" --timeout 400 --disk "$WORK/a" --disk "$WORK/b" \
	--disk "$WORK/c" "$TOP/tests/vm/guest/growing.sh"

done_testing
