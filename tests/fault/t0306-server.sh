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
. "$TESTS/lib/server.sh"

vault_start
server_disks "two disks and their first point"
# Waits are not what is tested
printf '[transfer]\nretry_wait = 20\n' >"$TIDEMARK_CONFIG"
# shellcheck disable=SC2086 # words
server_run "whatever happens, what ends well is right, and what does not says why" \
	"$("$TESTS/lib/sdk.py" sas "$(container)")" ${FAULTS-}
finish
