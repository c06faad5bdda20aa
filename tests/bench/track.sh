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

# guest MODE MEMORY: what guest/track.sh measures, into $WORK/rates
guest()
{
	echo "track.sh: measuring $1 on $KERNEL" >&2
	"$TOP/scripts/vm" run --kernel "$KERNEL" --icount --mem "$2" \
		--timeout 3600 --add "$TOP/build/tests/rate" \
		"$TOP/tests/bench/guest/track.sh" "$1" uring aio \
		>"$WORK/out" 2>&1 || {
		cat "$WORK/out" >&2
		exit 1
	}
	cat "$WORK/out" >>"$WORK/rates"
}

: >"$WORK/rates"
guest warm 512
guest cold 1024
guest cold_4t 1536
awk -v kernel="$KERNEL" -v json="$WORK/track.json" \
	-f "$TOP/tests/bench/track.awk" "$TOP/tests/bench/track.bars" \
	"$WORK/rates" >"$WORK/track.txt"
cp "$WORK/track.json" "$WORK/track.txt" "$DIR"
cat "$DIR/track.txt"
