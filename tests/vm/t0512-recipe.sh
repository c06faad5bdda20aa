#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What README says of a snapshot with dmsetup alone works as it stands there, also
# when one of the devices lies on the other; and it finds a disk that was resumed.

# shellcheck source=tests/vm/lib.sh
. "$(dirname "$0")/lib.sh"

# The indented blocks below its heading: the cut, and the end.
awk -v dir="$WORK" '
	/^#/ && !/^    / { on = /^### With dmsetup alone/ }
	!on { next }
	/^    / { code = 1; print substr($0, 5) >(dir "/recipe" n + 0); next }
	/[^ ]/ { n += code; code = 0 }
	code { print "" >(dir "/recipe" n + 0) }
' "$TOP/README.md"
result "$([ -s "$WORK/recipe0" ] && [ -s "$WORK/recipe1" ] &&
	[ ! -e "$WORK/recipe2" ]; echo $?)" "README has the cut and its end"

disk a 16M
disk b 16M
guest "by hand" --timeout 400 --disk "$WORK/a" --disk "$WORK/b" --add "$TOOLS/chain" \
	--add "$WORK/recipe0:/cut" --add "$WORK/recipe1:/end" \
	"$TOP/tests/vm/guest/recipe.sh"

done_testing
