#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Whatever happens to a snapshot under load (its store fails, is full or silent,
# its view is removed, its disk suspended or given another table, memory runs
# out), no write to the disk fails or hangs, and the next cut is right; a backup
# fails, says why, and the next one is right. ROUNDS and SEED are variables.

# shellcheck source=tests/vm/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/vm/vault-lib.sh
. "$TOP/tests/vm/vault-lib.sh"

if full; then
	: "${ROUNDS:=15}"
else
	: "${ROUNDS:=1}"
fi
: "${SEED:=$(date +%s)}"
faults=
[ "$KERNEL" != debug ] || faults=faults

disk origin $((16 * 1048576 + 13 * 512))
disk meta 1M
disk store 20M
# shellcheck disable=SC2086 # a word or none
guest "$ROUNDS rounds, seed $SEED" --disk "$WORK/origin" \
	--disk "$WORK/meta" --disk "$WORK/store" --mem 768 \
	--timeout $((400 + ROUNDS * 200)) \
	"$TOOLS/stores" /dev/vda /dev/vdb /dev/vdc "$ROUNDS" "$SEED" $faults

disk a 48M
disk meta 1M
disk store 48M
# More than is read ahead of what is sent: a view may end once it has been read.
disk b 160M
vault_guest "backups" --disk "$WORK/a" --disk "$WORK/meta" \
	--disk "$WORK/store" --disk "$WORK/b" --timeout 600 \
	"$TOP/tests/vm/guest/stores.sh"

done_testing
