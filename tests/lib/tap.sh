# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# tap.sh - tests that run on this machine: to be sourced first
#
#	TOP, TESTS, BUILD	the source, its tests, what was built
#	TIDEMARK		the program; another one if the environment says
#	WORK			a directory of the test's own, removed at exit
#	at_exit COMMAND		to be run at exit, the last one first
#	ok STATUS TEXT		a result: 0 is well
#	is GOT WANTED TEXT	a result: the strings are equal
#	like GOT PATTERN TEXT	a result: GOT matches the shell pattern
#	skip_all WHY		ends the test: it cannot run here
#	finish			prints the plan; the last line of every test

set -u
TOP=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
# shellcheck disable=SC2034 # for the test
TESTS=$TOP/tests BUILD=$TOP/build
# shellcheck disable=SC2034 # for the test
TIDEMARK=${TIDEMARK:-$BUILD/tidemark}
WORK=$(mktemp -d "${TMPDIR:-/tmp}/tidemark-test.XXXXXX") || exit 1
tap_count=0
tap_bad=0
tap_exit=

at_exit() {
	tap_exit="$1
$tap_exit"
}

tap_clean() {
	tap_status=$?
	trap '' EXIT INT TERM
	eval "$tap_exit"
	rm -rf "$WORK"
	exit "$tap_status"
}
trap tap_clean EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

ok() {
	tap_count=$((tap_count + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $tap_count - $2"
	else
		tap_bad=$((tap_bad + 1))
		echo "not ok $tap_count - $2"
	fi
	[ "$1" -eq 0 ]
}

is() {
	[ "$1" = "$2" ]
	ok $? "$3" || printf '# got:    %s\n# wanted: %s\n' "$1" "$2"
}

like() {
	# shellcheck disable=SC2254 # a pattern it is
	case $1 in
	$2) ok 0 "$3" ;;
	*) ok 1 "$3" || printf '# got:     %s\n# pattern: %s\n' "$1" "$2" ;;
	esac
}

skip_all() {
	echo "1..0 # SKIP $1"
	exit 0
}

finish() {
	echo "1..$tap_count"
	[ "$tap_bad" -eq 0 ]
	exit
}
