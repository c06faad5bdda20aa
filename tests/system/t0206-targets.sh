#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Restores to page blobs of the same and of another account, into a managed disk
# (a page blob of its size, and a signature for that alone), and on from where
# one broke off.

. "$(dirname "$0")/../lib/tap.sh"
. "$TESTS/lib/vault.sh"

OTHER_KEY=$(head -c 64 /dev/zero | base64 -w0)
AZURITE_ACCOUNTS="devstoreaccount1:$(sed -n "s/^AZURITE_KEY='\(.*\)'/\1/p" \
	"$TESTS/lib/azurite.sh");other:$OTHER_KEY"
export AZURITE_ACCOUNTS
vault_start
A=$WORK/a.img
random_disk "$A" 12
truncate -s $((12 * 1048576 + 512)) "$A"
VHD_BYTES=$((13 * 1048576 + 512))
vault_make Main
tidemark protect "$VAULT" "$A" --disk a --item m1
tidemark backup
scribble "$A" 500000 100000
tidemark backup --json
POINT=$(json result.point)
point_disk "$WORK/sdk.vhd" a

sdk() {
	"$TESTS/lib/sdk.py" "$@"
}

# of BLOB in container copies
is_vhd() {
	sdk fetch "$WORK/copy.vhd" copies "$2" && cmp "$WORK/copy.vhd" \
		"$WORK/sdk.vhd"
	ok $? "$1"
}

sdk create-container copies
COPIES=$PROXY_URL/copies

# A blob, copied by the service
proxy_reset
tidemark restore disk a "$COPIES/new.vhd" --json
ok $? "a page blob in the same account is made"
is "$(json result.copied_by_service)" true "by the service"
is "$(proxy_requests page-put)" 0 "nothing is sent"
is_vhd "it is what the SDK reads of the point" new.vhd
is "$(json result.chunks_checked)" $((13 * 16)) "every chunk of it checked"
qemu-img compare -s -f vpc -F vpc "$WORK/copy.vhd" "$WORK/sdk.vhd" >/dev/null
ok $? "and for QEMU it is the same VHD"
is "$(sdk properties copies new.vhd | grep -c '^meta')" 0 \
	"nothing is left to say that it is not whole"
tidemark restore disk a "$COPIES/new.vhd"
is "$STATUS" 11 "a blob that is there is not overwritten unasked"
tidemark restore disk a "$COPIES/new.vhd?sig=x7f3q"
is "$STATUS" 2 "a signature is no argument"
grep -q x7f3q "$WORK/out" "$WORK/err"
is $? 1 "nor is it repeated"

# What holds backups is no target
DATA=$(container)
# refuses_backups WHAT
refuses_backups() {
	is "$STATUS" 11 "$1 is refused"
	like "$(json error.message)" "*holds backups*" "and why"
	is "$(proxy_requests 'page-*')" 0 "and nothing is written"
}

proxy_reset
tidemark restore disk a "$PROXY_URL/$DATA/disks/a.vhd" --yes --json
refuses_backups "the blob that a disk is backed up to"
tidemark restore disk a "$PROXY_URL/$DATA/new.vhd" --json
refuses_backups "a new one beside it"
tidemark restore disk a "$VAULT/vault.json" --yes --json
refuses_backups "a document of the vault"
tidemark restore vm latest "$WORK/vm" --blobs "$PROXY_URL/$DATA/disks" --yes \
	--json
refuses_backups "a machine's container for a machine"
UPLOAD_URL="$PROXY_URL/$DATA/disks/a.vhd?$(sdk blob-sas "$DATA" disks/a.vhd rw)"
export UPLOAD_URL
tidemark restore disk a upload:env:UPLOAD_URL --yes --json
refuses_backups "an upload to there"
tidemark restore disk a "$COPIES/../$DATA/disks/a.vhd" --yes --json
is "$STATUS" 2 "there is no way round through another container"
is "$(proxy_requests 'page-*')" 0 "and nothing is written"

# Where the service does not copy
proxy_rule '{"header": "x-ms-copy-source", "times": 0, "do": "status",
	"status": 409, "code": "CannotVerifyCopySource"}'
