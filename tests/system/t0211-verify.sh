#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Proving points: whole, by samples, those that have waited longest; what was
# found stands beside the point, and who restores a bad one is told.

. "$(dirname "$0")/../lib/tap.sh"
. "$TESTS/lib/vault.sh"

vault_start
A=$WORK/a.img B=$WORK/b.img
random_disk "$A" 24
random_disk "$B" 2
vault_make Main
tidemark protect "$VAULT" "$A" --disk a --item m1
tidemark protect "$VAULT" "$B" --disk b --chunk-size 4K
tidemark backup --json
ONE=$(json result.point)
SDK=$TESTS/lib/sdk.py
DATA=$(container)

# checked NAME FIELD: of what is recorded
checked() {
	"$SDK" read "$DATA" "checks/$1" | /usr/bin/python3 -c '
import json, sys
print(json.load(sys.stdin).get(sys.argv[1]))' "$2"
}

# age NAME HOURS: it, and its check, are so old
age() {
	for aged in "points/$1" "checks/$1"; do
		"$SDK" read "$DATA" "$aged" | /usr/bin/python3 -c '
import datetime, json, sys
doc = json.load(sys.stdin)
then = datetime.datetime.utcnow() - datetime.timedelta(hours=int(sys.argv[1]))
for key in ("time", "whole"):
    if key in doc:
        doc[key] = then.strftime("%Y-%m-%dT%H:%M:%SZ")
print(json.dumps(doc))' "$2" >"$WORK/aged"
		"$SDK" put-json "$DATA" "$aged" <"$WORK/aged"
	done
}

# Samples
tidemark verify --sample 25% --json
ok $? "a sample is proved"
# Of a: 12 slices of data, 12 MiB never written. Of b: one and one.
is "$(json result.disks.0.chunks_checked)" $((16 * (12 + 3))) \
	"a share of the data, and all that was never written"
is "$(json result.disks.1.chunks_checked)" $((256 * 2)) \
	"of each disk something"
is "$(checked "$ONE" how) $(checked "$ONE" whole)" "sample None" \
	"it is recorded as a sample"
proxy_reset
tidemark verify --sample 2M --json
[ "$(json result.disks.0.chunks_checked)" -le $((16 * (12 + 2))) ]
ok $? "so many bytes of all disks"
tidemark verify --sample 100% --json
is "$(json result.disks.0.chunks_checked)" $((24 * 16)) "all of it"
for wrong in 0% 101% x -1 5x; do
	tidemark verify --sample="$wrong"
	is "$STATUS" 2 "'$wrong' is no sample"
done
tidemark verify --budget 1G
is "$STATUS" 2 "a budget is for many points"
tidemark verify latest --older-than 3
is "$STATUS" 2 "which are not named"

# Whole
tidemark verify --json
is "$(json result.good) $(json result.how)" "true whole" "the whole point"
tidemark points --json
is "$(json result.points.0.verified.good) $(json result.points.0.verified.how)" \
	"true whole" "is shown as proved"
whole=$(checked "$ONE" whole)
tidemark verify --sample 1%
is "$(checked "$ONE" whole) $(checked "$ONE" how)" "$whole sample" \
	"a sample does not outdate that"
"$SDK" list "$DATA" "holds/" >"$WORK/holds"
is "$(wc -l <"$WORK/holds")" 0 "no hold is left"

# What is overdue
scribble "$A" 0 100
tidemark backup --json
TWO=$(json result.point)
scribble "$A" 0 100
tidemark backup --json
THREE=$(json result.point)
tidemark verify --older-than 1 --json
is "$(json result.overdue)" 0 "what is new is not overdue"
tidemark verify "$TWO" && tidemark verify "$THREE"
age "$ONE" 30
age "$TWO" 50
tidemark verify --older-than 1 --budget 1K --json
is "$(json result.overdue) $(json result.points.0.point)" "2 $TWO" \
	"what has waited longest is first"
is "$(json result.points | tr -cd '{' | wc -c)" 3 \
	"and alone where the budget ends"
tidemark verify --older-than 1 --budget 1G --json
is "$(json result.overdue) $(json result.points.0.point)" "1 $ONE" \
	"the next one is next"
tidemark verify --older-than 0 --sample 10% --json
is "$(json result.overdue)" 3 "of no days: all of them"

# A page that is not what it was: in the last point only
head -c 512 /dev/urandom | "$SDK" put "$DATA" disks/a.vhd \
	$((65536 * 7 + 512))
tidemark backup --json
FOUR=$(json result.point)
tidemark verify --json
is "$STATUS $(json error.code)" "9 integrity" "a bad chunk is found"
like "$(json error.message)" \
	"*disk 'a', offset $((65536 * 7)), chunk 7*" "by disk, offset and chunk"
is "$(json result.disks.0.bad)" \
	"[{\"chunk\": 7, \"chunks\": 1, \"offset\": $((65536 * 7))}]" \
	"programs are told too"
is "$(checked "$FOUR" good)" False "it is recorded"
tidemark points
grep "^$FOUR" "$WORK/out" | grep -q "NOT WHOLE"
ok $? "and shown"
tidemark verify --sample 1% --json
is "$STATUS $(json result.good)" "9 false" \
	"a sample that does not meet it does not make it good"
tidemark restore disk b "$WORK/b.out"
is "$STATUS" 3 "who restores another disk of it is warned"
like "$(cat "$WORK/err")" "*not to be whole*" "in words"
tidemark verify --disk b
ok $? "the other disk is good"
is "$(checked "$FOUR" good)" False "which is not all of the point"
tidemark verify --older-than 0 --json
is "$STATUS" 9 "one bad point among many"
is "$(json result.points | grep -o '"good": true' | wc -l)" 3 \
	"does not keep the others from being proved"
tidemark verify "$ONE" && tidemark verify "$THREE"
ok $? "they are not affected"

# An entry that is missing, what was never written, a footer of another disk
head -c 512 /dev/zero | "$SDK" put "$DATA" disks/b.hash 0
tidemark backup --full && tidemark verify
ok $? "a full backup makes the next point whole"
head -c 512 /dev/zero | "$SDK" put "$DATA" disks/a.hash 512
head -c 512 /dev/urandom | "$SDK" put "$DATA" disks/a.vhd \
	$(((20 << 20) + 512))
head -c 512 /dev/urandom | "$SDK" put "$DATA" disks/b.vhd $((2 << 20))
scribble "$B" 0 1
tidemark backup b --json
FIVE=$(json result.point)
tidemark verify "$FIVE" --sample 1% --json
is "$STATUS $(json result.disks.0.footer_bad)" "0 false" \
	"a backup mends the footer that it finds"
# As an interrupted run would have left it, or it is refused: t0223.
"$SDK" sequence "$DATA" disks/a.vhd 9000000000
"$SDK" sequence "$DATA" disks/a.hash 9000000000
tidemark backup a --json && tidemark verify --sample 100% --json
is "$STATUS" 9 "written where nothing was: found"
like "$(json error.message)" "*chunk 320*" "by its chunk"
finish
