#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Counters for Prometheus: a file in its format that says what the program says
# itself, goes on from run to run, and is nobody's trouble when it fails.

. "$(dirname "$0")/../lib/tap.sh"
. "$TESTS/lib/faults.sh"

METRICS=$WORK/metrics
mkdir "$METRICS"
PROM=$METRICS/tidemark.prom

# configure PATH: where metrics go from here on
configure() {
	printf '[paths]\nmetrics = %s\n' "$1" >"$TIDEMARK_CONFIG"
}

# metric NAME [LABEL=VALUE...]: prints it, tidemark_ left out
metric() {
	metric_name=tidemark_$1
	shift
	"$TESTS/lib/prom.py" "$PROM" "$metric_name" "$@"
}

# job NAME [KIND]: prints a number of this machine's jobs
job() {
	metric "$1" item=m1 "job=${2:-backup}"
}

# runs RESULT [KIND]
runs() {
	metric runs_total item=m1 "job=${2:-backup}" "result=$1"
}

faults_start
B=$WORK/b.img
random_disk "$B" 2
[ ! -e "$PROM" ]
ok $? "without the setting no file is written"
configure "$METRICS"

# What a backup says is what the file says
tidemark protect "$VAULT" "$B" --disk b
before=$(date +%s)
scribble "$A" 100 300000
tidemark backup --json
ok $? "a backup with metrics"
after=$(date +%s)
"$TESTS/lib/prom.py" "$PROM"
ok $? "the file is as Prometheus wants it"
is "$(stat -c %a "$PROM") $(ls "$METRICS")" "644 tidemark.prom" \
	"anybody may read it, and it is alone"
is "$(runs success) $(runs failure) $(runs cancelled)" "1 0 0" \
	"one run, and every result is there"
for pair in uploaded_bytes:bytes_uploaded read_bytes:bytes_read \
	uploaded_chunks:chunks_uploaded same_chunks:chunks_same \
	cleared_chunks:chunks_cleared read_chunks:chunks_read \
	changed_chunks:chunks_changed requests:requests retries:retries; do
	is "$(job "${pair%:*}_total")" \
		"$(json "result.counters.total.${pair#*:}")" \
		"${pair%:*} are what the result says"
done
[ "$(job sent_bytes_total)" -ge "$(job uploaded_bytes_total)" ] &&
	[ "$(job received_bytes_total)" -gt 0 ]
ok $? "bodies count, too"
is "$(job last_run_success) $(job recovery_points_created_total)" "1 1" \
	"it succeeded"
for name in last_run last_run_end last_success; do
	stamp=$(job ${name}_timestamp_seconds)
	[ "$stamp" -ge "$before" ] && [ "$stamp" -le "$after" ]
	ok $? "$name is of now"
done
is "$(metric disk_size_bytes item=m1 disk=a)" "$(stat -c %s "$A")" \
	"a disk's size"
is "$(metric disk_tracked item=m1 disk=b)$(metric disk_tracking_lost item=m1 \
	disk=b)" 00 "that it is not tracked"
is "$(metric disk_last_success_timestamp_seconds item=m1 disk=a)" \
	"$(job last_success_timestamp_seconds)" "and when it was backed up"
is "$(metric build_info "version=$(sed -n 's/^VERSION := //p' \
	"$TOP/Makefile")")" 1 "the version"

# Counters go on; a disk alone; one that is there no longer
uploaded=$(job uploaded_bytes_total)
scribble "$A" 0 65536
tidemark backup a --json
is "$(job uploaded_bytes_total)" $((uploaded +
	$(json result.counters.total.bytes_uploaded))) "counters go on"
is "$(runs success) $(job recovery_points_created_total)" "2 2" "two runs"
metric disk_size_bytes item=m1 disk=b | grep -qx 2097152
ok $? "a disk that was not in the run is still told of"
rm "$TIDEMARK_STATE_DIR/disks/b.json"
tidemark backup
is "$(metric disk_size_bytes item=m1 disk=b) $(metric disk_size_bytes item=m1 \
	disk=a)" "none 8388608" "one that is no longer protected is not"

# Verify and restore, several at one time
is "$(job last_run_success verify)" none "nothing of what has not been done"
clients=
for n in 1 2 3 4; do
	"$TIDEMARK" verify >"$WORK/verify.$n" 2>&1 &
	clients="$clients $!"
done
for client in $clients; do
	wait "$client"
done
is "$(runs success verify) $(job read_chunks_total verify)" "4 512" \
	"four at once are four"
tidemark restore disk a "$WORK/a.out"
is "$(runs success restore) $(job read_chunks_total restore)" "1 128" \
	"a restore"
[ "$(job received_bytes_total restore)" -gt 4000000 ]
ok $? "and what it received"

# Failure, cancellation, death
tidemark backup
success=$(job last_success_timestamp_seconds)
proxy_rule '{"kind":"lease-acquire","times":0,"do":"status","status":403,"code":"AuthorizationPermissionMismatch"}'
tidemark backup
status=$STATUS
proxy_clear
is "$status $(runs failure) $(job last_run_success)" "5 1 0" \
	"a backup that fails is counted"
is "$(job last_success_timestamp_seconds)" "$success" \
	"the last success stays what it was"
CREDENTIALS=
tidemark backup
unset CREDENTIALS
is "$(runs failure)" 2 "so is one that cannot begin"
scribble "$A" 0 65536
background
"$TESTS/lib/prom.py" "$PROM"
ok $? "the file is whole while one is under way"
started=$(job last_run_timestamp_seconds)
[ "$started" -ge "$(job last_run_end_timestamp_seconds)" ]
ok $? "and says that it has begun"
# Held further on: of a lease that comes late nobody would know.
proxy_rule '{"kind":"page-put","path":"a.vhd","do":"hold"}'
proxy_release
proxy_await "$PROXY_RULE"
kill -s INT "$CLIENT"
ended
proxy_clear
is "$STATUS $(runs cancelled) $(runs failure)" "12 1 2" \
	"one that is cancelled is no failure"
last_end=$(job last_run_end_timestamp_seconds)
kill_at '"kind":"block-put","path":"/runs/"'
is "$STATUS $(job last_run_end_timestamp_seconds)" "137 $last_end" \
	"one that dies has begun and not ended"

# Another machine; then what cannot be written
machine m2
configure "$METRICS"
tidemark protect "$VAULT" "$B" --disk b --item m2
tidemark backup
is "$(metric runs_total item=m2 job=backup result=success) $(runs cancelled)" \
	"1 1" "machines share a file"
"$TESTS/lib/prom.py" "$PROM"
ok $? "which is as it should be"
for place in "$WORK/nowhere/x.prom" "$WORK/precious"; do
	echo precious >"$WORK/precious"
	configure "$place"
	scribble "$B" 0 512
	tidemark backup
	is "$STATUS $(grep -c 'warning: cannot write metrics' "$WORK/err")" \
		"3 1" "'${place#"$WORK"}' cannot be written: one warning"
	grep -q "^Recovery point" "$WORK/out"
	ok $? "and a point"
done
is "$(cat "$WORK/precious")" precious "what is not ours is not touched"
PROM=$WORK/own.prom
printf 'tidemark_runs_total{item="m2",job="backup",result="failure"} 40\nx\0' \
	>"$PROM"
configure "$PROM"
tidemark backup
"$TESTS/lib/prom.py" "$PROM"
ok $? "a file by its name, and what was not understood in it is gone"
is "$(metric runs_total item=m2 job=backup result=failure)" 40 \
	"what was understood is not"
finish
