#!/bin/sh
# SPDX-License-Identifier: MIT
#
# One process that makes backup after backup, with a restore and a verification
# now and then, holds no more at the end than when it had warmed up: open
# descriptors, threads, anonymous memory, heap. The full form, in `make
# check-faults`, makes 1,000; BACKUPS says otherwise. See tests/fault/endure.

. "$(dirname "$0")/../lib/tap.sh"
. "$TESTS/lib/azurite.sh"

case ${FORM:-short} in
full)	BACKUPS=${BACKUPS:-1000} WARM=${WARM:-100} EVERY=${EVERY:-20} ;;
*)	BACKUPS=${BACKUPS:-40} WARM=${WARM:-20} EVERY=${EVERY:-10} ;;
esac

# Anonymous memory may differ by what the allocator keeps for later; the heap by
# what libraries remember: a leak of 100 bytes a backup is more than that.
RSS_SLACK=1024 HEAP_SLACK=1024

azurite_start "$WORK/azurite" || exit 1
TIDEMARK_STATE_DIR=$WORK/state TIDEMARK_RUN_DIR=$WORK/run
export TIDEMARK_STATE_DIR TIDEMARK_RUN_DIR
for disk in a b; do
	head -c 2M /dev/urandom >"$WORK/$disk.img"
	truncate -s 3M "$WORK/$disk.img"
done
mkdir "$WORK/scratch"
vault=$AZURITE_URL/vault
"$TIDEMARK" vault create "$vault" --name Main >/dev/null &&
	"$TIDEMARK" protect "$vault" "$WORK/a.img" --item m1 \
		--chunk-size 4K >/dev/null &&
	"$TIDEMARK" protect "$vault" "$WORK/b.img" >/dev/null
ok $? "two disks are protected"

"$BUILD/tests/endure" "$BACKUPS" "$EVERY" "$WORK/scratch" \
	>"$WORK/held" 2>"$WORK/said"
ok $? "$BACKUPS backups by one process; every ${EVERY}th is restored and verified"
sed 's/^/# /' "$WORK/said"
is "$(wc -l <"$WORK/held")" "$BACKUPS" "each was made"

# most COLUMN FROM TO: the most of it in these rounds
most() {
	awk -v c="$1" -v from="$2" -v to="$3" '
		$1 >= from && $1 <= to && $c > most { most = $c }
		END { print most + 0 }' "$WORK/held"
}

# constant COLUMN SLACK WHAT: of as many rounds before the end as lie before
# the warm-up's end, both with the dearest of them
constant() {
	constant_warm=$(most "$1" $((WARM / 2 + 1)) "$WARM")
	constant_end=$(most "$1" $((BACKUPS - WARM / 2 + 1)) "$BACKUPS")
	[ "$constant_warm" -gt 0 ] &&
		[ "$constant_end" -le $((constant_warm + $2)) ]
	ok $? "$3: $constant_warm after $WARM backups, $constant_end after $BACKUPS"
}

constant 2 0 "open descriptors"
constant 3 0 "threads"
constant 4 $RSS_SLACK "KiB of anonymous memory"
constant 5 $HEAP_SLACK "bytes of heap"
[ "$tap_bad" -eq 0 ] || sed 's/^/# /' "$WORK/held" | tail -n 60
finish
