# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# lib.sh - what benchmarks share: guests that print rates, and a report of them
#
# Sourced by tests/bench/NAME.sh DIR, which then calls `report`: it writes
# DIR/NAME.json, what NAME.bars asks for, and DIR/NAME.txt, all that was measured.
# It says which bar each figure stands against, and fails only when something
# could not be measured. KERNEL is bullseye, bookworm (the default), trixie or
# sid.

set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck disable=SC2034 # for the benchmarks
TOOLS=$TOP/build/tests
GUEST=$TOP/tests/bench/guest
KERNEL=${KERNEL:-bookworm}
NAME=$(basename "$0" .sh)
DIR=$1
mkdir -p "$DIR"
# An old result is not to be taken for a new one.
rm -f "$DIR/$NAME.json" "$DIR/$NAME.txt"
WORK=$(mktemp -d "${TMPDIR:-/tmp}/tidemark-bench.XXXXXX")
trap 'rm -rf "$WORK"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
: >"$WORK/rates"

# guest TEXT ARG...: keeps what `scripts/vm run ARG...` prints
guest()
{
	echo "$NAME.sh: measuring $1 on $KERNEL" >&2
	shift
	"$TOP/scripts/vm" run --kernel "$KERNEL" --timeout 3600 \
		--add "$GUEST/lib.sh:/usr/lib/bench.sh" "$@" \
		>"$WORK/out" 2>&1 || {
		cat "$WORK/out" >&2
		exit 1
	}
	cat "$WORK/out" >>"$WORK/rates"
}

# counted MEMORY WHAT...: NAME.sh's guest, by a clock that counts instructions
counted()
{
	counted_mem=$1
	shift
	guest "$1" --icount --mem "$counted_mem" --add "$TOOLS/rate" \
		"$GUEST/$NAME.sh" "$@"
}

report()
{
	awk -v kernel="$KERNEL" -v unit="${UNIT:-requests a second}" \
		-v json="$WORK/$NAME.json" -f "$TOP/tests/bench/report.awk" \
		"$TOP/tests/bench/$NAME.bars" "$WORK/rates" \
		>"$WORK/$NAME.txt" || {
		cat "$WORK/$NAME.txt" >&2
		exit 1
	}
	cp "$WORK/$NAME.json" "$WORK/$NAME.txt" "$DIR"
	cat "$DIR/$NAME.txt"
}
