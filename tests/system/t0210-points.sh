#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Points: what is told of them, how two of them differ, keeping and deleting
# them; a point that is read is not deleted beneath its reader.

. "$(dirname "$0")/../lib/tap.sh"
. "$TESTS/lib/vault.sh"

vault_start
A=$WORK/a.img B=$WORK/b.img
random_disk "$A" 6
random_disk "$B" 2
vault_make Main
tidemark protect "$VAULT" "$A" --disk a --item m1
tidemark backup --json
ONE=$(json result.point)
cp "$A" "$WORK/one.img"
scribble "$A" $((65536 * 5 + 100)) 10
scribble "$A" $((65536 * 6)) 65536
scribble "$A" $((65536 * 40)) 1
tidemark protect "$VAULT" "$B" --disk b --chunk-size 4K
tidemark backup --json
TWO=$(json result.point)
truncate -s $((6 * 1048576 + 512)) "$A"
wipe "$A" 0 65536
tidemark backup a --json
THREE=$(json result.point)
SDK=$TESTS/lib/sdk.py
DATA=$(container)
ITEM=${DATA#tidemark-}

# found: the snapshots in the container, by the run that took them
found() {
	"$SDK" list "$DATA" disks/ | grep -c "name=$1"
}

# mark NAME TEXT: puts a mark there, as if it had been made at another time
mark() {
	printf '{"format":1,"name":"%s",%s}' "$1" "$2" |
		"$SDK" put-json vault "marks/$ITEM/$1"
}

# What is told
tidemark points show "$TWO" --json
ok $? "a point is shown"
is "$(json result.point.changed)" \
	"[{\"disk\": \"a\", \"since\": \"$ONE\", \"bytes\": $((3 * 65536)), \"chunks\": 3}]" \
	"with what has changed since the one before"
is "$(json result.point.verified) $(json result.point.keep_until) $(json result.point.deleted)" \
	"null null null" "nothing is known of it yet"
tidemark points show "$TWO"
grep -q "192.0 KiB in 3 chunks since $ONE" "$WORK/out"
ok $? "to people too"
tidemark points diff "$ONE" "$TWO" --json
ok $? "two points are compared"
is "$(json result.disks.0.ranges)" \
	"[{\"start\": $((65536 * 5)), \"length\": $((65536 * 2))}, {\"start\": $((65536 * 40)), \"length\": 65536}]" \
	"neighbouring chunks make one range"
is "$(json result.disks.0.chunks) $(json result.disks.0.bytes) $(json result.disks.0.chunks_unknown)" \
	"3 196608 0" "and are counted"
is "$(json result.disks.1.disk) $(json result.disks.1.in)" "b second" \
	"a disk of one of them is named"
tidemark points diff "$TWO" "$ONE" --disk a --json
is "$(json result.disks.0.chunks)" 3 "the other way round it is the same"
tidemark points diff "$TWO" "$TWO" --disk b --json
is "$(json result.disks.0.ranges)" "[]" "a point does not differ from itself"
tidemark points diff "$TWO" "$THREE" --disk a --json
is "$(json result.disks.0.ranges)" \
	"[{\"start\": 0, \"length\": 65536}, {\"start\": $((6 << 20)), \"length\": 512}]" \
	"what was added counts as changed"
tidemark points diff "$ONE" "$TWO" --disk c
is "$STATUS" 4 "a disk that neither has"
# Files are a matter of mounts, for guests: but not where nothing differs
tidemark points diff "$TWO" "$TWO" --files --disk b --json
is "$STATUS $(json result.filesystems)" "0 []" \
	"files of a disk that is the same: nothing is mounted"
tidemark points diff "$ONE" "$TWO" --files --disk b
is "$STATUS" 4 "files of a disk that only one has"
like "$(cat "$WORK/err")" "*only the second of the two*" "which is said"
tidemark points diff "$ONE" "$TWO" --key-file "$WORK/out"
is "$STATUS" 2 "a key for files that are not asked for"

# Keeping
tidemark points keep "$ONE" --until 2099-01-31
ok $? "a point is kept"
tidemark points show "$ONE" --json
is "$(json result.point.keep_until)" 2099-01-31T23:59:59Z "until the end of a day"
tidemark points delete "$ONE" --yes
is "$STATUS" 11 "it cannot be deleted"
tidemark points keep "$ONE" --until never
is "$STATUS" 2 "what is no day"
tidemark points keep "$ONE" --until forever
tidemark points list
grep "^$ONE" "$WORK/out" | grep -q "kept forever"
ok $? "forever"
tidemark points keep "$ONE" --until none
ok $? "and no longer"

# Deleting
tidemark points delete "$ONE"
is "$STATUS" 11 "nothing is deleted where nobody can be asked"
tidemark points delete "$THREE" --yes
is "$STATUS" 11 "nor what the next backup builds on"
tidemark points delete "$ONE" --yes --json
is "$STATUS $(json result.storage_deleted)" "0 false" "a point is marked"
is "$(found "$ONE")" 2 "its storage is there"
tidemark points --json
is "$(json result.points.0.name)" "$TWO" "it is listed no more"
tidemark points --all --json
is "$(json result.points.0.name)" "$ONE" "but with --all"
[ "$(json result.points.0.deleted)" != null ]
ok $? "as deleted"
tidemark restore disk a "$WORK/one.out" --point "$ONE"
is "$STATUS" 3 "it can be restored, with a warning"
cmp "$WORK/one.out" "$WORK/one.img"
ok $? "byte for byte"
tidemark points delete --due --yes --json
is "$(json result.points_deleted) $(json result.points_waiting)" "0 1" \
	"its day is not over"
tidemark points keep "$ONE" --until forever --json
is "$(json result.undeleted)" true "it is had back"
tidemark points delete --due --yes --json
is "$(json result.points_waiting)" 0 "for good"
mark "$ONE" '"deleted":"2020-01-01T00:00:00Z","keep_until":"forever"'
tidemark points delete --due --yes
is "$(found "$ONE")" 2 "what is kept stays, whatever else a mark says"

# The day is over, but somebody reads it
mark "$ONE" '"deleted":"2020-01-01T00:00:00Z"'
printf '{"format":1,"id":"%s","point":"%s","why":"mount","host":"h","until":"%s"}' \
	00112233445566778899aabbccddeeff "$ONE" 2099-01-01T00:00:00Z |
	"$SDK" put-json "$DATA" "holds/$ONE/00112233445566778899aabbccddeeff"
tidemark points delete "$ONE" --yes
is "$STATUS" 7 "a point that is read is not deleted"
like "$(cat "$WORK/err")" "*mount by 'h'*" "it is said who reads it"
tidemark points delete --due --yes --json
is "$STATUS $(json result.points_left)" "3 1" "nor with the others"
is "$(found "$ONE")" 2 "its storage is there"
printf '{"format":1,"id":"%s","point":"%s","until":"%s"}' \
	00112233445566778899aabbccddeeff "$ONE" 2020-01-01T00:00:00Z |
	"$SDK" put-json "$DATA" "holds/$ONE/00112233445566778899aabbccddeeff"

# A document that nobody can read may be a hold, and stops no other deletion
printf '{"format":1,"id":' |
	"$SDK" put-json "$DATA" "holds/$ONE/ffeeddccbbaa99887766554433221100"
tidemark points delete --due --yes --json
is "$STATUS $(json result.points_left)" "3 1" "a hold that makes no sense counts"
like "$(cat "$WORK/out")" "*holds/$ONE/ffee*makes no sense*" "and is named"
"$SDK" delete "$DATA" "holds/$ONE/ffeeddccbbaa99887766554433221100"

# A reader that stands still in the middle, and one that comes too late
proxy_rule '{"kind":"read","path":"a.vhd","do":"hold"}'
"$BUILD/tidemark" restore disk a "$WORK/slow.out" --point "$ONE" \
	>"$WORK/slow" 2>&1 </dev/null &
READER=$!
proxy_await "$PROXY_RULE"
"$SDK" list "$DATA" "holds/$ONE/" >"$WORK/holds"
is "$(wc -l <"$WORK/holds")" 2 "a restore holds the point"
tidemark points delete --due --yes --json
is "$(json result.points_left)" 1 "it is left to the reader"
proxy_clear
wait "$READER"
cmp "$WORK/slow.out" "$WORK/one.img"
ok $? "who gets it whole"
is "$("$SDK" list "$DATA" "holds/$ONE/" | wc -l)" 1 "and lets go of it"

# The beginning of several names is none, though one of them is marked
tidemark points delete 2 --yes
is "$STATUS" 4 "the beginning of several names is that of none"
like "$(cat "$WORK/err")" "*several*" "which is said"
is "$(found "$ONE")" 2 "and nothing is deleted"

# Between the lease and the tombstone a reader waits, and finds it gone
proxy_rule '{"kind":"block-put","path":"points/","do":"hold"}'
"$BUILD/tidemark" points delete "$ONE" --yes >"$WORK/deleter" 2>&1 </dev/null &
DELETER=$!
proxy_await "$PROXY_RULE"
proxy_rule '{"kind":"properties","path":"points/","do":"delay","seconds":0}'
"$BUILD/tidemark" restore disk a "$WORK/late.out" --point "$ONE" \
	>"$WORK/late" 2>&1 </dev/null &
READER=$!
proxy_await "$PROXY_RULE"
proxy_release
wait "$READER"
is "$?" 4 "a reader that comes while it is decided waits for it"
wait "$DELETER"
is "$?" 0 "the point is deleted"
proxy_clear
is "$(found "$ONE")" 0 "its snapshots are"
is "$("$SDK" list "$DATA" "holds/$ONE" | wc -l)" 0 "its holds"
is "$("$SDK" list vault "marks/$ITEM/$ONE" | wc -l)" 0 "and its mark"
"$SDK" read "$DATA" "points/$ONE" | grep -q '"tombstone": true'
ok $? "a tombstone is in its place"
tidemark points --all
grep "^$ONE" "$WORK/out" | grep -q deleted
ok $? "which is listed as such"
proxy_rule '{"kind":"read","path":"points/'"$ONE"'","do":"status","status":403}'
tidemark points
ok $? "to list points none is read" || cat "$WORK/err"
tidemark points --all
is "$STATUS" 5 "only to list them all"
proxy_clear
tidemark points keep "$ONE" --until forever
is "$STATUS" 4 "it cannot be had back"

# What is damaged beside a point is not the point
printf '{"format":1,"name":"%s","good":17}' "$TWO" |
	"$SDK" put-json "$DATA" "checks/$TWO"
tidemark points show "$TWO" --json
is "$STATUS $(json result.point.verified)" "3 null" \
	"a point whose check is damaged is shown, as not verified"
tidemark points
is "$STATUS" 3 "and listed"
tidemark restore disk b "$WORK/two.out" --point "$TWO"
is "$STATUS" 3 "it is restored, with a warning"
like "$(cat "$WORK/err")" "*'verify' found*$TWO*counts for nothing*" \
	"which says why"
cmp "$WORK/two.out" "$B"
ok $? "byte for byte"

# The others are what they were
tidemark verify "$TWO" && tidemark verify "$THREE"
ok $? "the other points are whole"
tidemark points show "$TWO" --json
is "$(json result.point.changed)" "[]" "the second is now the first"
tidemark points delete "$THREE" --yes --force
is "$STATUS" 11 "the newest that was proved stays, whatever is said"
scribble "$A" 0 100
tidemark backup --json
FOUR=$(json result.point)
is "$(json result.modes.a)" compare "the next backup goes on"
tidemark points delete "$FOUR" --yes --force
ok $? "the newest can go if it is not the newest proved one"
tidemark restore disk a "$WORK/latest.out" --json
is "$(json result.point)" "$THREE" "what is to be deleted is not the latest"
mark "$FOUR" '"deleted":"2020-01-01T00:00:00Z"'
tidemark points delete --due --yes --json
is "$(json result.points_deleted) $(json result.snapshots_deleted)" "1 4" \
	"all of it is deleted"
tidemark backup
is "$STATUS" 3 "the backup after that warns that the last point was deleted"
tidemark verify && tidemark points show latest --json
is "$(json result.point.disks.0.mode)" compare \
	"it compares, and is whole"

# Who may not, cannot
machine other
# shellcheck disable=SC2034 # for tidemark()
CREDENTIALS="DefaultEndpointsProtocol=http;AccountName=$AZURITE_ACCOUNT;SharedAccessSignature=$(
	"$SDK" account-sas rl sco);BlobEndpoint=$PROXY_URL"
tidemark points delete "$TWO" --vault "$VAULT" --item m1 --yes
is "$STATUS" 5 "who may only read cannot mark"
tidemark restore disk a "$WORK/read.out" --vault "$VAULT" --item m1
is "$STATUS" 0 "but restore, without a hold"
finish
