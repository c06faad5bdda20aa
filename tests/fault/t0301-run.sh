#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A run that dies at any request, replies that are lost, requests that come
# twice and late, two clients at once: never a wrong recovery point.

. "$(dirname "$0")/../lib/tap.sh"
. "$TESTS/lib/vault.sh"

vault_start
A=$WORK/a.img
random_disk "$A" 8
vault_make Main
tidemark protect "$VAULT" "$A" --disk a --item m1
tidemark backup

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
	"$BUILD/tidemark" backup --json >"$WORK/client.out" \
		2>"$WORK/client.err" </dev/null &
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
	"$BUILD/tidemark" points | sed 's/ .*//' | xargs
}

# grown TEXT N: there are N points more than at the last call
grown() {
	grown_now=$(points | wc -w)
	is $((grown_now - POINTS)) "$2" "$1"
	POINTS=$grown_now
}

# A stale hash: A is backed up, B is sent, the client dies before it has
# written the hashes, the disk reverts to A.
cp "$A" "$WORK/before.img"
scribble "$A" 100000 300000
kill_at '"kind":"page-put","path":"a.vhd","after":true'
is "$STATUS" 137 "a client dies between its pages and their hashes"
cp "$WORK/before.img" "$A"
tidemark backup --json
ok $? "the disk has reverted; the next backup"
[ "$(json result.counters.scanned.chunks_uploaded)" -gt 0 ]
ok $? "sends what the dead client had overwritten"
right "a stale hash does not win"

# The same the other way round: the hashes were written, the point was not.
scribble "$A" 100000 300000
kill_at '"kind":"snapshot"'
cp "$WORK/before.img" "$A"
tidemark backup
right "nor does a hash without a point"

