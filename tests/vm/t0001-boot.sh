#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What a kernel reports while it boots is not the module's: the guest boots
# again, its script runs once, and a kernel that always reports is not taken.

# shellcheck source=tests/vm/lib.sh
. "$(dirname "$0")/lib.sh"

printf '#!/bin/sh\n%s\n' 'echo began' >"$WORK/script"

# boots ARG...: sets boots_status, how often the script ran, how often a boot
# was not taken
boots()
{
	boots_status=0
	"$TOP/scripts/vm" run --kernel "$KERNEL" "$@" "$WORK/script" \
		>"$WORK/out" 2>&1 || boots_status=$?
	boots_began=$(grep -c '^began$' "$WORK/out") || :
	boots_again=$(grep -c '^# reported while booting: again$' \
		"$WORK/out") || :
	echo "# status $boots_status, began $boots_began, again $boots_again"
}

boots
[ "$boots_status,$boots_began" = 0,1 ] && wanted=0 || wanted=1
result "$wanted" "a kernel with nothing to report boots once"

# The kernel prints its arguments, and so the word that begins a report.
boots --append WARNING:a-test-made-this
[ "$boots_status,$boots_began,$boots_again" = 99,0,2 ] && wanted=0 || wanted=1
result "$wanted" "one that always reports is tried three times, and not used"

done_testing
