#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Encrypted points by all ways but that to a file: NBD, in place, to another
# blob; before and after a new key. What comes out is the disk, and nothing of it
# stays in clear anywhere on the way.

. "$(dirname "$0")/../lib/tap.sh"
. "$TESTS/lib/vault.sh"

vault_start
A=$WORK/a.img
SOCKET=$WORK/nbd
URI="nbd+unix:///?socket=$SOCKET"
random_disk "$A" 6
truncate -s $((6 * 1048576 + 1536)) "$A"
umask 077
printf 'correct horse\n' >"$WORK/passphrase"
printf 'battery staple\n' >"$WORK/wrong"
umask 022

# settings PASSPHRASE_FILE
settings() {
	cat >"$TIDEMARK_CONFIG" <<-END
	[encryption]
	passphrase_file = $1
	kdf_memory = 1M
	[paths]
	cache = $WORK/cache
	END
}

# serve POINT [ARG...]: its disk on $URI
serve() {
	serve_point=$1
	shift
	"$BUILD/tidemark" nbd a --socket "$SOCKET" --point "$serve_point" "$@" \
		>"$WORK/nbd.out" 2>"$WORK/nbd.err" </dev/null &
	SERVER=$!
	at_exit "kill $SERVER 2>/dev/null"
	until nbdinfo --size "$URI" >/dev/null 2>&1; do
		kill -0 "$SERVER" 2>/dev/null || return 1
		sleep 0.1
	done
}

# is_disk IMAGE POINT TEXT [ARG...]: NBD gives the image
is_disk() {
	is_disk_image=$1 is_disk_text=$3
	serve_point=$2
	shift 3
	serve "$serve_point" "$@" &&
		qemu-img compare -q -f raw -F raw "$is_disk_image" "$URI"
	ok $? "$is_disk_text" || sed 's/^/# /' "$WORK/nbd.err"
	kill -TERM "$SERVER"
	wait "$SERVER"
}

settings "$WORK/passphrase"
tidemark vault create "$VAULT" --name Main --encrypt
tidemark protect "$VAULT" "$A" --disk a --item m1
tidemark backup --json
ok $? "a backup"
FIRST=$(json result.point)
cp "$A" "$WORK/first.img"

is_disk "$WORK/first.img" "$FIRST" "NBD gives it as it was"
[ -z "$(find "$WORK/cache" -type f 2>/dev/null)" ]
ok $? "and the cache has nothing of it"
settings ""
is_disk "$WORK/first.img" "$FIRST" "with the passphrase from a descriptor" \
	--passphrase-fd 7 7<"$WORK/passphrase"
settings "$WORK/wrong"
serve "$FIRST"
is "$?" 1 "with another one there is nothing to see"
like "$(cat "$WORK/nbd.err")" "*passphrase*" "which is said"
settings "$WORK/passphrase"

scribble "$A" 1048576 200000
tidemark backup
ok $? "another backup"
cp "$A" "$WORK/second.img"
tidemark restore replace a --point "$FIRST" --no-backup --yes --json
ok $? "in place" || cat "$WORK/out"
cmp "$A" "$WORK/first.img"
ok $? "it is as it was"
is "$(json result.bytes_written)" $((4 * 65536)) \
	"and no more has been written than differs"

"$TESTS/lib/sdk.py" create-container copies
tidemark restore disk a "$PROXY_URL/copies/a.vhd" --point "$FIRST" --json
ok $? "to another blob" || cat "$WORK/out"
"$TESTS/lib/sdk.py" fetch "$WORK/elsewhere.vhd" copies a.vhd
cmp -n "$(stat -c %s "$WORK/first.img")" "$WORK/elsewhere.vhd" \
	"$WORK/first.img"
ok $? "it is the disk, in clear, as who attaches it needs it"
qemu-img info -f vpc "$WORK/elsewhere.vhd" >"$WORK/info" 2>&1
ok $? "and a VHD"

tidemark rekey a --yes
ok $? "a new key" || cat "$WORK/out"
cp "$WORK/second.img" "$A"
tidemark backup --json
ok $? "and all of it under that"
THIRD=$(json result.point)
is_disk "$WORK/second.img" "$THIRD" "NBD gives what is under the new key"
is_disk "$WORK/first.img" "$FIRST" "and what is under the old one"
tidemark restore replace a --point "$FIRST" --no-backup --yes
ok $? "from the new key back to the old one" || cat "$WORK/out"
cmp "$A" "$WORK/first.img"
ok $? "it is as it was"
finish
