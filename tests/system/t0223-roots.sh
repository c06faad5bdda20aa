#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Roots: each point's is what another program makes of its table and document;
# an altered table, chunks of another point, a document that says other things and
# a vault brought back to an older state are refused by name by backup, restore and
# verify; and what may be so is not.

. "$(dirname "$0")/../lib/tap.sh"
. "$TESTS/lib/vault.sh"
. "$TESTS/lib/roots.sh"

A=$WORK/a.img OUT=$WORK/out.img
vault_start
random_disk "$A" 40
truncate -s $((40 * 1048576 + 1536)) "$A"
tidemark vault create "$VAULT" --name Main
tidemark protect "$VAULT" "$A" --disk a --item m1
trial 0
proxy_reset
tidemark backup --json
THREE=$(json result.point)
is "$(proxy_control log | grep -c 'a.hash?snapshot=')" 0 \
	"a table that nobody else wrote is not read twice"
rm -r "$TIDEMARK_STATE_DIR/roots"
proxy_reset
tidemark backup --json
ok $? "a machine that remembers nothing goes on"
is "$(proxy_control log | grep -c 'a.hash?snapshot=')" 1 \
	"from what it has read of the last point"
FOUR=$(json result.point)

# Chunks of another point, in the blobs that the next point is made of
swap
refused backup "a chunk of an older point" "*disk 'a'*hash table was altered*"
tidemark points --json
is "$(json result.points | grep -o '"name": "2' | wc -l)" 4 \
	"nothing is made of it"
tidemark backup
ok $? "the next one compares it with the disk"
tidemark verify
ok $? "and made what it should be"

# In a point: another table in its document, which cannot be made to fit
AWAY="--vault $VAULT --item m1"
swap
SNAP=$("$SDK" snapshot "$DATA" disks/a.hash)
"$SDK" read "$DATA" "points/$FOUR" >"$WORK/four.json"
sed "s/\"hash_snapshot\": \".*\"/\"hash_snapshot\": \"$SNAP\"/" \
	"$WORK/four.json" >"$WORK/bad.json"
"$SDK" read "$DATA" disks/a.hash "$(of_disk "$FOUR" hash_snapshot)" \
	>"$WORK/four.table"
"$SDK" put-json "$DATA" "points/$FOUR" <"$WORK/bad.json"
refused restore "another snapshot" "*root is not that of what the point says*" \
	disk a "$WORK/x" --point "$FOUR"
tidemark verify "$FOUR"
is "$STATUS" 9 "verify finds that"
"$SDK" read "$DATA" "checks/$FOUR" >"$WORK/check"
ok $? "and it is on record"
grep -q '"good": *false' "$WORK/check"
ok $? "as what it is" || sed 's/^/# /' "$WORK/check"
# Who has the key can say that it is so, but not that it is that table.
# shellcheck disable=SC2046 # two words
set -- $("$TESTS/lib/root.py" "$ID" "$WORK/bad.json" a "$WORK/four.table" \
	"$WORK/key")
sed -i "s/\"root\": \".*\"/\"root\": \"$2\"/" "$WORK/bad.json"
"$SDK" put-json "$DATA" "points/$FOUR" <"$WORK/bad.json"
refused restore "an altered table" "*disk 'a' of point '$FOUR'*table was altered*" \
	disk a "$WORK/x" --point "$FOUR"
[ ! -e "$WORK/x" ]
ok $? "nothing is written"
tidemark verify "$FOUR"
is "$STATUS" 9 "verify finds it"
like "$(cat "$WORK/err")" "*disk 'a' of point '$FOUR'*table was altered*" "by name"
"$SDK" read "$DATA" disks/a.hash "$SNAP" >"$WORK/bad.table"
# shellcheck disable=SC2046 # two words
set -- $("$TESTS/lib/root.py" "$ID" "$WORK/bad.json" a "$WORK/bad.table" \
	"$WORK/key")
sed -i "s/\"table_sha256\": \".*\"/\"table_sha256\": \"$1\"/" "$WORK/bad.json"
"$SDK" put-json "$DATA" "points/$FOUR" <"$WORK/bad.json"
refused verify "a document that fits it" "*root is not that of what the point says*" \
	"$FOUR"
sed '/_root"\|"root"/d' "$WORK/bad.json" |
	"$SDK" put-json "$DATA" "points/$FOUR"
refused verify "one without a root" "*it has no root*" "$FOUR"
"$SDK" put-json "$DATA" "points/$FOUR" <"$WORK/four.json"
refused backup "a table that was altered again" "*hash table was altered*"
tidemark backup --full --json
ok $? "a full backup starts anew"
LAST=$(json result.point)

# Who has the key can make a root, but not one that the machine remembers
"$SDK" read "$DATA" "points/$LAST" >"$WORK/last.json"
sed 's/: 41944576/: 41944064/' "$WORK/last.json" >"$WORK/bad.json"
"$SDK" read "$DATA" disks/a.hash "$(of_disk "$LAST" hash_snapshot)" \
	>"$WORK/table"
# shellcheck disable=SC2046 # two words
set -- $("$TESTS/lib/root.py" "$ID" "$WORK/bad.json" a "$WORK/table" "$WORK/key")
sed "s/\"root\": \".*\"/\"root\": \"$2\"/" "$WORK/bad.json" |
	"$SDK" put-json "$DATA" "points/$LAST"
refused verify "a point that was replaced" "*'$LAST'*is another*"

# An older state of the vault: the last point is not there
"$SDK" delete "$DATA" "points/$LAST"
for verb in backup verify; do
	refused $verb "an older state" \
		"*older state: point '$LAST' of disk 'a'*is not there*accept-rollback*"
done
refused restore "an older state" "*older state: point '$LAST' of disk 'a'*" \
	disk a "$WORK/x"
machine other
# shellcheck disable=SC2086 # words
tidemark restore disk a "$WORK/away.img" $AWAY --point "$THREE"
ok $? "who remembers nothing cannot tell"
machine m1
tidemark restore disk a "$WORK/y.img" --point "$THREE" --accept-rollback
is "$STATUS" 3 "who is told to restores it, with a warning"
refused restore "it to a machine" "*older state: point '$LAST' of disk 'a'*" \
	vm "$THREE" "$WORK/vm" --for qemu
tidemark restore vm "$THREE" "$WORK/vm" --for qemu --accept-rollback
is "$STATUS" 3 "a machine, too"
refused restore "it in place" "*older state: point '$LAST' of disk 'a'*" \
	replace a --point "$THREE" --dry-run
tidemark restore replace a --point "$THREE" --dry-run --accept-rollback
is "$STATUS" 3 "a disk in place"
# shellcheck disable=SC2016 # at the exit, not now
at_exit 'kill $(cat "$WORK/nbd.pid" 2>/dev/null) 2>/dev/null'
tidemark nbd a --point "$THREE" --daemon --socket "$WORK/nbd" \
	--pidfile "$WORK/nbd.pid"
is "$STATUS" 1 "it is not served"
tidemark nbd a --point "$THREE" --daemon --socket "$WORK/nbd" \
	--pidfile "$WORK/nbd.pid" --accept-rollback
ok $? "but to who is told to"
is "$(nbdinfo --size "nbd+unix:///?socket=$WORK/nbd")" "$(stat -c %s "$A")" \
	"as it was"
tidemark backup --accept-rollback
is "$STATUS" 3 "and backs up"
tidemark backup
ok $? "from then on that is what is remembered"

finish
