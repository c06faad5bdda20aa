# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# lib.sh - checks of the source: to be sourced after tap.sh
#
#	files PATTERN...	the source files that match, paths below TOP
#	silent TEXT COMMAND...	a result: COMMAND succeeds and says nothing

cd "$TOP" || exit 1

files() {
	for pattern; do
		set -- "$@" -o -path "./$pattern"
		shift
	done
	shift
	find . \( -path ./.git -o -path ./build -o -path ./tests/fuzz/corpus \
		-o -name node_modules \
		-o -name __pycache__ -o -name '*.mod.c' \) -prune \
		-o -type f \( "$@" \) -print | sort
}

silent() {
	text=$1
	shift
	"$@" >"$WORK/said" 2>&1 && [ ! -s "$WORK/said" ]
	ok $? "$text" || head -n 40 "$WORK/said" | sed 's/^/# /'
}
