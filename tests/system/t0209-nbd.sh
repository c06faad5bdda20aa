#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A recovery point served by NBD: the client sees the disk as it was, only what
# it asks for is read, what is damaged is an I/O error of one chunk, writes are
# thrown away, the cache is not believed, and the vault is as it was.

. "$(dirname "$0")/../lib/tap.sh"
. "$TESTS/lib/vault.sh"

vault_start
SOCKET=$WORK/nbd
URI="nbd+unix:///?socket=$SOCKET"
A=$WORK/a.img
CACHE=$WORK/cache
machine m1
printf '[paths]\ncache = %s\n[transfer]\nretry_wait = 50\n' "$CACHE" \
	>"$TIDEMARK_CONFIG"

# serve ARG...: a server on $SOCKET, in SERVER; its words in $WORK/nbd.err
serve() {
	"$BUILD/tidemark" nbd a --socket "$SOCKET" "$@" >"$WORK/nbd.out" \
		2>"$WORK/nbd.err" </dev/null &
	SERVER=$!
	at_exit "kill $SERVER 2>/dev/null"
	until nbdinfo --size "$URI" >/dev/null 2>&1; do
		kill -0 "$SERVER" 2>/dev/null || return 1
		sleep 0.1
	done
}

# quit TEXT: it ends cleanly when it is asked to
quit() {
	kill -TERM "$SERVER"
	wait "$SERVER"
	is "$?" 0 "$1"
	[ ! -e "$SOCKET" ]
	ok $? "and its socket is gone"
}

# same IMAGE TEXT
same() {
	qemu-img compare -q -f raw -F raw "$1" "$URI"
	ok $? "$2"
}

# reads: requests for data of the disk so far
reads() {
	proxy_control log | /usr/bin/python3 -c '
import json, sys
print(sum(1 for r in json.load(sys.stdin) if r["kind"] == "read"
          and "a.vhd" in r["path"]))'
}

# unchanged: since $WORK/state was made
unchanged() {
	diff "$WORK/state" - <<-END
	$(vault_state | sort)
	END
	ok $? "the vault is as it was: blobs, ETags, leases, snapshots"
}

# shellcheck disable=SC2016 # at the exit, not now
at_exit 'kill $(cat "$WORK/pid" "$WORK/nobody/pid" 2>/dev/null) 2>/dev/null'

# The size is no multiple of a chunk, nor of a MiB.
random_disk "$A" 24
truncate -s $((24 * 1048576 + 5 * 512)) "$A"
scribble "$A" $((24 * 1048576)) 512
vault_make Main
tidemark protect "$VAULT" "$A" --disk a --item m1
tidemark backup --json
FIRST=$(json result.point)
DATA=$(container)
cp "$A" "$WORK/first.img"
scribble "$A" 900000 200000
tidemark backup
vault_state | sort >"$WORK/state"

serve
ok $? "a point is served, by whoever may read the vault"
is "$(stat -c %a "$SOCKET")" 600 "on a socket of one's own"
is "$(nbdinfo --size "$URI")" "$(stat -c %s "$A")" "of the disk's true size"
tr '\0' ' ' <"/proc/$SERVER/cmdline" >"$WORK/cmdline"
! grep -q -e AccountKey -e "$AZURITE_KEY" "$WORK/cmdline"
ok $? "with no secret among its arguments"
tidemark nbd a --socket "$SOCKET"
is "$STATUS" 7 "not twice on one socket"
same "$A" "qemu-img sees the disk as it was"
nbdcopy "$URI" "$WORK/copy.img" && cmp "$WORK/copy.img" "$A"
ok $? "so does nbdcopy, with many requests at once"
[ "$(du -k "$WORK/copy.img" | cut -f1)" -le $((12 * 1024 + 512)) ]
ok $? "which is told where nothing is"
nbdinfo --map --totals "$URI" >"$WORK/map"
grep -q 'hole,zero' "$WORK/map"
ok $? "and nbdinfo shows it"
! qemu-io -f raw -c 'write 0 4096' "$URI" >/dev/null 2>&1
ok $? "it cannot be written"
before=$(reads)
same "$A" "once more"
is "$(reads)" "$before" "from memory and the cache: no data are read again"
quit "the server ends well"
unchanged

# Another point shares the chunks that have not changed; memory is empty now.
before=$(reads)
serve --point "$FIRST"
same "$WORK/first.img" "an older point"
[ $(($(reads) - before)) -le 8 ]
ok $? "its unchanged chunks come from the cache"

# Its day is over, but it is served
printf '{"format":1,"name":"%s","deleted":"2020-01-01T00:00:00Z"}' "$FIRST" |
	"$TESTS/lib/sdk.py" put-json vault "marks/${DATA#tidemark-}/$FIRST"
