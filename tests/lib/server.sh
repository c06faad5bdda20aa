# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# server.sh - backups and restores of two disks while the service misbehaves, see
# tests/fault/server.py; to be sourced by sh after vault.sh
#
#	server_disks TEXT	a result: a vault, two disks, their first point
#	server_run TEXT SAS [FAULT...]	a result: what happens, and what is wrong
#
# SEED, which is printed, chooses all that is random; ROUNDS and PERCENT are the
# test's.

SEED=${SEED:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
echo "# SEED=$SEED ROUNDS=$ROUNDS PERCENT=$PERCENT"

server_disks() {
	random_disk "$WORK/a.img" 2
	random_disk "$WORK/b.img" 3
	vault_make Main
	tidemark protect "$VAULT" "$WORK/a.img" --disk a --item m1 \
		--chunk-size 4K &&
		tidemark protect "$VAULT" "$WORK/b.img" --disk b --item m1 &&
		tidemark backup
	ok $? "$1" || sed 's/^/# /' "$WORK/err"
}

server_run() {
	server_text=$1 server_sas=$2
	shift 2
	export DIRECT_CONNECTION_STRING PYTHONDONTWRITEBYTECODE=1
	"$TESTS/fault/server.py" "$TIDEMARK" "$(container)" vault "$SEED" \
		"$ROUNDS" "$PERCENT" "$server_sas" "$WORK" \
		"a=$WORK/a.img:4096" "b=$WORK/b.img:65536" ${1:+-- "$@"} \
		>"$WORK/said" 2>"$WORK/said.err"
	ok $? "$server_text"
	sed 's/^/# /' "$WORK/said" "$WORK/said.err" | cut -c 1-300 |
		head -n 200
}
