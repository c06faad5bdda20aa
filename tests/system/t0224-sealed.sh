#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Roots of an encrypted disk, as t0223: what another program makes them by the
# volume key that cryptsetup has; chunks of another point and an older state
# of the vault are refused by name.

. "$(dirname "$0")/../lib/tap.sh"
. "$TESTS/lib/vault.sh"
. "$TESTS/lib/roots.sh"

A=$WORK/a.img OUT=$WORK/out.img
vault_start
random_disk "$A" 20
vault_make_encrypted Main
tidemark protect "$VAULT" "$A" --disk a --item m1
trial 16777216
swap
refused backup "a chunk of an older point" "*disk 'a'*hash table was altered*"
"$SDK" delete "$DATA" "points/$TWO"
refused verify "an older state" "*older state: point '$TWO'*"
finish