proxy_reset
tidemark restore disk a "$COPIES/streamed.vhd" --json
ok $? "without copying it is streamed"
is "$(json result.copied_by_service)" false "and says so"
is_vhd "exactly" streamed.vhd
sdk ranges copies streamed.vhd | awk -F+ '{ n += $2 } END { exit (n > 7340032) }'
ok $? "what is zero is not there"
head -c 4096 /dev/urandom | sdk put copies streamed.vhd 9437184
tidemark restore disk a "$COPIES/streamed.vhd" --yes
is_vhd "onto a dirty blob" streamed.vhd
proxy_clear

# Another account
cat >"$WORK/other" <<END
AccountName=other;AccountKey=$OTHER_KEY;BlobEndpoint=http://127.0.0.1:$PROXY_PORT/other
END
chmod 600 "$WORK/other"
AWAY=http://127.0.0.1:$PROXY_PORT/other/copies
CREDENTIALS="DefaultEndpointsProtocol=http;AccountName=other;AccountKey=$OTHER_KEY;BlobEndpoint=${AWAY%/copies}"
AZURE_STORAGE_CONNECTION_STRING=$CREDENTIALS sdk create-container copies
unset CREDENTIALS
tidemark restore disk a "$AWAY/far.vhd"
is "$STATUS" 5 "another account wants its own credentials"
tidemark restore disk a "$AWAY/far.vhd" --target-credentials "$WORK/other"
ok $? "with them the disk goes there"
AZURE_STORAGE_CONNECTION_STRING=$(cat "$WORK/other") \
	sdk fetch "$WORK/copy.vhd" copies far.vhd
cmp "$WORK/copy.vhd" "$WORK/sdk.vhd"
ok $? "exactly"

# A managed disk
sdk create copies md "$VHD_BYTES"
(umask 077; echo "$COPIES/md?$(sdk blob-sas copies md rw)" >"$WORK/upload")
proxy_reset
proxy_rule '{"path": "copies/md", "header": "content-md5|x-ms-content-crc64",
	"times": 0, "do": "status", "status": 400, "code": "InvalidHeaderValue"}'
tidemark restore disk a "upload:$WORK/upload" --json
ok $? "into a managed disk that takes no checksums, its URL from a file"
is_vhd "footer and all" md
is "$(proxy_requests page-clear)" 0 "what is zero there already is not cleared"
proxy_clear
grep -q 'sig=' "$WORK/out" "$WORK/err"
is $? 1 "its signature appears nowhere"
UPLOAD_URL=$(cat "$WORK/upload")
export UPLOAD_URL
tidemark restore disk a upload:env:UPLOAD_URL
is "$STATUS" 11 "one that has been written to is not overwritten unasked"
head -c 4096 /dev/urandom | sdk put copies md 9437184
tidemark restore disk a upload:env:UPLOAD_URL --yes
is_vhd "dirty, from the environment" md
chmod 644 "$WORK/upload"
tidemark restore disk a "upload:$WORK/upload" --yes
is "$STATUS" 5 "a file that all may read is refused"
sdk create copies small $((VHD_BYTES - 512))
UPLOAD_URL="$COPIES/small?$(sdk blob-sas copies small rw)"
tidemark restore disk a upload:env:UPLOAD_URL
is "$STATUS" 10 "one of another size too"

# Broken off, and resumed.
# broken KIND PATH SKIP TARGET...: killed at a request, after SKIP of them
broken() {
	proxy_rule "{\"kind\": \"$1\", \"path\": \"$2\", \"skip\": $3,
		\"times\": 0, \"do\": \"stall\"}"
	shift 3
	"$BUILD/tidemark" restore disk a "$@" --yes >"$WORK/out" \
		2>"$WORK/err" </dev/null &
	broken_pid=$!
	proxy_await "$PROXY_RULE"
	kill -9 "$broken_pid"
	wait "$broken_pid" 2>/dev/null
	proxy_clear
	# What the dead one has sent has come to its end before anything is resumed.
	proxy_control idle >/dev/null
}

