#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The tracking protocol holds in every interleaving of a small instance, and
# each mistake that can be planted in the model is found.

set -u
cd "$(dirname "$0")/../.." || exit 1
model=build/model/tracking
output=$model.out
n=0

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

# holds NAME OPTION...: explored to the end, no violation
holds()
{
	name=$1
	shift
	"$model" "$@" MAXM=6 >"$output" 2>&1 &&
		grep -q ': holds states=' "$output" &&
		! grep -q LIMIT "$output"
	report $? "$name: $(sed -n 's/.*\(states=[0-9]*\).*/\1/p' "$output")"
}

# finds NAME OPTION...: a violation, with the trace that leads there
finds()
{
	name=$1
	shift
	"$model" "$@" MAXM=6 >"$output" 2>&1
	[ $? -eq 1 ] && grep -q '^ *1 ' "$output"
	report $? "found: $name"
}

mkdir -p build/model
if ! ${CXX:-g++} -O2 -Wall -Wextra -o "$model" tests/model/tracking.cc \
	>"$output" 2>&1; then
	echo 1..1
	report 1 "the model compiles"
	exit 1
fi

echo 1..23
holds "two writes, a cut, a crash" W=2 NW=1 CRASH=1
holds "a write, a cut, two crashes" W=1 NW=1 CRASH=2
finds "a region opened before its bit is durable" W=1 NW=1 CRASH=1 MUT=1
finds "open bits survive the cut" W=2 NW=1 CRASH=1 MUT=2
finds "region sectors built from open" W=1 NW=1 CRASH=1 MUT=3
finds "commit without origin flush" W=1 NW=1 CRASH=1 MUT=4
finds "writes admitted during recovery" W=2 NW=1 CRASH=2 MUT=5
finds "superblock in effect after one copy, one area read" \
	W=2 NW=1 CRASH=1 MUT=6 READALL=0
finds "superblock in effect after one copy, newer sectors believed" \
	W=2 NW=1 CRASH=1 MUT=6 NORULE=1
finds "two writes in flight for a sector" W=1 NW=1 CRASH=1 MUT=7
finds "no recheck" W=1 NW=1 CRASH=1 MUT=8
finds "no grace period" W=1 NW=1 CRASH=1 MUT=9
finds "plain merge" W=1 NW=1 CRASH=1 MUT=10
finds "cut without drain" W=1 NW=1 CRASH=1 MUT=11
finds "frozen set not merged" W=1 NW=1 CRASH=1 MUT=12
finds "chunk sectors never flushed" W=1 NW=1 CRASH=1 CSMODE=0
finds "chunk sectors flushed too late" W=2 NW=1 CRASH=1 CSMODE=2
finds "wanted means queued only" W=1 NW=1 CRASH=1 WANTED=0
finds "wanted tested apart" W=2 NW=1 CRASH=1 ATOMIC=0
finds "merge not written" W=1 NW=1 CRASH=1 MERGEALL=0
finds "log emptied too early in recovery" W=1 NW=1 CRASH=2 RECCLEAR=2
finds "closer runs across the cut" W=1 NW=1 CRASH=1 QUIESCE=0
finds "closer runs across the cut, by the current epoch" \
	W=2 NW=1 CRASH=1 QUIESCE=2
rm -f "$output"
