#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A point is deleted by a client that is killed at its every request, before the
# service hears it and after: see deletion.py. The short form takes one request
# in STRIDE, others each time.

. "$(dirname "$0")/../lib/tap.sh"
. "$TESTS/lib/vault.sh"

case ${FORM:-short} in
full)	STRIDE=${STRIDE:-1} ;;
*)	STRIDE=${STRIDE:-6} ;;
esac
echo "# STRIDE=$STRIDE"

vault_start
random_disk "$WORK/a.img" 2
vault_make Main
tidemark protect "$VAULT" "$WORK/a.img" --disk a --item m1
ok $? "a disk"
export DIRECT_CONNECTION_STRING PYTHONDONTWRITEBYTECODE=1
"$TESTS/fault/deletion.py" "$BUILD/tidemark" "$(container)" vault "$STRIDE" \
	"$WORK/a.img" >"$WORK/said" 2>&1
ok $? "a deletion that is killed at any request: $(head -n 1 "$WORK/said")"
sed 's/^/# /' "$WORK/said" | head -n 50
deaths=$(sed -n 's/.* cases, \([0-9]*\) deaths.*/\1/p' "$WORK/said")
[ "${deaths:-0}" -ge $((18 / STRIDE)) ]
ok $? "at as many as it makes"
finish
