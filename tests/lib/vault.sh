# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# vault.sh - a vault on a private Azurite behind the fault proxy, and this
# machine's program on it; to be sourced by sh after tap.sh
#
#	vault_start		starts both; VAULT is a URL for a vault
#	vault_make NAME		makes the vault
#	vault_make_encrypted NAME	with client-side encryption; the passphrase
#				is in $WORK/bare, which the configuration names
#	machine NAME		from here on, tidemark is machine NAME: its own
#				state and run directories
#	tidemark ARG...		runs the program; its status in STATUS, output
#				in $WORK/out and $WORK/err; with CREDENTIALS
#				instead of the right ones, if that is set
#	json PATH		prints a member of $WORK/out: a.b.0.c
#	container		prints the machine's data container
#	point_disk FILE DISK [POINT]	the point's VHD, read with the SDK
#	same_disk TEXT VHD IMAGE	a result: VHD is a fixed VHD of IMAGE
#	random_disk FILE MIB	an image that is half random and half holes
#	scribble FILE OFF LEN	random bytes into it
#	wipe FILE OFF LEN	zeroes into it
#	vault_state		prints all blobs, snapshots, numbers: to compare
#	sent_to PATTERN		bytes of page puts to blobs of that name

. "$TESTS/lib/azurite.sh"
. "$TESTS/lib/proxy.sh"

vault_start() {
	azurite_start "$WORK/azurite" || exit 1
	proxy_start "$WORK" || exit 1
	# shellcheck disable=SC2034 # for the test
	VAULT=$PROXY_URL/vault
	machine m1
}

machine() {
	# shellcheck disable=SC2034 # for the test
	MACHINE=$1
	TIDEMARK_CONFIG=$WORK/$1/tidemark.conf
	TIDEMARK_STATE_DIR=$WORK/$1/state
	TIDEMARK_RUN_DIR=$WORK/$1/run
	export TIDEMARK_CONFIG TIDEMARK_STATE_DIR TIDEMARK_RUN_DIR
	mkdir -p "$WORK/$1"
	[ -e "$TIDEMARK_CONFIG" ] || : >"$TIDEMARK_CONFIG"
}

tidemark() {
	AZURE_STORAGE_CONNECTION_STRING=${CREDENTIALS-${AZURE_STORAGE_CONNECTION_STRING-}} \
		"$TIDEMARK" "$@" >"$WORK/out" 2>"$WORK/err" </dev/null
	STATUS=$?
	return $STATUS
}

vault_make() {
	tidemark vault create "$VAULT" --name "$1"
}

vault_make_encrypted() {
	(umask 077 && printf 'correct horse' >"$WORK/bare")
	cat >"$TIDEMARK_CONFIG" <<-END
		[encryption]
		key_file = $WORK/bare
		kdf_memory = 1M
	END
	tidemark vault create "$VAULT" --name "$1" --encrypt
}

json() {
	/usr/bin/python3 -c '
import json, sys
value = json.load(open(sys.argv[1]))
for step in sys.argv[2].split("."):
    value = value[int(step)] if isinstance(value, list) else value[step]
print(value if isinstance(value, str) else json.dumps(value))' \
		"$WORK/out" "$1"
}

container() {
	[ -d "$TIDEMARK_STATE_DIR/disks" ] || return 0
	sed -n 's/.*"container": "\([^"]*\)".*/\1/p' \
		"$TIDEMARK_STATE_DIR"/disks/*.json | head -n 1
}

point_disk() {
	"$TIDEMARK" points show "${3:-latest}" --json \
		>"$WORK/point" 2>"$WORK/point.err" || return 1
	point_snapshot=$(/usr/bin/python3 -c '
import json, sys
point = json.load(open(sys.argv[1]))["result"]["point"]
print(next(d["vhd_snapshot"] for d in point["disks"]
           if d["name"] == sys.argv[2]))' "$WORK/point" "$2") || return 1
	rm -f "$1"
	"$TESTS/lib/sdk.py" fetch "$1" "$(container)" "disks/$2.vhd" \
		"$point_snapshot"
}

# The SDK's bytes: the disk, then zeroes up to the next MiB, then the footer.
same_disk() {
	same_size=$(stat -c %s "$3")
	same_vhd=$(((same_size + 1048575) / 1048576 * 1048576))
	[ "$(stat -c %s "$2")" -eq $((same_vhd + 512)) ] &&
		cmp -n "$same_size" "$2" "$3" &&
		cmp -n $((same_vhd - same_size)) -i "$same_size:0" "$2" /dev/zero &&
		[ "$(tail -c 512 "$2" | head -c 8)" = conectix ]
	ok $? "$1"
}

random_disk() {
	rm -f "$1"
	truncate -s "$2M" "$1"
	dd if=/dev/urandom of="$1" bs=1M count=$(($2 / 2)) conv=notrunc \
		status=none
}

scribble() {
	head -c "$3" /dev/urandom |
		dd of="$1" bs=4096 seek="$2" oflag=seek_bytes conv=notrunc \
			status=none
}

wipe() {
	head -c "$3" /dev/zero |
		dd of="$1" bs=4096 seek="$2" oflag=seek_bytes conv=notrunc \
			status=none
}

vault_state() {
	for state_container in vault $(container); do
		"$BUILD/tests/storage" list "$state_container" ""
	done
}

sent_to() {
	proxy_control log | /usr/bin/python3 -c '
import fnmatch, json, sys
print(sum(r["bytes"] for r in json.load(sys.stdin) if r["kind"] == "page-put"
          and fnmatch.fnmatch(r["path"].split("?")[0], sys.argv[1])))' "$1"
}