sdk create copies md2 "$VHD_BYTES"
UPLOAD_URL="$COPIES/md2?$(sdk blob-sas copies md2 rw)"
broken page-put copies/md2 1 upload:env:UPLOAD_URL
proxy_reset
tidemark restore disk a upload:env:UPLOAD_URL --yes --resume --json
ok $? "an upload that died is resumed"
is_vhd "and exact" md2
held=$(json result.chunks_held)
[ "$held" -ge 112 ]
ok $? "what was there was left: $held chunks, the zeroes at least"
proxy_reset
tidemark restore disk a "$COPIES/new.vhd" --yes --resume --json
is "$(json result.chunks_held)" $((13 * 16)) "a blob that is right stays"
is "$(proxy_requests page-put)" 1 "but for its footer"

broken read disks/a.vhd 2 "$WORK/resumed.img" --resume
[ ! -e "$WORK/resumed.img" ] && [ -e "$WORK/resumed.img.partial" ]
ok $? "a file that is not whole has another name"
tidemark restore disk a "$WORK/resumed.img" --resume --json
cmp "$WORK/resumed.img" "$A"
ok $? "it is gone on with"
[ "$(json result.chunks_held)" -gt 0 ] && [ ! -e "$WORK/resumed.img.partial" ]
ok $? "from where it was"

# Only with what is ours alone
# refuses_partial WHAT
refuses_partial() {
	tidemark restore disk a "$WORK/planted.img" --resume --json
	is "$STATUS" 11 "$1 is not gone on with"
	like "$(json error.message)" "*planted.img.partial*link*" "and named"
	is "$(cat "$WORK/precious")" precious "what it leads to stays"
	[ ! -e "$WORK/planted.img" ]
	ok $? "and nothing is made"
	rm -f "$WORK/planted.img.partial"
}

echo precious >"$WORK/precious"
ln -s precious "$WORK/planted.img.partial"
refuses_partial "a link"
ln "$WORK/precious" "$WORK/planted.img.partial"
refuses_partial "a file that has another name"
mkfifo "$WORK/planted.img.partial"
refuses_partial "a pipe"
if [ "$(id -u)" -eq 0 ]; then
	: >"$WORK/planted.img.partial"
	chown 65534 "$WORK/planted.img.partial"
	refuses_partial "another user's file"
fi

loop=
if [ "$(id -u)" -eq 0 ]; then
	head -c 16M /dev/urandom >"$WORK/device"
	loop=$(losetup --show -f "$WORK/device" 2>/dev/null) || loop=
fi
if [ -n "$loop" ]; then
	at_exit "losetup -d $loop"
	broken read disks/a.vhd 2 "$loop"
	tidemark restore disk a "$loop" --yes --resume --json
	cmp -n "$(stat -c %s "$A")" "$loop" "$A"
	ok $? "a device too"
	tidemark restore disk a "$loop" --yes --resume --json
	is "$(json result.chunks_held) $(json result.bytes_written)" \
		"$((13 * 16)) 0" "what is right is left"
fi

# A line that takes longer for what is under way at once than one request may
machine m2
head -c 20M /dev/urandom >"$WORK/b.img"
tidemark protect "$VAULT" "$WORK/b.img" --disk b --item m2
tidemark backup
setpriv --pdeathsig TERM /usr/bin/python3 "$TESTS/lib/slowline.py" 2000000 \
	"$WORK/slow.port" &
at_exit "kill $!"
until [ -e "$WORK/slow.port" ]; do
	sleep 0.05
done
cat >"$TIDEMARK_CONFIG" <<END
[transfer]
timeout = 6
retries = 1
[proxy]
url = http://127.0.0.1:$(cat "$WORK/slow.port")
END
sdk create copies md3 $((20 * 1048576 + 512))
UPLOAD_URL="$COPIES/md3?$(sdk blob-sas copies md3 rw)"
export UPLOAD_URL
tidemark restore disk b upload:env:UPLOAD_URL
ok $? "an upload over a slow line" || cat "$WORK/err"
sdk fetch "$WORK/copy.vhd" copies md3
cmp -n 20971520 "$WORK/copy.vhd" "$WORK/b.img"
ok $? "is exact"
machine m1

# A damaged page
head -c 512 /dev/urandom | sdk put "$(container)" disks/a.vhd $((65536 * 7 + 512))
tidemark backup
tidemark restore disk a "$COPIES/new.vhd" --yes --resume
ok $? "but where the target holds what is wanted it need not come"
tidemark restore disk a "$WORK/good.img" --point "$POINT"
ok $? "the point before is good"
finish
