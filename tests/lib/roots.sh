# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# roots.sh - the roots of a disk's points, and what somebody else does to
# them; to be sourced by sh after vault.sh. A is the file of disk a, OUT one
# to restore to.

SDK=$TESTS/lib/sdk.py

# of_disk POINT KEY: a member of the point's disk, in its document
of_disk() {
	"$SDK" read "$DATA" "points/$1" | /usr/bin/python3 -c '
import json, sys
print(json.load(sys.stdin)["disks"][0].get(sys.argv[1], ""))' "$2"
}

# is_rooted TEXT POINT KEY-FILE
is_rooted() {
	"$SDK" read "$DATA" "points/$2" >"$WORK/point.json"
	"$SDK" read "$DATA" disks/a.hash "$(of_disk "$2" hash_snapshot)" \
		>"$WORK/table"
	is "$("$TESTS/lib/root.py" "$ID" "$WORK/point.json" a "$WORK/table" "$3")" \
		"$(of_disk "$2" table_sha256) $(of_disk "$2" root)" "$1"
}

# refused VERB TEXT PATTERN ARG...
refused() {
	refused_verb=$1 refused_text=$2 refused_pattern=$3
	shift 3
	tidemark "$refused_verb" "$@"
	is "$STATUS" 9 "$refused_verb: $refused_text is refused"
	like "$(cat "$WORK/err")" "$refused_pattern" "by name"
}

# page FILE BLOB OFFSET LEN: writes there what FILE holds there
page() {
	dd if="$1" bs=512 iflag=skip_bytes,count_bytes skip="$3" count="$4" \
		status=none | "$SDK" put "$DATA" "$2" "$3"
}

# swap: puts chunk 64 of the first point, and its entry, into the live blobs
swap() {
	page "$WORK/1.vhd" disks/a.vhd $((64 * 65536 + HEADER)) 65536
	page "$WORK/1.table" disks/a.hash 1024 512
}

# trial HEADER KEY: with the vault made and the disk protected
trial() {
	HEADER=$1
	DATA=$(container)
	ID=$("$SDK" read "${VAULT##*/}" vault.json | /usr/bin/python3 -c '
import json, sys
print(json.load(sys.stdin)["id"])')
	tidemark backup --json
	ok $? "a backup"
	ONE=$(json result.point)
	point_disk "$WORK/1.vhd" a "$ONE"
	if [ "$HEADER" -gt 0 ]; then
		"$TESTS/lib/luks.py" key "$WORK/1.vhd" "$WORK/key" "$WORK/bare"
	else
		"$SDK" read "$DATA" disks/a.key >"$WORK/key"
	fi
	is_rooted "its root is what another program makes it" "$ONE" "$WORK/key"
	cp "$WORK/table" "$WORK/1.table"
	is "$(of_disk "$ONE" previous_root)" "" "nothing comes before the first"
	scribble "$A" $((64 * 65536)) 100
	tidemark backup --json
	TWO=$(json result.point)
	is_rooted "so is the next one's" "$TWO" "$WORK/key"
	is "$(of_disk "$TWO" previous_root)" "$(of_disk "$ONE" root)" \
		"which goes on from it"
	tidemark verify && tidemark restore disk a "$OUT" && cmp "$OUT" "$A"
	ok $? "it is proved, and restored"
}
