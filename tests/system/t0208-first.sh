#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A first file out of a recovery point of 1 TiB, most of it empty, from nothing,
# without root; the blob stays as it is. With FORM=full, on a machine that does
# nothing else: within three seconds.

. "$(dirname "$0")/../lib/tap.sh"
. "$TESTS/lib/vault.sh"

# No proxy: this is about time.
azurite_start "$WORK/azurite" || exit 1
VAULT=$AZURITE_URL/vault
SOCKET=$WORK/nbd
A=$WORK/a.img
machine m1
printf '[paths]\ncache = %s/cache\n' "$WORK" >"$TIDEMARK_CONFIG"

# file PATH TO: copies it out of the filesystem on $SOCKET
file() {
	nbdkit --unix - --readonly nbd socket="$SOCKET" --filter=ext2 \
		ext2file="$1" --run "nbdcopy \"\$uri\" '$2'"
}

# ms: a clock
ms() {
	echo $(($(date +%s%N) / 1000000))
}

truncate -s 1M "$A"
vault_make Main
tidemark protect "$VAULT" "$A" --disk a --item m1 --chunk-size 1M
tidemark backup --json
truncate -s 1T "$A"
mkdir -p "$WORK/tree/dir"
head -c 300000 /dev/urandom >"$WORK/tree/dir/first"
head -c 5000000 /dev/urandom >"$WORK/tree/dir/second"
mke2fs -q -t ext4 -T largefile4 -J size=64 -d "$WORK/tree" "$A"
POINT=$("$TESTS/system/huge.py" vault "$(container)" a "$(json result.point)" "$A")
ok $? "a point of 1 TiB, sparse"
vault_state | sort >"$WORK/state"

# first: from nothing, neither server nor cache, to the file; in TOOK ms
TOOK=999999
first() {
	rm -rf "$WORK/cache" "$WORK/first"
	start=$(ms)
	tidemark nbd a --socket "$SOCKET" --daemon --pidfile "$WORK/pid" \
		--point "$POINT" && file /dir/first "$WORK/first" &&
		TOOK=$(($(ms) - start)) && cmp "$WORK/first" "$WORK/tree/dir/first"
}

# quit: the server ends
quit() {
	SERVER=$(cat "$WORK/pid")
	kill -TERM "$SERVER"
	while [ -e "/proc/$SERVER/exe" ]; do
		sleep 0.1
	done
}

# shellcheck disable=SC2016 # at the exit, not now
at_exit 'kill $(cat "$WORK/pid") 2>/dev/null'
first
ok $? "a file is copied out of the point as it was"
echo "# first file out of 1 TiB: $TOOK ms"
if [ "${FORM:-short}" = full ]; then
	[ "$TOOK" -le 3000 ]
	ok $? "within 3 s"
fi
start=$(ms)
file /dir/second "$WORK/second" && cmp "$WORK/second" "$WORK/tree/dir/second"
ok $? "another one"
echo "# second file, of 5 MB: $(($(ms) - start)) ms"

quit
diff "$WORK/state" - <<END
$(vault_state | sort)
END
ok $? "the vault is as it was: blobs, ETags, leases, snapshots"
finish
