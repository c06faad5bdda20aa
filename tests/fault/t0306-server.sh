#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A service and a network that misbehave: backups and restores under one fault
# after another, then under all; see server.py. SEED, which is printed, chooses
# all that is random, ROUNDS how many backups of each, FAULTS which.

. "$(dirname "$0")/../lib/tap.sh"
. "$TESTS/lib/vault.sh"

case ${FORM:-short} in
full)	ROUNDS=${ROUNDS:-100} PERCENT=${PERCENT:-5} ;;
*)	ROUNDS=${ROUNDS:-1} PERCENT=${PERCENT:-10} ;;
esac
SEED=${SEED:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
echo "# SEED=$SEED ROUNDS=$ROUNDS PERCENT=$PERCENT"

vault_start
random_disk "$WORK/a.img" 2
random_disk "$WORK/b.img" 3
vault_make Main
tidemark protect "$VAULT" "$WORK/a.img" --disk a --item m1 --chunk-size 4K &&
	tidemark protect "$VAULT" "$WORK/b.img" --disk b --item m1 &&
	tidemark backup
ok $? "two disks and their first point"

# Waits are not what is tested
printf '[transfer]\nretry_wait = 20\n' >"$TIDEMARK_CONFIG"
export DIRECT_CONNECTION_STRING PYTHONDONTWRITEBYTECODE=1
# shellcheck disable=SC2086 # words
"$TESTS/fault/server.py" "$TIDEMARK" "$(container)" vault "$SEED" \
	"$ROUNDS" "$PERCENT" "$("$TESTS/lib/sdk.py" sas "$(container)")" "$WORK" \
	"a=$WORK/a.img:4096" "b=$WORK/b.img:65536" ${FAULTS:+-- $FAULTS} \
	>"$WORK/said" 2>"$WORK/said.err"
ok $? "whatever happens, what ends well is right, and what does not says why"
sed 's/^/# /' "$WORK/said" "$WORK/said.err" | cut -c 1-300 | head -n 200
finish