tidemark points delete "$FIRST" --yes
is "$STATUS" 7 "a point that is served is not deleted"
like "$(cat "$WORK/err")" "*nbd by *" "it is said who reads it"
tidemark nbd a --socket "$WORK/other" --daemon --point "$FIRST" \
	--pidfile "$WORK/pid"
is "$STATUS" 3 "who serves one that is marked is warned"
kill -TERM "$(cat "$WORK/pid")"
tidemark points keep "$FIRST" --until forever
quit "it ends"
until [ -z "$("$TESTS/lib/sdk.py" list "$DATA" holds/)" ]; do
	sleep 0.1
done
ok 0 "and lets go of the point"
vault_state | sort >"$WORK/state"

# A cache that has been tampered with
find "$CACHE" -type f -size 64k | sort | head -n 40 | while read -r file; do
	printf x | dd of="$file" bs=1 seek=777 conv=notrunc status=none
done
serve
same "$A" "what is wrong in the cache is read from the vault"
quit "it ends"

# A part of it takes a part of the requests
rm -rf "$CACHE"
before=$(reads)
serve
qemu-io -r -f raw -c 'read 6M 4096' "$URI" >/dev/null
ok $? "4 KiB are read"
[ $(($(reads) - before)) -le 4 ]
ok $? "by a few requests"
quit "it ends"
unchanged

# Killed, it begins again
serve
kill -KILL "$SERVER"
wait "$SERVER" 2>/dev/null
[ -S "$SOCKET" ]
ok $? "a server that is killed leaves its socket"
serve
ok $? "which the next one takes over"
same "$A" "and it serves the same"
quit "it ends"

# Writes, for a moment
serve --writable
qemu-io -f raw -c 'write -P 77 6M 65536' -c 'read -P 77 6M 65536' "$URI" \
	>"$WORK/io"
ok $? "with --writable writes are taken"
quit "until it ends"
serve
same "$A" "then they are gone"

# A service that fails for a while
rm -rf "$CACHE"
quit "it ends"
serve
proxy_rule '{"kind":"read","path":"a.vhd","do":"status","status":503,"times":3}'
same "$A" "a service that is busy is asked again"
proxy_clear
quit "it ends"

# A page of the blob changed behind our back: in the next point's snapshot
rm -rf "$CACHE"
tidemark backup
head -c 512 /dev/urandom | "$TESTS/lib/sdk.py" put "$DATA" \
	disks/a.vhd $((65536 * 7 + 512))
tidemark backup
serve
qemu-io -r -f raw -c "read 0 $((65536 * 7))" \
	-c "read $((65536 * 8)) 1M" "$URI" >/dev/null
ok $? "beside a damaged chunk all can be read"
! qemu-io -r -f raw -c "read $((65536 * 7)) 512" "$URI" >"$WORK/io" 2>&1
ok $? "none of it can"
grep -q "disk 'a' at byte $((65536 * 7)): the data of chunk 7 are not" \
	"$WORK/nbd.err"
ok $? "and the server says which it is"
quit "it goes on, and ends well"

# In the background
tidemark nbd a --socket "$SOCKET" --daemon --pidfile "$WORK/pid" --json \
	--point "$FIRST"
is "$STATUS" 0 "a server in the background"
is "$(json result.uri)" "$URI" "its address"
same "$WORK/first.img" "serves"
SERVER=$(cat "$WORK/pid")
kill -TERM "$SERVER"
while kill -0 "$SERVER" 2>/dev/null; do
	sleep 0.1
done
[ ! -e "$SOCKET" ]
ok $? "and ends"

# Without root: nobody, who can read neither this machine's state nor its
# cache, but knows a way to the vault.
mkdir "$WORK/bin" "$WORK/nobody"
cp "$BUILD/tidemark" "$BUILD/nbdkit-tidemark-plugin.so" "$WORK/bin"
chmod 711 "$WORK"
chown 65534 "$WORK/nobody"
setpriv --reuid 65534 --regid 65534 --clear-groups env TIDEMARK_CONFIG=/dev/null \
	TIDEMARK_RUN_DIR="$WORK/nobody" "$WORK/bin/tidemark" nbd a --daemon \
	--vault "$VAULT" --item m1 --point "$FIRST" \
	--pidfile "$WORK/nobody/pid" >"$WORK/out" 2>"$WORK/err" </dev/null
ok $? "nobody serves a disk" || cat "$WORK/err"
is "$(stat -c '%u %a' "$WORK/nobody/a.nbd")" "65534 600" "on a socket of theirs"
URI="nbd+unix:///?socket=$WORK/nobody/a.nbd"
same "$WORK/first.img" "and it is the disk"
kill -TERM "$(cat "$WORK/nobody/pid")"

# What cannot be
tidemark nbd b --socket "$SOCKET"
is "$STATUS" 4 "a disk that the point does not have"
: >"$WORK/file"
tidemark nbd a --socket "$WORK/file"
is "$STATUS" 11 "a file is not taken for a socket"
finish
