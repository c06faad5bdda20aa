#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Damage to META: of every state that it went through, every sector rotten or
# overwritten, every torn write, either superblock and both. The module refuses
# that, or reports a superset of what changed. The long form tries all of it,
# the short one what STRIDE lets through; SEED is a variable too.

# shellcheck source=tests/vm/lib.sh
. "$(dirname "$0")/../vm/lib.sh"

full && : "${STRIDE:=1}"
: "${STRIDE:=97}" "${SEED:=$(date +%s)}" "${AT_ONCE:=4000}"
origin=40 meta=24 chunks=10240		# MiB, KiB
options="chunk_sectors 8 region_sectors 16"

disk origin "${origin}M"
disk meta "${meta}K"
disk log 64M
guest "META goes through all states" --disk "$WORK/origin" \
	--disk "$WORK/meta" --disk "$WORK/log" --add "$TOOLS/states" \
	"$TOP/tests/crash/damage/states.sh"

# damage TEXT VERB ARG...: says what it says
damage()
{
	damage_text=$1 damage_verb=$2
	shift 2
	damage_status=0
	"$TOOLS/damage" "$damage_verb" "$WORK/log" $((meta * 1024)) "$@" \
		>"$WORK/said" 2>&1 || damage_status=$?
	sed 's/^\([^#]\)/# \1/' "$WORK/said"
	result "$damage_status" "$damage_text"
}

damage "images of damage, one in $STRIDE, seed $SEED" make "$WORK/images" \
	"$WORK/plan" "$STRIDE" "$SEED"

# verdicts FROM COUNT: of so many images, into $WORK/verdicts
verdicts()
{
	dd if="$WORK/images" of="$WORK/part" bs="${meta}K" skip="$1" \
		count="$2" status=none
	truncate -s $((8 * meta))K "$WORK/slots"
	verdicts_status=0
	"$TOP/scripts/vm" run --kernel "$KERNEL" --timeout 1800 \
		--disk "$WORK/part" --disk "$WORK/slots" \
		--add "$TOOLS/judge" "$TOP/tests/crash/guest/judges.sh" \
		$((origin * 2048)) $((meta * 2)) "$2" "$options" \
		>"$WORK/said" 2>&1 || verdicts_status=$?
	awk -v from="$1" '/^[0-9]/ { $1 += from; print }' "$WORK/said" \
		>>"$WORK/verdicts"
	[ "$verdicts_status" -eq 0 ] || grep '^#' "$WORK/said" || :
	result "$verdicts_status" "$KERNEL: images $1 to $(($1 + $2 - 1)) are judged"
}

count=$(wc -l <"$WORK/plan")
at=0
while [ "$at" -lt "$count" ]; do
	n=$((count - at))
	[ "$n" -le "$AT_ONCE" ] || n=$AT_ONCE
	verdicts "$at" "$n"
	at=$((at + n))
done
damage "of $count images none misses a change" check "$WORK/plan" \
	"$WORK/verdicts" "$chunks"

# It is noticed, were the chunks at the end of each image's list missing.
awk '$2 == "tracking" && $3 != "-" && !sub(/,[^,]*$/, "", $6) { $6 = "-" }
	{ print }' "$WORK/verdicts" >"$WORK/short"
if "$TOOLS/damage" check "$WORK/log" $((meta * 1024)) "$WORK/plan" \
	"$WORK/short" "$chunks" >"$WORK/said" 2>&1; then
	result 1 "a missing chunk is noticed"
else
	grep -q 'a change is missed\|since a merged cut is missed' "$WORK/said"
	result $? "a missing chunk is noticed"
fi
done_testing
