#!/bin/sh
# SPDX-License-Identifier: MIT
#
# host-proxied.sh - what a guest asks of its host about the way to the vault
#
#	rule JSON	a rule for the proxy (tests/fault/rules.py); prints its
#			number
#	acted RULE	has it acted?
#	clear		no more rules; what they hold goes on its way
#	release		what they hold goes on its way; the rules stay
#	reset		count from zero
#	sum requests|bytes KIND REGEX
#			what came since: of a kind, to paths that match
#	points		prints the names of the points of the machine `guest`
#	save NAME IMAGE...	keeps copies of disks that stand still
#	load NAME IMAGE...	puts them back in place
#
# and all that host-truth.sh knows.

set -eu
# shellcheck source=tests/lib/proxy.sh
. "$TESTS/lib/proxy.sh"

case $1 in
rule)
	proxy_rule "$2"
	echo "$PROXY_RULE"
	;;
acted)
	curl -s --noproxy '*' --max-time 1 -o "$WORK/acted" \
		"http://127.0.0.1:$PROXY_PORT/_/await?rule=$2"
	;;
clear)	proxy_clear ;;
release) proxy_release ;;
reset)	proxy_reset ;;
sum)
	proxy_control log | /usr/bin/python3 -c '
import fnmatch, json, re, sys
what, kind, path = sys.argv[1:]
took = [r for r in json.load(sys.stdin) if fnmatch.fnmatch(r["kind"], kind)
        and re.search(path, r["path"].split("?")[0])]
print(len(took) if what == "requests" else sum(r["bytes"] for r in took))' \
		"$2" "$3" "$4"
	;;
points)
	"$TOP/build/tidemark" points --vault "$AZURITE_URL/vault" \
		--item guest --state-dir "$WORK/state" \
		--run-dir "$WORK/run" | sed 's/ .*//'
	;;
save | load)
	verb=$1 name=$2
	shift 2
	for image; do
		case $verb in
		save)	cp --sparse=always "$WORK/$image" \
				"$WORK/saved.$name.$image" ;;
		load)	dd if="$WORK/saved.$name.$image" of="$WORK/$image" \
				bs=1M conv=notrunc status=none ;;
		esac
	done
	;;
*)
	exec "$TOP/tests/vm/host-truth.sh" "$@"
	;;
esac
