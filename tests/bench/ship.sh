#!/bin/sh
# SPDX-License-Identifier: MIT
#
# ship.sh DIR - how fast a disk is shipped and restored, beside bare libcurl, the
# official SDK and restic; on this machine, as root
#
#	ROUNDS		of everything that is compared, 5
#	SIZE		MiB of the disk that is moved as a whole, 2048
#	CHANGED		chunks that have changed of a disk of 4 TiB, 1,000,000
#	INCREMENT	GiB of the disk of which a hundredth has changed, 16
#
# The store is an nginx that throws pages away, with Azurite behind it for all
# else; see sink.sh. Rates are of whole processes, from start to end: the
# program's have leases, documents, snapshots and a commit in them. They go in
# turns, and the median of each counts. `tidemark` reads a file in memory and
# writes one on ext4; on a device it reads and writes a loop device. Both of what
# it writes to are over memory, too. `bare` is libcurl with nothing around it,
# hashing between requests; `bare_threads` hashes on two threads meanwhile;
# `plain` does not hash.
#
# Two figures need a tracked disk that no guest can hold. They are measured with
# a stand-in for the kernel's tracking; see standin.c.

TOP=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck disable=SC2034 # for what is sourced
TESTS=$TOP/tests
. "$TOP/tests/lib/azurite.sh"
. "$TOP/tests/bench/sink.sh"

restic_home()
{
	echo "restic-$(. /etc/os-release && echo "$VERSION_CODENAME")"
}

restic_fetch()
{
	fetch_package "$1" restic
}

# A network of its own, where nothing paces: congestion control may.
if [ -z "${SHIP_INSIDE-}" ]; then
	azurite_install && sink_install &&
		cached "$(restic_home)" restic_fetch || exit 1
	SHIP_INSIDE=1 exec unshare --net sh "$0" "$@"
fi
busybox ip link set lo up
echo reno >/proc/sys/net/ipv4/tcp_congestion_control

. "$TOP/tests/bench/lib.sh"
cleanup=
at_exit()
{
	cleanup="$1
$cleanup"
}
trap 'eval "$cleanup"; rm -rf "$WORK"' EXIT

ROUNDS=${ROUNDS:-5}
SIZE=${SIZE:-2048}
CHANGED=${CHANGED:-1000000}
INCREMENT=${INCREMENT:-16}
BYTES=$((SIZE << 20))
MEM=$(mktemp -d /dev/shm/tidemark-bench.XXXXXX)
at_exit "rm -rf '$MEM'"
export AZURE_STORAGE_KEY="$AZURITE_KEY"
: >"$WORK/tries"

say()
{
	echo "ship.sh: $*" >&2
}

# endpoint URL: where the account is from now on
endpoint()
{
	AZURE_STORAGE_CONNECTION_STRING="DefaultEndpointsProtocol=${1%%:*};AccountName=$AZURITE_ACCOUNT;AccountKey=$AZURITE_KEY;BlobEndpoint=$1"
	export AZURE_STORAGE_CONNECTION_STRING
}

# machine NAME: tidemark is this machine from now on
machine()
{
	export TIDEMARK_CONFIG="$WORK/$1/tidemark.conf" \
		TIDEMARK_STATE_DIR="$WORK/$1/state" \
		TIDEMARK_RUN_DIR="$WORK/$1/run"
	[ -d "$WORK/$1" ] || {
		mkdir "$WORK/$1"
		cat >"$TIDEMARK_CONFIG" <<-END
		[vault]
		ca_file = $SINK_CA
		[transfer]
		blob_rate = 0
		blob_requests = 0
		account_requests = 0
		END
	}
}

# quiet COMMAND...: what it says is shown if it fails
quiet()
{
	"$@" >"$WORK/said" 2>&1 || {
		cat "$WORK/said" >&2
		exit 1
	}
}

tidemark()
{
	quiet "$TOP/build/tidemark" "$@"
}

# took COMMAND...: sets TOOK to "SECONDS USER SYSTEM KIB"
took()
{
	"$TOP/tests/bench/watched.py" "$WORK/took" "$@" >"$WORK/said" \
		2>"$WORK/errors" || {
		cat "$WORK/said" "$WORK/errors" >&2
		exit 1
	}
	TOOK=$(cat "$WORK/took")
}

# try WHAT ENGINE TARGET COMMAND...
try()
{
	try_of="$1 $2 $3"
	shift 3
	took "$@"
	echo "$try_of $TOOK" >>"$WORK/tries"
}

# bare put|get WHAT URL [CA-FILE]: the three of them, for both engines
bare()
{
	for try_engine in file device; do
		for try_how in "bare hash 0" "bare_threads hash 2" "plain plain 0"
		do
			# shellcheck disable=SC2086 # words
			set -- "$1" "$2" "$3" "${4-}" $try_how
			try "$2" $try_engine "$5" "$TOOLS/bare" "$1" \
				"$3" "$BYTES" "$6" "$7" ${4:+"$4"}
		done
	done
}

