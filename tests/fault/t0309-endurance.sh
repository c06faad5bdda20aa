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
full)	BACKUPS=${BACKUPS:-1000} WARM=${WARM:-100} EVERY=${EVERY:-20} STEP=100 ;;
*)	BACKUPS=${BACKUPS:-70} WARM=${WARM:-30} EVERY=${EVERY:-10} STEP=10 ;;
esac

# Anonymous memory may differ by pages that free memory lies between. The heap may
# take a step now and then, for what libraries remember: a leak of 100 bytes a
# backup adds 1,000 in every ten of them.
RSS_SLACK=1024 HEAP_SLACK=512

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

# least_growth COLUMN: of what it is in each STEP rounds at most, after the
# warm-up, the least that it is above the STEP before
least_growth() {
	awk -v c="$1" -v warm="$WARM" -v step="$STEP" '
		$1 <= warm - step { next }
		$c > most { most = $c }
		$1 % step == 0 {
			if (before && (!seen++ || most - before < least))
				least = most - before
			before = most
			most = 0
		}
		END { if (seen) print least }' "$WORK/held"
}

constant 2 0 "open descriptors"
constant 3 0 "threads"
constant 4 $RSS_SLACK "KiB of anonymous memory"
heap=$(least_growth 5)
[ "${heap:-$HEAP_SLACK}" -lt $HEAP_SLACK ]
ok $? "bytes of heap: $heap more at least in every $STEP backups"
[ "$tap_bad" -eq 0 ] || sed 's/^/# /' "$WORK/held" | tail -n 60
finish
