#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Replies that are lost, a busy service, requests that come twice and late: never
# a wrong recovery point.

. "$(dirname "$0")/../lib/tap.sh"
. "$TESTS/lib/faults.sh"

faults_start

# Replies that are lost: the request has taken effect, the client cannot know
POINTS=$(points | wc -w)
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

# The same of the commit, where what is there cannot be read either
scribble "$A" 2000000 200000
background
proxy_rule '{"kind":"snapshot","skip":1,"do":"hold"}'
proxy_release
proxy_await "$PROXY_RULE"
proxy_rule '{"do":"drop","kind":"block-put","path":"points/"}'
proxy_rule '{"do":"status","status":403,"kind":"read","path":"points/",
	"times":0}'
proxy_release
ended
proxy_clear
is "$STATUS" 5 "a commit of which nobody can tell is no other run's"
like "$(cat "$WORK/client.out" "$WORK/client.err")" \
	"*not known whether the point exists*" "and said to be unknown"
grown "but the point is there" 1
right "and right"
tidemark backup
ok $? "the next run goes on"
grown "with its own" 1

# A busy service
scribble "$A" 2000000 200000
proxy_rule '{"kind":"page-put","times":2,"do":"status","status":503,
	"code":"ServerBusy","headers":{"Retry-After":"1"}}'
tidemark backup --json
ok $? "503 is tried again"
is "$(json result.counters.total.retries)" 2 "which is counted"
proxy_clear
right "and the point is right"

# Busy from the first request on, for longer than a server that is not there is
# waited for
proxy_rule '{"kind":"lease-acquire","times":3,"do":"status","status":503,
	"code":"ServerBusy","headers":{"Retry-After":"2"}}'
tidemark backup --json
is "$STATUS" 0 "one that answers is waited for" || cat "$WORK/err"
proxy_clear

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
# The request that made entries zero comes once more when they are written, just
# before the number is raised that shuts it out
scribble "$A" 2000000 200000
background
proxy_rule '{"kind":"page-put","path":"a.hash","do":"record","name":"forget"}'
proxy_rule '{"kind":"sequence","path":"a.hash","skip":2,"do":"hold"}'
proxy_release
proxy_await "$PROXY_RULE"
is "$(proxy_replay forget 0)" "201 " \
	"a late duplicate makes entries zero that were written"
proxy_rule '{"kind":"sequence","path":"a.hash","do":"hold"}'
proxy_release
proxy_await "$PROXY_RULE"
is "$(proxy_replay forget 0)" "412 SequenceNumberConditionNotMet" \
	"but not once it has been looked for"
proxy_release
ended
is "$STATUS" 0 "the run goes on"
proxy_clear
tidemark verify
ok $? "has written them again, and its point is whole"
tidemark backup --json
is "$(json result.counters.scanned.chunks_uploaded)" 0 \
	"and nothing need be sent once more"

# A Date that cannot be: all names to come would go on from it
POINTS=$(points | wc -w)
for date in "Sat, 01 Jan 2326 00:00:00 GMT" "Fri, 31 Dec 9999 23:59:59 GMT" \
	"Fri, 31 Dec 12999 23:59:59 GMT" "Thu, 01 Jan 1970 00:00:01 GMT"; do
	proxy_rule "{\"times\":0,\"do\":\"alter\",\"headers\":{\"Date\":\"$date\"}}"
	tidemark backup --json
	is "$STATUS" 6 "a service that says $date: no backup"
	like "$(json error.message)" "*the storage service's Date is *, and this machine's clock is *" \
		"it is said why"
	proxy_clear
	grown "there is no point of it" 0
done
tidemark backup
ok $? "and the next run is of its day" || cat "$WORK/err"
like "$(points | tr ' ' '\n' | tail -n 1)" "$(date -u +%Y)*" "by its name"

finish
