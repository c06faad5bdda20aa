# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# lib.sh - tests that run in guests: one TAP stream from several boots
#
# Sourced by tests/vm/tNNNN-topic.sh. The environment chooses:
#
#   KERNEL	bullseye, bookworm (the default), trixie, sid or debug
#   FORM	short (the default) or full
#
# A guest's TAP loses its numbers and its plan and takes its place in the
# test's own. Every boot adds one result: that the guest ended well and the
# kernel had nothing to report.

set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck disable=SC2034 # for the tests
TOOLS=$TOP/build/tests
KERNEL=${KERNEL:-bookworm}
FORM=${FORM:-short}

WORK=$(mktemp -d "${TMPDIR:-/tmp}/tidemark-test.XXXXXX")
trap 'rm -rf "$WORK"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
vm_count=0
vm_bad=0

# full: is this the long form?
full()
{
	[ "$FORM" = full ]
}

# disk NAME SIZE: a new disk full of zeroes, $WORK/NAME
disk()
{
	rm -f "$WORK/$1"
	truncate -s "$2" "$WORK/$1"
}

# result STATUS TEXT
result()
{
	vm_count=$((vm_count + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $vm_count - $2"
	else
		vm_bad=$((vm_bad + 1))
		echo "not ok $vm_count - $2"
	fi
}

# guest TEXT ARG...: runs `scripts/vm run --kernel $KERNEL ARG...`
guest()
{
	vm_text=$1
	shift
	echo "# $KERNEL: $vm_text"
	vm_status=0
	"$TOP/scripts/vm" run --kernel "$KERNEL" "$@" >"$WORK/out" 2>&1 ||
		vm_status=$?
	awk -v n="$vm_count" '
		/^(not )?ok( |$)/ {
			n++
			sub(/^ok( [0-9]+)?/, "ok " n)
			sub(/^not ok( [0-9]+)?/, "not ok " n)
			print
			next
		}
		/^1\.\.[0-9]+$/ { next }
		/^Bail out!/ { print "#", $0; next }
		/^#/ { print; next }
		{ print "#", $0 }
	' "$WORK/out"
	vm_count=$((vm_count + $(grep -cE '^(not )?ok( |$)' \
		"$WORK/out" || :)))
	vm_bad=$((vm_bad + $(grep -cE '^not ok( |$)' "$WORK/out" || :)))
	result "$vm_status" "$KERNEL: $vm_text: the guest and its kernel end well"
}

# system_guest TEXT ARG...: the same in bookworm's systemd guest, by `scripts/vm
# system ARG...`
system_guest()
{
	vm_text=$1
	shift
	echo "# $KERNEL: $vm_text"
	vm_status=0
	"$TOP/scripts/vm" system "$@" >"$WORK/out" 2>&1 || vm_status=$?
	tr -d '\r' <"$WORK/out" >"$WORK/tap"
	while IFS= read -r vm_line; do
		case $vm_line in
		"ok "*)	result 0 "${vm_line#ok * - }" ;;
		"not ok "*) result 1 "${vm_line#not ok * - }" ;;
		1..*)	;;
		*)	echo "# ${vm_line#\# }" ;;
		esac
	done <"$WORK/tap"
	result "$vm_status" "$vm_text: it ends well"
}

# done_testing: the plan; the last thing a test does
done_testing()
{
	echo "1..$vm_count"
	[ "$vm_bad" -eq 0 ]
	exit
}