sdk()
{
	try upload_http "$1" "sdk$3" /usr/bin/python3 \
		"$TOP/tests/bench/upload.py" "$2" "$BYTES" "$3"
}

# upload SCHEME URL [CA-FILE]
upload()
{
	endpoint "$2"
	for upload_engine in file device; do
		machine "$1-$upload_engine"
		try "upload_$1" $upload_engine tidemark "$TOP/build/tidemark" \
			backup --full
	done
	bare put "upload_$1" "$2/c/disks/d.vhd?comp=page" ${3:+"$3"}
}

# restore SCHEME URL [CA-FILE]
restore()
{
	endpoint "$2"
	machine direct
	try "restore_$1" file tidemark "$TOP/build/tidemark" --yes restore disk d \
		"$MEM/out/d.img" --vault "$2/vault" --item direct
	cmp "$MEM/disk.img" "$MEM/out/d.img"
	rm "$MEM/out/d.img"
	try "restore_$1" device tidemark "$TOP/build/tidemark" --yes restore disk \
		d "$OUT_DEVICE" --vault "$2/vault" --item direct
	bare get "restore_$1" "$2/c/disks/d.vhd?snapshot=page" ${3:+"$3"}
}

# targets: the kinds that are neither a file of the disk nor a device. What is
# uploaded is read as well; the bare program does one after the other.
targets()
{
	endpoint "$SINK_HTTP"
	machine direct
	targets_sas=$("$TOP/tests/lib/sdk.py" blob-sas targets \
		disks/managed.vhd rw)
	export UPLOAD_URL="$SINK_HTTP/targets/disks/managed.vhd?$targets_sas"
	set -- "$SINK_HTTP/c/disks/d.vhd"
	try restore_vhd file tidemark "$TOP/build/tidemark" --yes restore disk d \
		"$MEM/out/d.vhd" --format vhd --vault "$SINK_HTTP/vault" \
		--item direct
	cmp "$SINK_SERVED" "$MEM/out/d.vhd"
	rm "$MEM/out/d.vhd"
	try restore_vhd file bare "$TOOLS/bare" get "$1?snapshot=page" "$BYTES"
	try restore_upload file tidemark "$TOP/build/tidemark" --yes restore disk \
		d upload:env:UPLOAD_URL --vault "$SINK_HTTP/vault" --item direct
	# shellcheck disable=SC2016 # for the other shell
	try restore_upload file bare sh -c \
		'"$0" get "$1?snapshot=page" "$2" && "$0" put "$1?comp=page" "$2"' \
		"$TOOLS/bare" "$1" "$BYTES"
}

# encryption: the same file, encrypted on the way and not
encryption()
{
	endpoint "$SINK_HTTP"
	machine encrypted
	try encryption file encrypted "$TOP/build/tidemark" backup --full
	machine http-file
	try encryption file clear "$TOP/build/tidemark" backup --full
}

# loop FILE [ARG...]: sets LOOP
loop()
{
	LOOP=$(losetup --find --show --direct-io=on "$@" 2>/dev/null ||
	       losetup --find --show "$@")
	at_exit "losetup --detach $LOOP"
}

