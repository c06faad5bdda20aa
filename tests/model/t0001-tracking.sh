#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The tracking protocol holds in every interleaving of small instances, and
# the model finds each rule that is left out of it.

set -u
cd "$(dirname "$0")/../.." || exit 1
model=build/model/tracking
output=$model.out
n=0

# Instances, each with what it is there for.
instances="
W=2 CUTS=1 CRASH=1 STEAL=1
W=1 CUTS=1 CRASH=2
W=1 CUTS=2 CRASH=1
W=1 NW=1 ROT=1 RESET=1
W=1 RELOAD=1
W=1 FAILS=1 CRASH=2
W=1 FAILS=1 TMO=1
W=1 FAILS=1 TMO=2 CONFIRM=1
W=1 LIVES=1 CRASH=1
W=1 LIVES=2 CRASH=1 CUTS=0
W=1 FAILS=1 LIVES=1
W=1 MARKS=1
W=1 MARKS=1 FAILS=1 CUTS=0
W=1 GROW=1
W=1 GROW=1 FAILS=1 CUTS=0 CRASH=2
W=1 CUTS=2 PRE=1 STEAL=0
W=1 CUTS=2 PRE=1 OTHER=1 CRASH=0 STEAL=0
"

# Rules left out, and an instance that is large enough to miss them.
mistakes="
open-early W=1
from-open W=2
no-log-lock W=1
no-recheck W=1
wanted-queued W=1
wanted-once W=2 NW=2
open-survives W=2
cut-opening W=1 MARKS=1
mark-at-once W=1 MARKS=1
mark-forgotten W=1 MARKS=1 FAILS=1
no-grace W=1
close-plain W=1
close-late W=2
settle-apart W=1
close-over-cut W=1
close-over-lost-cut W=1 FAILS=1
close-over-merge W=1
one-copy,newer-believed W=2 ROT=1
one-copy,one-area W=2 ROT=1
log-first W=1
next-unlogged W=2
next-opened W=2
cut-undrained W=1
commit-unflushed W=1
commit-forgets-log W=1
merge-plain W=1
merge-unsaved W=1
give-up-opening W=1
give-up-logged W=1
fill-at-loss W=1 FAILS=1
pass-early W=1 FAILS=1
publish-failed W=1 FAILS=1
cut-unfilled W=1 FAILS=1 CRASH=2
merge-lost W=1 FAILS=1
start-keeps-bits W=1 FAILS=1 LIVES=1
lost-ignored W=1 FAILS=1
admit-early W=1 CRASH=2
no-frozen W=1
no-next W=1
empty-early W=1 CRASH=2
flush-rides W=1 FAILS=1 CRASH=2
super-early W=1 CRASH=2
epoch-early W=1 CRASH=2
sweep-early W=1 CRASH=2
disown-nothing W=1 LIVES=1
clean-early W=1 LIVES=1
end-unmerged W=1 LIVES=1
end-opening W=1 MARKS=1 LIVES=1
round-early W=1 CUTS=2 PRE=1 CRASH=0
round-listed W=1 PRE=1 OTHER=1 CRASH=0
round-believed W=1 CUTS=2 PRE=1 OTHER=1 CRASH=0
touched-ignored W=1 OTHER=1 CRASH=0
grow-believed W=1 GROW=1
grow-unmarked W=1 GROW=1
"

# report STATUS NAME: one line of TAP
report()
{
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		sed 's/^/# /' "$output"
	fi
}

# holds OPTION...: explored to the end, no violation
holds()
{
	"$model" "$@" >"$output" 2>&1 &&
		grep -q ' : holds states=' "$output" &&
		! grep -q LIMIT "$output"
	report $? "holds, $*: $(sed -n 's/.*\(states=[0-9]*\).*/\1/p' "$output")"
}

# finds WHAT OPTION...: a violation, with the trace that leads there
finds()
{
	what=$1
	shift
	"$model" "$@" >"$output" 2>&1
	[ $? -eq 1 ] && grep -q '^ *1 ' "$output"
	report $? "found: $what"
}

# are_complete: no rule of the model is without a line above
are_complete()
{
	"$model" list | cut -f1 | sort >"$output.rules"
	echo "$mistakes" | cut -d' ' -f1 | tr ',' '\n' | sed '/^$/d' |
		sort -u | diff "$output.rules" - >"$output"
	report $? "every rule has its mistake"
	rm -f "$output.rules"
}

mkdir -p build/model
if ! ${CXX:-g++} -std=c++17 -O2 -Wall -Wextra -o "$model" tests/model/*.cc \
	>"$output" 2>&1; then
	echo 1..1
	report 1 "the model compiles"
	exit 1
fi

echo "1..$(($(echo "$instances$mistakes" | grep -c .) + 2))"
while read -r options; do
	# shellcheck disable=SC2086 # options are words
	[ -z "$options" ] || holds $options
done <<END
$instances
END
while read -r rules options; do
	# shellcheck disable=SC2086 # options are words
	[ -z "$rules" ] || finds "$rules" BREAK="$rules" $options
done <<END
$mistakes
END
are_complete
finds "the exposure while a table is replaced" W=1 LIVES=1 EARLY=1
rm -f "$output"
