#!/bin/sh
# SPDX-License-Identifier: MIT
#
# sparse, with byte orders, on the module; the module without a warning on
# every kernel.

. "$(dirname "$0")/../lib/tap.sh"
. "$TESTS/style/lib.sh"

scripts/vm sparse >"$WORK/sparse" 2>&1
ok $? "sparse runs"
grep -E '(warning|error):' "$WORK/sparse" >"$WORK/warnings"
silent "sparse finds nothing" cat "$WORK/warnings"
for kernel in bullseye bookworm trixie sid debug; do
	scripts/vm module "$kernel" >"$WORK/build" 2>&1
	ok $? "the module builds without a warning for $kernel" ||
		grep -E 'error:|warning:' "$WORK/build" | sed 's/^/# /'
done
finish
