#!/bin/sh
# SPDX-License-Identifier: MIT
#
# host-crash.sh - what a guest tells its host about a crash; all else is for
# tests/vm/host-truth.sh
#
#	verdict TEXT		what counts as changed, to $WORK/verdict
#	counters NUMBER...	of its backup, to $WORK/counters

set -eu
case $1 in
verdict)
	echo "0 $2" >"$WORK/verdict" ;;
counters)
	shift
	echo "$*" >"$WORK/counters" ;;
*)
	exec "$TOP/tests/vm/host-truth.sh" "$@" ;;
esac
