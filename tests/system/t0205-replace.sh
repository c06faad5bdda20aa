#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A disk brought back to a point in place: only what differs is moved; killed at
# random moments and completed, exactly; a way back; what is in use is refused.
#
#   FORM=full  a disk of 16 GiB, 50 kills; MIB, KILLS and SEED choose otherwise

. "$(dirname "$0")/../lib/tap.sh"
. "$TESTS/lib/vault.sh"

case ${FORM:-short} in
full) : "${MIB:=16384}" "${KILLS:=50}" ;;
*) : "${MIB:=256}" "${KILLS:=5}" ;;
esac
: "${SEED:=$(date +%s)}"
echo "# $MIB MiB, $KILLS kills, seed $SEED"
vault_start
vault_make Main
A=$WORK/a.img

# change FILE SEED: one chunk of a hundred, spread over it
change() {
	/usr/bin/python3 - "$1" "$2" <<-'END'
		import os, random, sys
		chunk = 65536
		chunks = os.path.getsize(sys.argv[1]) // chunk
		chance = random.Random(sys.argv[2])
		with open(sys.argv[1], "r+b", buffering=0) as disk:
		    for i in random.Random(1).sample(range(chunks), chunks // 100):
		        os.pwrite(disk.fileno(), chance.randbytes(chunk), i * chunk)
	END
}

truncate -s "${MIB}M" "$A"
change "$A" first
scribble "$A" 0 3000000
# A piece with holes on both sides, that is cleared later
scribble "$A" 5242880 65536
tidemark protect "$VAULT" "$A" --disk a --item m1
tidemark backup --json
FIRST=$(json result.point)
cp --sparse=always "$A" "$WORK/first.img"
CHANGED=$((MIB * 16 / 100))
DIFFERING=$((CHANGED * 65536))
change "$A" second
cp --sparse=always "$A" "$WORK/second.img"

tidemark restore replace a --point "$FIRST" --dry-run --json
ok $? "a dry run" || cat "$WORK/out"
is "$(json result.bytes_to_move)" $DIFFERING "tells what would be moved"
is "$(json result.bytes_to_write)" $DIFFERING "and what written"
tidemark restore replace a --point "$FIRST"
is "$STATUS" 11 "the disk is not changed unasked"
tidemark points
is "$(wc -l <"$WORK/out")" 1 "nor is a point made"

tidemark restore replace a --point "$FIRST" --yes --json
ok $? "it goes back" || cat "$WORK/out"
BACK=$(json result.way_back)
cmp "$A" "$WORK/first.img"
ok $? "exactly"
is "$(json result.bytes_written)" $DIFFERING "only what differs is written"
[ "$(json result.bytes_received)" -le $((DIFFERING * 105 / 100)) ]
ok $? "and moved: $(json result.bytes_received) bytes for $DIFFERING"
like "$BACK" "2*Z-*" "a recovery point was made before"
tidemark restore disk a "$WORK/back.img" --point "$BACK"
cmp "$WORK/back.img" "$WORK/second.img"
ok $? "of what the disk was"
rm "$WORK/back.img" "$WORK/second.img"

# Zeroes, a longer file, a shorter one
wipe "$A" 5242880 65536
scribble "$A" 7340032 65536
truncate -s +1M "$A"
tidemark restore replace a --point "$FIRST" --yes --no-backup --json
cmp "$A" "$WORK/first.img"
ok $? "what is to be zero is, and the size is what it was"
is "$(json result.way_back)" null "without a point if one wants none"
truncate -s "$((MIB / 2))M" "$A"
tidemark restore replace a --point "$FIRST" --yes --no-backup
cmp "$A" "$WORK/first.img"
ok $? "a file that was cut too"
truncate -s "$((MIB / 2))M" "$A"
cp --sparse=always "$A" "$WORK/cut.img"
tidemark restore replace a --point "$FIRST" --yes --json
cmp "$A" "$WORK/first.img"
ok $? "and with a way back"
tidemark restore disk a "$WORK/back.img" --point "$(json result.way_back)"
cmp "$WORK/back.img" "$WORK/cut.img"
ok $? "which is as short as it was"
rm "$WORK/back.img" "$WORK/cut.img"

# Killed in the middle: at a request, so that it is known to be there
change "$A" third
proxy_rule '{"kind": "read", "path": "a.vhd", "skip": 2, "times": 0, "do": "hold"}'
"$BUILD/tidemark" restore replace a --point "$FIRST" --yes --no-backup \
	>"$WORK/out" 2>"$WORK/err" </dev/null &
killed=$!
proxy_await "$PROXY_RULE"
tidemark backup
is "$STATUS" 7 "no backup meanwhile"
"$TESTS/lib/sdk.py" list "$(container)" "holds/$FIRST/" | grep -q .
ok $? "and the point is held, so that it is not deleted"
kill -9 "$killed"
wait "$killed" 2>/dev/null
proxy_clear
tidemark status --local --json
is "$STATUS" 3 "a disk between two states is a warning"
is "$(json result.items.0.disks.0.replacing.point)" "$FIRST" "and told"
tidemark backup --json
is "$STATUS" 11 "it is not backed up"
like "$(json error.message)" "*'a'*not consistent*" "and why"
tidemark restore replace a --point "$FIRST" --yes --json
is "$(json result.completed_earlier_one)" true "it is completed"
cmp "$A" "$WORK/first.img"
ok $? "exactly"
tidemark status --local --json
is "$(json result.items.0.disks.0.replacing)" null "then all is well"

# Told to stop
change "$A" fourth
proxy_rule '{"kind": "read", "path": "a.vhd", "skip": 2, "times": 0, "do": "hold"}'
"$BUILD/tidemark" restore replace a --point "$FIRST" --yes --no-backup \
	>"$WORK/out" 2>"$WORK/err" </dev/null &
stopped=$!
proxy_await "$PROXY_RULE"
kill -TERM "$stopped"
wait "$stopped"
is $? 12 "it stops when it is told to"
grep -q "'a' is not consistent until" "$WORK/err"
ok $? "and says what that means"
proxy_clear
tidemark restore replace a --point "$FIRST" --yes --no-backup
cmp "$A" "$WORK/first.img"
ok $? "it is completed, exactly"

# It breaks off on its way to the latest, which by then is the way back
tidemark restore disk a "$WORK/latest.img" --json
latest=$(json result.point)
change "$A" fifth
proxy_rule '{"kind": "read", "path": "a.vhd", "skip": 2, "times": 0, "do": "hold"}'
"$BUILD/tidemark" restore replace a --yes >"$WORK/out" 2>"$WORK/err" </dev/null &
stopped=$!
proxy_await "$PROXY_RULE"
kill -TERM "$stopped"
wait "$stopped"
grep -q "restore replace a --point $latest'" "$WORK/err"
ok $? "what completes it is told whole" || cat "$WORK/err"
proxy_clear
tidemark restore replace a --yes --json
is "$(json result.point)" "$latest" "run again, it goes on to the same point"
cmp "$A" "$WORK/latest.img"
ok $? "exactly"
rm "$WORK/latest.img"
tidemark restore replace a --point "$FIRST" --yes --no-backup

# Killed at random moments, with what it takes without as the measure
change "$A" measure
printf '[paths]\nmetrics = %s\n' "$WORK/counters.prom" >"$TIDEMARK_CONFIG"
begin=$(date +%s%N)
tidemark restore replace a --point "$FIRST" --yes --no-backup
took=$((($(date +%s%N) - begin) / 1000000))
: >"$TIDEMARK_CONFIG"
received=$(sed -n 's/^tidemark_received_bytes_total{.*restore.*} //p' \
	"$WORK/counters.prom")
[ "$received" -ge $DIFFERING ] && [ "$received" -le $((DIFFERING * 105 / 100)) ]
ok $? "with all that comes along: $received bytes for $DIFFERING"
moments=$(/usr/bin/python3 -c '
import random, sys
chance = random.Random(sys.argv[1])
for _ in range(int(sys.argv[2])):
    print("%.3f" % (chance.random() * int(sys.argv[3]) / 1000 + 0.01))' \
	"$SEED" "$KILLS" "$took")
# dies_at MOMENT: it may have ended before. Of `timeout -s KILL`, which kills itself
# too, the end says nothing of the client's.
dies_at() {
	change "$A" "$1"
	"$BUILD/tidemark" restore replace a --point "$FIRST" --yes --no-backup \
		>"$WORK/out" 2>&1 </dev/null &
	sleep "$1"
	kill -KILL $! 2>/dev/null
	wait $!
	[ $? -eq 137 ]
}

exact=0
between=0
for moment in $moments; do
	until dies_at "$moment"; do
		moment=$(echo "$moment" | awk '{ printf "%.3f", $1 / 2 + 0.005 }')
	done
	[ ! -e "$TIDEMARK_STATE_DIR/replacing/a.json" ] ||
		between=$((between + 1))
	if tidemark restore replace a --point "$FIRST" --yes --no-backup &&
		cmp "$A" "$WORK/first.img"
	then
		exact=$((exact + 1))
	else
		echo "# killed after $moment s, then exit $STATUS"
		sed 's/^/# /' "$WORK/err"
	fi
done
echo "# $between of $KILLS in the middle"
is "$exact" "$KILLS" "killed at random moments: each is completed, exactly"
tidemark backup
ok $? "the next backup is as any other"

# A device
loop=
truncate -s 16M "$WORK/device"
if [ "$(id -u)" -eq 0 ]; then
	loop=$(losetup --show -f "$WORK/device" 2>/dev/null) || loop=
fi
if [ -n "$loop" ]; then
	at_exit "losetup -d $loop"
	mkfs.ext4 -q "$loop"
	tidemark protect "$VAULT" "$loop" --disk d
	tidemark backup d --json
	POINT=$(json result.point)
	cp "$WORK/device" "$WORK/device.kept"
	mkdir "$WORK/mnt"
	mount "$loop" "$WORK/mnt"
	at_exit "umount $WORK/mnt 2>/dev/null"
	head -c 3000000 /dev/urandom >"$WORK/mnt/file"
	sync
	tidemark restore replace d --point "$POINT" --yes
	is "$STATUS" 7 "a mounted disk is refused"
	tidemark status --local d --json
	is "$(json result.items.0.disks.0.replacing)" null "and untouched"
	umount "$WORK/mnt"
	tidemark restore replace d --point "$POINT" --yes
	ok $? "when it is not, it goes back"
	cmp "$loop" "$WORK/device.kept"
	ok $? "exactly"
fi

# What is gone, or is no disk any more
mv "$A" "$WORK/away.img"
tidemark restore replace a --point "$FIRST" --yes
is "$STATUS" 4 "a disk that is gone is not found"
grep -q 'Until this has ended' "$WORK/out"
is $? 1 "and it is not said to be between two states"
mkdir "$A"
tidemark restore replace a --point "$FIRST" --yes
is "$STATUS" 11 "a directory in its place is refused"
grep -q 'Until this has ended' "$WORK/out"
is $? 1 "likewise"
rmdir "$A"
mv "$WORK/away.img" "$A"

# A damaged page among what has to come
change "$A" damaged
head -c 512 /dev/urandom | "$TESTS/lib/sdk.py" put "$(container)" disks/a.vhd \
	65536
tidemark backup a --json
BAD=$(json result.point)
scribble "$A" 65536 65536
tidemark restore replace a --point "$BAD" --yes --no-backup --json
is "$STATUS" 9 "a damaged page is not brought back"
like "$(json error.message)" "*disk 'a'*byte 65536, chunk 1,*" "and named"
tidemark status --local a
is "$STATUS" 3 "the disk is not consistent then"
tidemark restore replace a --point "$FIRST" --yes --json
is "$STATUS" 0 "it goes back to another point"
cmp "$A" "$WORK/first.img"
ok $? "exactly"
finish
