#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The kernel's own judge of style, strict, on the module.

. "$(dirname "$0")/../lib/tap.sh"
. "$TESTS/style/lib.sh"

checkpatch=$(scripts/vm checkpatch) || exit 1
for file in $(files 'kmod/*.[ch]'); do
	silent "checkpatch $file" perl "$checkpatch" --no-tree --strict --quiet \
		--no-summary -f "$file"
done
finish
