#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Whatever a crash leaves of two disks with volatile caches, what is reported as
# changed holds all that differs from the base: random load with cuts, commits,
# aborts and recoveries, then power cuts at each flush and at random POINTS,
# OUTCOMES of the caches each. And built with a mistake, the module is caught.

# shellcheck source=tests/vm/lib.sh
. "$(dirname "$0")/../vm/lib.sh"
# shellcheck source=tests/crash/lib.sh
. "$TOP/tests/crash/lib.sh"

all="publish-early keep-open no-flush epoch-first close-volatile from-open"
if full; then
	POINTS=${POINTS:-1000} OUTCOMES=${OUTCOMES:-8} MARKS=${MARKS:--1}
	ROUNDS=${ROUNDS:-6} CUTS=${CUTS:-10}
	KINDS=${KINDS:-raw ext4 xfs} MISTAKES=${MISTAKES:-$all}
	MISTAKE_MARKS=${MISTAKE_MARKS:--1} MISTAKE_CUTS=${MISTAKE_CUTS:-10}
else
	POINTS=${POINTS:-40} OUTCOMES=${OUTCOMES:-6} MARKS=${MARKS:-40}
	ROUNDS=${ROUNDS:-2} CUTS=${CUTS:-2}
	# One kind of load each time, and the mistake that so few outcomes are
	# sure to show; the rest take the long form's.
	KINDS=${KINDS:-$(echo raw ext4 | cut -d ' ' -f $((SEED % 2 + 1)))}
	MISTAKES=${MISTAKES:-no-flush} MISTAKE_CUTS=${MISTAKE_CUTS:-6}
	MISTAKE_MARKS=${MISTAKE_MARKS:-120}
fi

# load DIR TEXT KIND ROUNDS CUTS MARKS MISTAKES VM-ARG...
load()
{
	load_dir=$1 load_text=$2 load_kind=$3 load_rounds=$4 load_cuts=$5
	load_marks=$6 load_mistakes=$7
	shift 7
	disks_new "$load_dir"
	disks_start "$load_dir"
	# shellcheck disable=SC2086 # OPTIONS is a list of words
	on_disks "$load_text" --fio --timeout 3600 --add "$TOOLS/churn" "$@" \
		"$CRASH/guest/load.sh" "$load_kind" "$load_rounds" \
		"$load_cuts" "$SEED" "$load_mistakes" $OPTIONS
	disks_stop
	replay draw "$load_dir" points="$POINTS" marks="$load_marks" \
		outcomes="$OUTCOMES" | sed 's/^/# /'
}

# check DIR MARKS: its score is in $WORK/score, and printed
check()
{
	check_status=0
	replay check "$1" points="$POINTS" marks="$2" \
		outcomes="$OUTCOMES" >"$WORK/score" || check_status=$?
	sed 's/^#* */# /' "$WORK/score"
	[ $check_status -le 1 ] || result 1 "the log of $1 is replayed"
}

# mkfs.xfs makes nothing smaller than 300 MB.
case $KINDS in
*xfs*)	ORIGIN_MIB=384 ;;
esac
dirs=
for kind in $KINDS; do
	load "$WORK/$kind" "load: $kind" "$kind" "$ROUNDS" "$CUTS" \
		"$MARKS" -
	dirs="$dirs $WORK/$kind"
done
if [ "$MISTAKES" != none ]; then
	load "$WORK/mistakes" "load: with mistakes" raw 1 "$MISTAKE_CUTS" \
		"$MISTAKE_MARKS" "$MISTAKES" --patch "$CRASH/mistakes.patch"
	dirs="$dirs $WORK/mistakes"
fi
# shellcheck disable=SC2086 # names without spaces
judge $dirs

for kind in $KINDS; do
	check "$WORK/$kind" "$MARKS"
	outcomes=$(scored all outcomes)
	for what in missed refused strange unexcused; do
		r=0
		[ "$(scored all $what)" = 0 ] || r=1
		result $r "$kind: of $outcomes outcomes: none $what"
	done
done
[ "$MISTAKES" != none ] || done_testing
check "$WORK/mistakes" "$MISTAKE_MARKS"
for mistake in $MISTAKES; do
	r=0
	[ "$(scored "$mistake" missed)" -gt 0 ] || r=1
	result $r "the mistake $mistake is found"
done

done_testing
