#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The units under systemd: an orderly shutdown seals a tracked disk after it has
# been unmounted, the next start believes it and mounts it again, and somebody
# watches.

# shellcheck source=tests/vm/lib.sh
. "$(dirname "$0")/lib.sh"

# The systemd guest has no other.
if [ "$KERNEL" != bookworm ]; then
	echo "1..0 # SKIP it has bookworm's kernel"
	exit
fi
disk a 64M
for unit in attach watch; do
	sed 's|@sbindir@|/usr/sbin|' \
		"$TOP/userspace/systemd/tidemark-$unit.service" \
		>"$WORK/tidemark-$unit.service"
done

# boot TEXT STEP
boot()
{
	system_guest "$1" --keep "$WORK/root" --disk "$WORK/a" \
		--timeout 500 --add "$WORK/tidemark-attach.service" \
		--add "$WORK/tidemark-watch.service" \
		"$TOP/tests/vm/guest/units.sh" "$2"
}

# record: what the stopped machine has of its device
record()
{
	debugfs -R "cat /var/lib/tidemark/attached/a.json" "$WORK/root" \
		2>/dev/null
}

boot "a machine is set up" first
record >"$WORK/record"
grep -q '"kind": "ext4"' "$WORK/record" && status=0 || status=$?
result "$status" "the shutdown has left a seal"
grep -q '"detached": false' "$WORK/record" && status=0 || status=$?
result "$status" "of a disk that is to be attached again"
boot "the next start" second

done_testing