# Death at each kind of request, before it and after it
POINTS=$(points | wc -w)
n=0
for at in '"kind":"lease-acquire","skip":1' \
	'"kind":"list"' \
	'"kind":"sequence"' '"kind":"sequence","skip":2' \
	'"kind":"block-put","path":"runs/"' \
	'"kind":"page-put","path":"a.hash"' \
	'"kind":"page-put","path":"a.vhd"' \
	'"kind":"page-clear"' \
	'"kind":"page-put","path":"a.hash","skip":1' \
	'"kind":"snapshot"' '"kind":"snapshot","skip":1' \
	'"kind":"block-put","path":"points/"' \
	'"kind":"block-put","path":"jobs/"' \
	'"kind":"lease-release"'; do
	for after in false true; do
		n=$((n + 1))
		scribble "$A" $((n * 131072 + 5000)) 70000
		wipe "$A" $((7000000 - n * 65536)) 100000
		kill_at "$at,\"after\":$after"
		[ "$STATUS" -eq 137 ] || ok 1 "the client dies at $at"
		case $at,$after in
		*points/*,true | *jobs/* | *release*) new=1 ;;
		*) new=0 ;;
		esac
		grown "death at $at, after: $after" $new
		scribble "$A" $((n * 131072 + 30000)) 10
		tidemark backup || sed 's/^/# /' "$WORK/err"
		right "the next run is right"
		POINTS=$((POINTS + 1))
	done
done
point_disk "$WORK/x.vhd" a
same_disk "the SDK agrees" "$WORK/x.vhd" "$A"

# Replies that are lost: the request has taken effect, the client cannot know
for at in '"kind":"page-put","path":"a.vhd"' \
	'"kind":"page-put","path":"a.hash"' '"kind":"page-clear"' \
	'"kind":"sequence"' '"kind":"snapshot"' \
	'"kind":"snapshot","skip":1' \
	'"kind":"block-put","path":"runs/"' \
	'"kind":"block-put","path":"points/"'; do
	scribble "$A" 2000000 200000
	wipe "$A" 3000000 200000
	proxy_rule "{\"do\":\"drop\",$at}"
	tidemark backup --json || sed 's/^/# /' "$WORK/err"
	is "$STATUS" 0 "no reply to $at: the run goes on"
	proxy_clear
	grown "one point" 1
	right "which is right"
	scribble "$A" 3000000 200000
done

# A busy service
scribble "$A" 2000000 200000
proxy_rule '{"kind":"page-put","times":2,"do":"status","status":503,
	"code":"ServerBusy","headers":{"Retry-After":"1"}}'
tidemark backup --json
ok $? "503 is tried again"
is "$(json result.counters.total.retries)" 2 "which is counted"
proxy_clear
right "and the point is right"

# A late duplicate: requests of this run and of the last one come once more
scribble "$A" 2000000 200000
proxy_rule '{"kind":"page-put","times":0,"do":"record","name":"last"}'
tidemark backup
last=$(proxy_control 'recorded?name=last' |
	/usr/bin/python3 -c 'import json, sys; print(json.load(sys.stdin)["count"])')
proxy_clear
cp "$A" "$WORK/last.img"
LAST=$(points | sed 's/.* //')
scribble "$A" 2000000 200000
background
proxy_rule '{"kind":"page-put","times":0,"do":"record","name":"this"}'
proxy_rule '{"kind":"snapshot","do":"hold"}'
proxy_release
proxy_await "$PROXY_RULE"
is "$(proxy_replay this 0)" "412 SequenceNumberConditionNotMet" \
	"a duplicate after the number was raised is refused"
is "$(proxy_replay last 0)" "412 LeaseIdMismatchWithBlobOperation" \
	"and one of the run before"
proxy_rule '{"kind":"block-put","path":"points/","do":"hold"}'
proxy_release
proxy_await "$PROXY_RULE"
is "$(proxy_replay this 1)" "412 SequenceNumberConditionNotMet" \
	"so it is after the snapshot"
proxy_release
ended
is "$STATUS" 0 "the run is not disturbed"
this=$(proxy_control 'recorded?name=this' |
	/usr/bin/python3 -c 'import json, sys; print(json.load(sys.stdin)["count"])')
proxy_clear
cp "$A" "$WORK/this.img"
THIS=$(points | sed 's/.* //')
scribble "$A" 2000000 200000
tidemark backup
refused=0 i=0
while [ $i -lt "$last" ]; do
	case $(proxy_replay last $i) in 412*) refused=$((refused + 1)) ;; esac
	i=$((i + 1))
done
i=0
while [ $i -lt "$this" ]; do
	case $(proxy_replay this $i) in 412*) refused=$((refused + 1)) ;; esac
	i=$((i + 1))
done
is "$refused" $((last + this)) \
	"after the next run all $refused page writes are refused"
right "the new point is right"
point_disk "$WORK/x.vhd" a "$LAST"
same_disk "the point before the last is unchanged" "$WORK/x.vhd" \
	"$WORK/last.img"
point_disk "$WORK/x.vhd" a "$THIS"
same_disk "and the last" "$WORK/x.vhd" "$WORK/this.img"
tidemark backup --json
is "$(json result.counters.scanned.chunks_uploaded)" 0 \
	"and the blob holds what its hashes say"

# Two clients at once: a clone of the machine has its own lock
cp -a "$WORK/m1" "$WORK/clone"
scribble "$A" 2000000 200000
background
proxy_rule '{"kind":"page-put","do":"hold"}'
proxy_release
proxy_await "$PROXY_RULE"
tidemark backup
is "$STATUS" 7 "a second run on the machine is refused: busy"
machine clone
before=$(vault_state)
tidemark backup
is "$STATUS" 7 "and one of its clone"
like "$(cat "$WORK/err")" "*lease*" "because of the lease"
is "$(vault_state)" "$before" "which leaves the vault as it was"

# The first client stalls; its leases run out; the clone takes over
for blob in lock disks/a.vhd disks/a.hash; do
	"$BUILD/tests/storage" lease-break "$(container)" "$blob" 0 >/dev/null
done
tidemark backup
ok $? "the leases have run out: the clone takes over"
right "its point is right"
clone_points=$(points)
proxy_clear
ended
is "$STATUS" 7 "the first client comes back and is refused"
is "$(points)" "$clone_points" "and makes no point"
right "the clone's point is still right"

# The slowest commit: the first client stalls before points/NAME
machine m1
background
proxy_rule '{"kind":"block-put","path":"points/","do":"hold"}'
proxy_release
proxy_await "$PROXY_RULE"
machine clone
for blob in lock disks/a.vhd disks/a.hash; do
	"$BUILD/tests/storage" lease-break "$(container)" "$blob" 0 >/dev/null
done
scribble "$A" 2000000 200000
tidemark backup
ok $? "a client stalls in its commit: the clone sweeps its run"
clone_points=$(points)
proxy_clear
ended
is "$STATUS" 7 "the slow commit is refused"
is "$(points)" "$clone_points" "there is no point of it"
right "the clone's point is right"
machine m1
scribble "$A" 2000000 200
tidemark backup
right "and so is the first machine's next one"
finish
