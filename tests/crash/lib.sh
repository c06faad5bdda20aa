# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# lib.sh - disks with volatile caches, and crashes drawn from what they logged
#
# Sourced by tests/crash/tNNNN-topic.sh, after tests/vm/lib.sh.

CRASH=$TOP/tests/crash
ORIGIN_MIB=256
META_KIB=64
CHUNK=64		# sectors
OPTIONS="close_after 1 chunk_sectors 64 region_sectors 1024"
SEED=${SEED:-$(od -An -N3 -tu4 /dev/urandom | tr -d ' ')}
echo "# SEED=$SEED"
disks_pid=
trap 'disks_stop; rm -rf "$WORK"' EXIT

# disks_new DIR: disks of zeroes
disks_new()
{
	rm -rf "$1"
	mkdir "$1"
	truncate -s "${ORIGIN_MIB}M" "$1/origin"
	truncate -s "${META_KIB}K" "$1/meta"
	truncate -s 4K "$1/mark"
}

# disks_start DIR [PARAMETER...]: serves them at $DISKS_PORT of the loopback
disks_start()
{
	disks_dir=$1
	shift
	while :; do
		DISKS_PORT=$((20000 + $(od -An -N2 -tu2 /dev/urandom) % 30000))
		rm -f "$disks_dir/pid"
		nbdkit -f -i 127.0.0.1 -p "$DISKS_PORT" -P "$disks_dir/pid" \
			-t 32 "$TOOLS/volatile.so" dir="$disks_dir" \
			seed="$SEED" "$@" 2>"$disks_dir/err" &
		disks_pid=$!
		until [ -s "$disks_dir/pid" ]; do
			kill -0 $disks_pid 2>/dev/null || break
			sleep 0.1
		done
		[ ! -s "$disks_dir/pid" ] || return 0
		grep -q 'Address already in use' "$disks_dir/err" || {
			sed 's/^/# nbdkit: /' "$disks_dir/err"
			return 1
		}
	done
}

disks_stop()
{
	[ -n "$disks_pid" ] || return 0
	kill "$disks_pid"
	wait "$disks_pid" || :
	disks_pid=
}

# on_disks TEXT VM-ARG...: a script in a guest that has them
on_disks()
{
	on_text=$1
	shift
	guest "$on_text" --parallel --forward "$DISKS_PORT" \
		--disk "nbd://127.0.0.1:$DISKS_PORT/origin" \
		--disk "nbd://127.0.0.1:$DISKS_PORT/mark" \
		--add "$TOOLS/nbdattach" --add "$TOOLS/cuts" "$@"
}

# replay draw|check DIR OPTION...: see tools/replay.c
replay()
{
	replay_verb=$1 replay_dir=$2
	shift 2
	"$TOOLS/replay" "$replay_verb" "$replay_dir" seed="$SEED" \
		origin=$((ORIGIN_MIB * 2048)) meta=$((META_KIB * 2)) \
		chunk=$CHUNK "$@"
}

# images DIR: how many
images()
{
	echo $(($(stat -c %s "$1/images") / (META_KIB * 1024)))
}

# judge DIR...: DIR/verdicts, what the module makes of DIR/images; in one boot
judge()
{
	for judge_dir; do
		cat "$judge_dir/images"
	done >"$WORK/images"
	truncate -s $((8 * META_KIB * 1024)) "$WORK/slots"
	judge_count=$(images "$WORK")
	judge_status=0
	"$TOP/scripts/vm" run --kernel "$KERNEL" \
		--timeout $((120 + judge_count)) --disk "$WORK/images" \
		--disk "$WORK/slots" --add "$TOOLS/judge" \
		"$CRASH/guest/judges.sh" $((ORIGIN_MIB * 2048)) \
		$((META_KIB * 2)) "$judge_count" "$OPTIONS" \
		>"$WORK/verdicts" || judge_status=$?
	[ $judge_status -eq 0 ] || grep -v '^[0-9]' "$WORK/verdicts" |
		sed 's/^/# /'
	result $judge_status "the module judges $judge_count images of META"
	judge_from=0
	for judge_dir; do
		awk -v from="$judge_from" -v n="$(images "$judge_dir")" '
			/^[0-9]/ && $1 >= from && $1 < from + n {
				$1 -= from
				print
			}' "$WORK/verdicts" >"$judge_dir/verdicts"
		judge_from=$((judge_from + $(images "$judge_dir")))
	done
}

# scored PART FIELD: of what `replay check` said, in $WORK/score
scored()
{
	sed -n "/^part=$1 /s/.* $2=\([0-9]*\).*/\1/p" "$WORK/score"
}