prepare()
{
	say "preparing a disk of $SIZE MiB"
	head -c "${SIZE}M" /dev/urandom >"$MEM/disk.img"
	loop "$MEM/disk.img" --read-only
	DEVICE=$LOOP
	head -c "${SIZE}M" /dev/zero >"$MEM/out-device.img"
	loop "$MEM/out-device.img"
	OUT_DEVICE=$LOOP
	# Written once: memory is had from the start.
	head -c "$((SIZE + SIZE / 8))M" /dev/zero >"$MEM/out-files.img"
	loop "$MEM/out-files.img"
	mkfs.ext4 -q -E nodiscard "$LOOP"
	mkdir "$MEM/out"
	mount -o nodiscard "$LOOP" "$MEM/out"
	at_exit "umount '$MEM/out'"
	azurite_start "$WORK/azurite"
	sink_start "$WORK/sink"
	endpoint "$AZURITE_URL"
	machine direct
	tidemark vault create "$AZURITE_URL/vault" --name Bench
	tidemark protect "$AZURITE_URL/vault" "$MEM/disk.img" --disk d \
		--item direct
	tidemark backup
	tidemark restore disk d "$SINK_SERVED" --format vhd
	# The first time is another: memory has to be found.
	tidemark restore disk d "$MEM/out/d.img"
	rm "$MEM/out/d.img"
	# What a managed disk is that awaits its content
	quiet "$TOP/tests/lib/sdk.py" create-container targets
	quiet "$TOP/tests/lib/sdk.py" create targets disks/managed.vhd $((BYTES + 512))
	for prepare_way in "http $SINK_HTTP" "tls $SINK_TLS"; do
		prepare_scheme=${prepare_way% *}
		prepare_url=${prepare_way#* }
		endpoint "$prepare_url"
		for prepare_disk in "file $MEM/disk.img" "device $DEVICE"; do
			machine "$prepare_scheme-${prepare_disk%% *}"
			tidemark protect "$prepare_url/vault" \
				"${prepare_disk#* }" --disk d \
				--item "$prepare_scheme-${prepare_disk%% *}"
		done
	done
	endpoint "$SINK_HTTP"
	machine encrypted
	# How long a passphrase takes to try is no matter of throughput.
	cat >>"$TIDEMARK_CONFIG" <<-END
	[encryption]
	passphrase_command = echo correct horse
	kdf_memory = 1M
	END
	tidemark vault create "$SINK_HTTP/secret" --name Secret --encrypt
	tidemark protect "$SINK_HTTP/secret" "$MEM/disk.img" --disk d \
		--item encrypted
}

compare_rates()
{
	for round in $(seq "$ROUNDS"); do
		say "round $round of $ROUNDS"
		upload http "$SINK_HTTP"
		upload tls "$SINK_TLS" "$SINK_CA"
		restore http "$SINK_HTTP"
		restore tls "$SINK_TLS" "$SINK_CA"
		targets
		encryption
		endpoint "$SINK_HTTP"
		for round_sdk in 1 8; do
			sdk file "$MEM/disk.img" $round_sdk
			sdk device "$DEVICE" $round_sdk
		done
	done
	awk -v mib="$SIZE" -f "$TOP/tests/bench/medians.awk" "$WORK/tries" \
		>>"$WORK/rates"
}

# member PATH: of what --json has printed
member()
{
	/usr/bin/python3 -c 'import json, sys
value = json.load(open(sys.argv[1]))["result"]
for step in sys.argv[2].split("."):
    value = value[step]
print(value)' "$WORK/said" "$1"
}

# increment NAME FILE BYTES CHANGED: a tracked disk of which chunks have changed
increment()
{
	machine "$1"
	export STANDIN_SIZE="$3" STANDIN_CHANGED="$4"
	quiet "$TOOLS/standin" protect "$SINK_HTTP/vault" "$2" --disk d --item "$1"
	quiet env STANDIN_EMPTY=1 "$TOOLS/standin" backup
	took "$TOOLS/standin" backup --json
	[ "$(member modes.d)" = incremental ]
}

scattered()
{
	say "$CHANGED changed chunks of 4 TiB"
	increment scattered "$MEM/disk.img" $((4 << 40)) "$CHANGED"
	# shellcheck disable=SC2086 # words
	set -- $TOOK
	scattered_requests=$(member counters.total.requests)
	cat >>"$WORK/rates" <<-END
	rss_mib $(($4 / 1024))
	requests_per_chunk $(awk "BEGIN { print $scattered_requests / $CHANGED }")
	$CHANGED changed chunks of 4 TiB: $scattered_requests requests, $1 s, RssAnon $4 KiB at the most, of them 65536 KiB buffers in flight
	END
}

hundredth()
{
	hundredth_chunks=$((INCREMENT << 30 >> 16))
	say "a hundredth of $INCREMENT GiB"
	head -c "${INCREMENT}G" /dev/urandom >"$WORK/increment.img"
	increment hundredth "$WORK/increment.img" $((INCREMENT << 30)) \
		$((hundredth_chunks / 100))
	# shellcheck disable=SC2086 # words
	set -- $TOOK
	hundredth_read=$(member counters.tracked.bytes_read)
	export RESTIC_REPOSITORY="$WORK/restic" RESTIC_PASSWORD=bench \
		RESTIC_CACHE_DIR="$WORK/restic-cache"
	# shellcheck disable=SC2031 # whoever changes it is in a subshell
	hundredth_restic=$TIDEMARK_CACHE/$(restic_home)/usr/bin/restic
	quiet "$hundredth_restic" init
	for _ in first second; do
		took "$hundredth_restic" --quiet backup --stdin \
			<"$WORK/increment.img"
	done
	cat >>"$WORK/rates" <<-END
	incremental_vs_restic $(awk "BEGIN { print ${TOOK%% *} / $1 }")
	incremental_bytes_read $(awk "BEGIN { print $hundredth_read / \
		($hundredth_chunks / 100 * 65536) }")
	a hundredth of $INCREMENT GiB: tidemark $1 s, restic ${TOOK%% *} s
	END
	rm -rf "$WORK/increment.img" "$WORK/restic" "$WORK/restic-cache"
}

prepare
compare_rates
sink_stop
SINK_DISCARD='\.vhd$' sink_start "$WORK/sink-of-disks"
endpoint "$SINK_HTTP"
scattered
hundredth
UNIT="MiB a second"
KERNEL=$(uname -r)
report
