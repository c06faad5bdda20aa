#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What a crash costs: BACKUPS times a machine that is backed up loses its power
# under a steady load. The next backup is incremental, its point is the disk; it
# reads what counts too much, and uploads only what differs. And no write waits
# for long because a region is being closed.

# shellcheck source=tests/vm/lib.sh
. "$(dirname "$0")/../vm/lib.sh"
# shellcheck source=tests/vm/vault-lib.sh
. "$TOP/tests/vm/vault-lib.sh"
# shellcheck source=tests/crash/lib.sh
. "$TOP/tests/crash/lib.sh"

if full; then
	BACKUPS=${BACKUPS:-10} STALL_SECONDS=${STALL_SECONDS:-60}
else
	BACKUPS=${BACKUPS:-1} STALL_SECONDS=${STALL_SECONDS:-12}
fi
ORIGIN_MIB=64
CHUNK=128
PER_REGION=8		# chunks
# At 50 writes a second at most, 9 s: twice close_after, and what a closing may
# take. By the writes and not by the clock, as a slow machine is slow in both.
IDLE_MOST_WRITES=450

trap 'disks_stop; azurite_stop; rm -rf "$WORK"' EXIT
disk a ${ORIGIN_MIB}M
disk meta ${META_KIB}K
disk kept 16M

# backed VERB: in a guest with the vault
backed()
{
	guest "backup, $1" --timeout 300 --forward "$AZURITE_PORT" \
		--host "$CRASH/host-crash.sh" \
		--disk "$WORK/a" --disk "$WORK/meta" --disk "$WORK/kept" \
		--add "$WORK/vault.env:/etc/vault" --add "$TOOLS/cuts" \
		--add "$TOP/tests/vm/guest/vault.sh:/usr/lib/vault.sh" \
		--add "$TOP/tests/vm/guest/proxied.sh:/usr/lib/proxied.sh" \
		"$CRASH/guest/backed.sh" "$1"
}

# plug N: load, until the power goes; a and meta are then what has survived
plug()
{
	disks_new "$WORK/d"
	for name in origin meta; do
		from=$name
		[ $name = meta ] || from=a
		cp --sparse=always "$WORK/$from" "$WORK/d/$name.0"
		cp --sparse=always "$WORK/$from" "$WORK/d/$name"
	done
	disks_start "$WORK/d"
	on_disks "load $1" --timeout 300 --disk "$WORK/kept" \
		--add "$TOOLS/churn" --host "$CRASH/host-crash.sh" \
		"$CRASH/guest/backed.sh" load \
		$((900 + (SEED + $1) * 7919 % 200)) $((SEED + $1))
	disks_stop
	replay draw "$WORK/d" seed=$((SEED + $1)) at=end | sed 's/^/# /'
	mv "$WORK/d/origin.cut" "$WORK/a"
	mv "$WORK/d/meta.cut" "$WORK/meta"
}

# at_most TEXT A B: A is no more than B
at_most()
{
	most_status=0
	[ "$2" -le "$3" ] || most_status=1
	result $most_status "$1: $2 of at most $3"
}

costs()
{
	mv "$WORK/verdict" "$WORK/d/verdicts"
	cost_status=0
	replay check "$WORK/d" seed=$((SEED + $1)) at=end >"$WORK/score" ||
		cost_status=$?
	sed 's/^#* */# /' "$WORK/score"
	result $cost_status "crash $1: nothing is missed"
	read -r changed same uploaded cleared bytes <"$WORK/counters"
	echo "# changed $changed, same $same, uploaded $uploaded," \
		"cleared $cleared, bytes $bytes"
	differ=$(scored all differ)
	at_most "crash $1: chunks reported for nothing" \
		"$(scored all extra)" $(($(scored all regions) * PER_REGION))
	at_most "crash $1: writes since one was written that is still logged, for $(scored all idle_ms) ms" \
		"$(scored all idle_writes)" "$IDLE_MOST_WRITES"
	at_most "crash $1: chunks sent, of those that differ" \
		$((uploaded + cleared)) "$differ"
	at_most "crash $1: bytes sent" "$bytes" $((differ * CHUNK * 512))
}

backed first
n=1
while [ "$n" -le "$BACKUPS" ]; do
	plug "$n"
	rm -f "$WORK/verdict" "$WORK/counters"
	backed after
	costs "$n"
	n=$((n + 1))
done

guest "stalls" --icount --mem 6144 --timeout 300 --add "$TOOLS/stall" \
	"$CRASH/guest/stall.sh" "$STALL_SECONDS"

done_testing
