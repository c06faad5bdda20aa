#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Two clients at once, one of them a clone of the machine, one of them so slow
# that its leases run out: never a wrong recovery point. And one that is cancelled
# leaves no lease in the way.

. "$(dirname "$0")/../lib/tap.sh"
. "$TESTS/lib/faults.sh"

faults_start

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

# One that is cancelled while it asks for a lease, which it then gets
background
proxy_rule '{"kind":"lease-acquire","do":"delay","seconds":1}'
proxy_release
proxy_await "$PROXY_RULE"
kill -s TERM "$CLIENT"
ended
proxy_control idle >/dev/null
proxy_clear
is "$STATUS" 12 "a client is cancelled as it asks for a lease"
like "$("$TESTS/lib/sdk.py" properties "$(container)" disks/a.hash)" \
	"*lease=leased*" "which comes too late"
tidemark backup
ok $? "the next one need not wait for its end"
right "and is right"
finish
