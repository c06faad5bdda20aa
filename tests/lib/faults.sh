# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# faults.sh - one small disk in a vault, and clients that stall or die; to be
# sourced by sh after tap.sh
#
#	faults_start		a vault, disk a ($A, 8 MiB) with its first point
#	right background ended kill_at points grown	as told beside each

. "$TESTS/lib/vault.sh"

faults_start() {
	vault_start
	A=$WORK/a.img
	random_disk "$A" 8
	vault_make Main
	tidemark protect "$VAULT" "$A" --disk a --item m1
	tidemark backup
}

# right TEXT: the last point is the disk as it is now, every chunk proved
right() {
	tidemark restore disk a "$WORK/right.img" --yes &&
		cmp "$WORK/right.img" "$A"
	ok $? "$1"
}

# background: starts a backup that stands still before its first request; its
# process in CLIENT
background() {
	proxy_rule '{"kind":"lease-acquire","do":"hold"}'
	# What a shell sends to the background ignores SIGINT.
	env --default-signal=INT "$TIDEMARK" backup --json \
		>"$WORK/client.out" 2>"$WORK/client.err" </dev/null &
	CLIENT=$!
	proxy_await "$PROXY_RULE"
}

# ended: waits for it; its status in STATUS
ended() {
	wait "$CLIENT"
	STATUS=$?
}

# kill_at JSON-OF-A-RULE: a backup dies there
kill_at() {
	background
	proxy_rule "{\"do\":\"kill\",\"pid\":$CLIENT,$1}"
	proxy_release
	ended 2>/dev/null
	proxy_clear
}

points() {
	"$TIDEMARK" points | sed 's/ .*//' | xargs
}

# grown TEXT N: there are N points more than at the last call
POINTS=0
grown() {
	grown_now=$(points | wc -w)
	is $((grown_now - POINTS)) "$2" "$1"
	POINTS=$grown_now
}
