#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The killing sweep: an incremental backup of two disks is killed at its every
# request, before the service hears it and after, and the next one at random;
# see sweep.py. The short form takes one request in STRIDE, another one each
# time: SEED, which is printed, chooses them and all that is random.

. "$(dirname "$0")/../lib/tap.sh"
. "$TESTS/lib/vault.sh"

case ${FORM:-short} in
full)	STRIDE=${STRIDE:-1} b_size=33M ;;
*)	STRIDE=${STRIDE:-6} b_size=3M ;;
esac
SEED=${SEED:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
echo "# SEED=$SEED STRIDE=$STRIDE"

# One of small chunks, so that its table has many pages; the other, in the full
# form, of two windows
vault_start
random_disk "$WORK/a.img" 2
random_disk "$WORK/b.img" 2
truncate -s $b_size "$WORK/b.img"
vault_make Main
tidemark protect "$VAULT" "$WORK/a.img" --disk a --item m1 --chunk-size 4K &&
	tidemark protect "$VAULT" "$WORK/b.img" --disk b --item m1 &&
	tidemark backup
ok $? "two disks and their first point"

export DIRECT_CONNECTION_STRING PYTHONDONTWRITEBYTECODE=1
"$TESTS/fault/sweep.py" "$TIDEMARK" "$(container)" vault "$SEED" \
	"$STRIDE" \
	"a=$WORK/a.img:4096" "b=$WORK/b.img:65536" >"$WORK/said" 2>&1
ok $? "a client that is killed at any request: $(head -n 1 "$WORK/said")"
sed 's/^/# /' "$WORK/said" | head -n 50
cases=$(sed -n 's/.* \([0-9]*\) cases.*/\1/p' "$WORK/said")
[ "${cases:-0}" -ge $((40 / STRIDE)) ]
ok $? "at as many as a backup makes"
finish
