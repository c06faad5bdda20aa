#!/bin/sh
# SPDX-License-Identifier: MIT
#
# PLUGS times the guest is stopped dead under load, in every state of a cut,
# while regions close and while it recovers from the last time. The caches of its
# disks lose what they may; what it reports when it is up again holds all that
# differs from the base.

# shellcheck source=tests/vm/lib.sh
. "$(dirname "$0")/../vm/lib.sh"
# shellcheck source=tests/crash/lib.sh
. "$TOP/tests/crash/lib.sh"

if full; then
	PLUGS=${PLUGS:-50}
else
	PLUGS=${PLUGS:-3}
fi
states="shipping recovery close commit recovery abort prepare tracking cut"
ORIGIN_MIB=64
export WORK TOP

# boot DIR N: until the power goes
boot()
{
	rm -f "$WORK/verdict"
	disks_start "$1"
	# shellcheck disable=SC2086 # OPTIONS is a list of words
	on_disks "plug $2" --add "$TOOLS/churn" --host "$CRASH/host-crash.sh" \
		"$CRASH/guest/plug.sh" $((500 + (SEED + $2) * 7919 % 5000)) \
		$((SEED + $2)) $OPTIONS
	disks_stop
}

# survive DIR N: what of it survives, if the power went in the state for N
survive()
{
	wanted=$(echo "$states" | cut -d ' ' -f $((($2 - 1) % 9 + 1)))
	replay draw "$1" seed=$((SEED + $2)) at="$wanted" chunks_at=32 \
		>"$WORK/drawn"
	sed 's/^/# /' "$WORK/drawn"
	state=$(sed -n 's/^power cut, state \([a-z]*\),.*/\1/p' "$WORK/drawn")
}

# next DIR NEW: the disks that have survived in DIR, for the next boot
next()
{
	disks_new "$2"
	for name in origin meta truth; do
		mv "$1/$name.cut" "$2/$name.0"
	done
	cp --sparse=always "$2/origin.0" "$2/origin"
	cp "$2/meta.0" "$2/meta"
}

# judge_plug DIR N: what the next boot has reported, against the truth
judge_plug()
{
	plug_status=1
	if [ -s "$WORK/verdict" ]; then
		mv "$WORK/verdict" "$1/verdicts"
		plug_status=0
		replay check "$1" seed=$((SEED + $2)) at="$wanted" chunks_at=32 \
				>"$WORK/score" || plug_status=$?
		sed 's/^#* */# /' "$WORK/score"
	fi
	result $plug_status "plug $2, $state: nothing is missed"
}

disks_new "$WORK/1"
n=1
boot "$WORK/1" 1
while [ "$n" -le "$PLUGS" ]; do
	survive "$WORK/$n" "$n"
	next "$WORK/$n" "$WORK/$((n + 1))"
	boot "$WORK/$((n + 1))" $((n + 1))
	judge_plug "$WORK/$n" "$n"
	rm -rf "${WORK:?}/$n"
	n=$((n + 1))
done

done_testing
