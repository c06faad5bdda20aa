#!/bin/sh
# SPDX-License-Identifier: MIT
#
# track.sh DIR - what tracking costs, beside dm-linear and dm-era
#
# Writes DIR/track.json: ratios to dm-linear's requests a second, the worse of
# io_uring's and libaio's, dm-era's beside each as era_*; and DIR/track.txt, all
# that was measured. Says which bar each ratio stands against, and fails only
# when something could not be measured.
#
#   KERNEL	bullseye, bookworm (the default), trixie, sid
#   ROUNDS	of two writers beside one, 500

set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
KERNEL=${KERNEL:-bookworm}
DIR=$1
mkdir -p "$DIR"
# An old result is not to be taken for a new one.
rm -f "$DIR/track.json" "$DIR/track.txt"
WORK=$(mktemp -d "${TMPDIR:-/tmp}/tidemark-bench.XXXXXX")
trap 'rm -rf "$WORK"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# guest ARG...: adds what `scripts/vm run ARG...` prints to $WORK/rates
guest()
{
	"$TOP/scripts/vm" run --kernel "$KERNEL" --timeout 3600 "$@" \
		>"$WORK/out" 2>&1 || {
		cat "$WORK/out" >&2
		exit 1
	}
	cat "$WORK/out" >>"$WORK/rates"
}

# counted MEMORY WHAT...: by a clock that counts instructions
counted()
{
	echo "track.sh: measuring $2 on $KERNEL" >&2
	counted_mem=$1
	shift
	guest --icount --mem "$counted_mem" --add "$TOP/build/tests/rate" \
		"$TOP/tests/bench/guest/track.sh" "$@"
}

: >"$WORK/rates"
counted 512 warm uring aio
counted 1024 cold uring aio
counted 1536 cold_4t uring aio
echo "track.sh: measuring two writers on $KERNEL" >&2
guest --add "$TOP/build/tests/scale" "$TOP/tests/bench/guest/track.sh" \
	scaling "${ROUNDS:-500}"
awk -v kernel="$KERNEL" -v json="$WORK/track.json" \
	-f "$TOP/tests/bench/track.awk" "$TOP/tests/bench/track.bars" \
	"$WORK/rates" >"$WORK/track.txt"
cp "$WORK/track.json" "$WORK/track.txt" "$DIR"
cat "$DIR/track.txt"
