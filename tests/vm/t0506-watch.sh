#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Metadata that fail: writes are held until the loss is recorded by `tidemark
# watch`; after a power cut the metadata read well, and nothing believes them.

# shellcheck source=tests/vm/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/vm/vault-lib.sh
. "$TOP/tests/vm/vault-lib.sh"

disk a 32M
disk b 8M
disk c 8M
disk d 64M

run()
{
	vault_guest "$1" --timeout 400 --disk "$WORK/a" --disk "$WORK/b" \
		--disk "$WORK/c" --disk "$WORK/d" \
		"$TOP/tests/vm/guest/watch.sh" "$2"
}

run "metadata fail" lose
run "after the power cut" after

done_testing
