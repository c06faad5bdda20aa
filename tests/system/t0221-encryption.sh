#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Encrypted disks: a point is a LUKS2 volume in a VHD, as cryptsetup and another
# cipher see it; nothing of the disk is in clear; it comes back byte for byte with
# the passphrase and with the recovery key, and with nothing else; what is damaged
# is named.

. "$(dirname "$0")/../lib/tap.sh"
. "$TESTS/lib/vault.sh"

HEADER=4194304 DATA=16777216
vault_start
A=$WORK/a.img
random_disk "$A" 6
truncate -s $((6 * 1048576 + 1536)) "$A"
yes 'nothing of this may be seen' | head -c 65536 |
	dd of="$A" bs=65536 seek=60 conv=notrunc status=none
umask 077
printf 'correct horse\n' >"$WORK/passphrase"
printf 'correct horse' >"$WORK/bare"
printf 'battery staple\n' >"$WORK/wrong"
umask 022
cat >"$TIDEMARK_CONFIG" <<END
[encryption]
passphrase_file = $WORK/passphrase
kdf_memory = 1M
END

tidemark vault create "$VAULT" --name Main --zeroes sparse
is "$STATUS" 2 "a way with zeroes needs --encrypt"
tidemark vault create "$VAULT" --name Main --encrypt
ok $? "a vault that encrypts is made"
like "$(cat "$WORK/out")" "*LOSES BOTH LOSES THE DATA*" \
	"it says what a lost passphrase means"
tidemark protect "$VAULT" "$A" --disk a --item m1 --json
ok $? "a disk is protected"
RECOVERY=$(json result.recovery_key)
like "$RECOVERY" "????????-????????-*-????????" "a recovery key is told"

proxy_reset
tidemark backup --json
ok $? "first backup"
FIRST=$(json result.point)
is "$(json result.counters.total.chunks_cleared)" 0 "zeroes are sent too"
is "$(sent_to '*/disks/a.vhd')" $((HEADER + 7 * 1048576 + 512)) \
	"encrypted, with the header and the footer"
point_disk "$WORK/1.vhd" a
is "$(stat -c %s "$WORK/1.vhd")" $((DATA + 7 * 1048576 + 512)) \
	"the VHD has room for the header"
qemu-img info -f vpc "$WORK/1.vhd" >"$WORK/info"
ok $? "QEMU takes it for a VHD"
grep -q 'nothing of this' "$WORK/1.vhd"
[ $? -eq 1 ]
ok $? "nothing of the disk is in clear"
cmp -n 65536 -i "$((DATA + 5 * 1048576)):0" "$WORK/1.vhd" /dev/zero >"$WORK/cmp"
[ $? -eq 1 ]
ok $? "nor are its zeroes"
cryptsetup isLuks --type luks2 "$WORK/1.vhd"
ok $? "cryptsetup takes it for LUKS2"
"$TESTS/lib/luks.py" decrypt "$WORK/1.vhd" "$WORK/1.img" \
	"$(stat -c %s "$A")" "$WORK/bare"
cmp "$WORK/1.img" "$A"
ok $? "cryptsetup's key and another cipher give the disk"
cp "$A" "$WORK/first.img"

# Nothing has changed; then one chunk has
proxy_reset
tidemark backup --json
is "$(sent_to '*')" 0 "of an unchanged disk nothing is sent, no header either"
scribble "$A" 700000 100
proxy_reset
tidemark backup --json
is "$(sent_to '*/disks/a.vhd')" 65536 "of a changed one its chunk"
point_disk "$WORK/2.vhd" a
"$TESTS/lib/luks.py" decrypt "$WORK/2.vhd" "$WORK/2.img" \
	"$(stat -c %s "$A")" "$WORK/bare"
cmp "$WORK/2.img" "$A"
ok $? "the next point is the disk, by another cipher"
tidemark verify
ok $? "it is proved"
tidemark restore disk a "$WORK/out.img"
ok $? "it is restored"
cmp "$WORK/out.img" "$A"
ok $? "byte for byte"
tidemark restore disk a "$WORK/out.vhd" --format vhd --point "$FIRST"
ok $? "an older one as a VHD"
same_disk "which is that of the disk in clear" "$WORK/out.vhd" \
	"$WORK/first.img"

# Other ways to give the passphrase, and wrong ones
machine other
tidemark restore disk a "$WORK/x" --vault "$VAULT" --item m1
is "$STATUS" 5 "without a passphrase there is no restore"
like "$(cat "$WORK/err")" "*nobody can be asked*passphrase_file*" \
	"it says how to give one"
printf '%s\n' "$RECOVERY" >"$WORK/recovery"
tidemark restore disk a "$WORK/away.img" --vault "$VAULT" --item m1 \
	--passphrase-fd 7 7<"$WORK/recovery"
cmp "$WORK/away.img" "$A"
ok $? "the recovery key opens it, on another machine"
tidemark restore disk a "$WORK/x" --vault "$VAULT" --item m1 \
	--passphrase-fd 7 7<"$WORK/wrong"
is "$STATUS" 5 "a wrong passphrase does not"
like "$(cat "$WORK/err")" "*disk 'a'*the passphrase is wrong*" "and is named"
[ ! -e "$WORK/x" ]
ok $? "no file is made"
machine m1
mkdir "$WORK/loaded" && cp -p "$WORK/wrong" "$WORK/loaded/tidemark.passphrase"
export CREDENTIALS_DIRECTORY="$WORK/loaded"
tidemark backup
is "$STATUS" 5 "nor does one that systemd has loaded; no backup with it"
unset CREDENTIALS_DIRECTORY
chmod 644 "$WORK/passphrase"
tidemark verify
is "$STATUS" 5 "a file that others may read is refused"
like "$(cat "$WORK/err")" "*others may read it*chmod 600*" "with what to do"
chmod 600 "$WORK/passphrase"

# Headers: altered, cut short, gone
KEY=$("$TESTS/lib/sdk.py" list "$(container)" keys/ | cut -d ' ' -f 1)
"$TESTS/lib/sdk.py" read "$(container)" "$KEY" >"$WORK/header"
cmp -n $HEADER "$WORK/header" "$WORK/2.vhd"
ok $? "the header is kept by itself, too"
"$TESTS/lib/luks.py" decrypt "$WORK/1.vhd" "$WORK/1.img" \
	"$(stat -c %s "$A")" "$WORK/bare" "$WORK/header"
cmp "$WORK/1.img" "$WORK/first.img"
ok $? "and opens every point"
head -c 3000000 "$WORK/header" |
	"$TESTS/lib/sdk.py" put-json "$(container)" "$KEY"
tidemark backup
is "$STATUS" 9 "no backup under a header that is cut short"
like "$(cat "$WORK/err")" "*header in 'keys/*cut short or altered*" "it is named"
tidemark restore disk a "$WORK/out2.img"
is "$STATUS" 3 "a restore goes on with the one in the point, and warns"
cmp "$WORK/out2.img" "$A"
ok $? "it is the disk"
# Behind the metadata there is nothing to tell by that it was altered
{ head -c 32768 "$WORK/header"; head -c 4096 /dev/urandom
	tail -c +36865 "$WORK/header"; } |
	"$TESTS/lib/sdk.py" put-json "$(container)" "$KEY"
tidemark restore disk a "$WORK/out3.img"
is "$STATUS" 3 "so it does where key slots are damaged"
like "$(cat "$WORK/err")" "*key slots in header 'keys/*are damaged*" "and says so"
cmp "$WORK/out3.img" "$A"
ok $? "it is the disk"
tidemark restore disk a "$WORK/x" --passphrase-fd 7 7<"$WORK/wrong"
is "$STATUS" 5 "that does not make a wrong passphrase right"
"$TESTS/lib/sdk.py" delete "$(container)" "$KEY"
tidemark backup --passphrase-fd 7 7<"$WORK/wrong"
is "$STATUS" 5 "where it is gone there is no backup with a wrong passphrase"
! "$TESTS/lib/sdk.py" list "$(container)" keys/ | grep -q .
ok $? "and nothing is put back"
tidemark backup
is "$STATUS" 3 "but one with the right one, and a warning"
like "$(cat "$WORK/err")" "*header 'keys/*was not there*is put back*" "that says so"
"$TESTS/lib/sdk.py" read "$(container)" "$KEY" | cmp - "$WORK/header"
ok $? "it is put back, from the last point"
tidemark verify
ok $? "the point is proved"

head -c 512 /dev/urandom | "$TESTS/lib/sdk.py" put "$(container)" \
	disks/a.vhd 1048576
head -c 512 /dev/urandom | "$TESTS/lib/sdk.py" put "$(container)" \
	disks/a.vhd $((DATA + 65536 * 7 + 512))
tidemark backup
tidemark verify --json
is "$STATUS" 9 "a flipped sector in the vault is found"
like "$(json error.message)" "*of 112 chunks 1 are not*" \
	"and the header is mended by the backup"
tidemark restore disk a "$WORK/x"
is "$STATUS" 9 "what is not the disk is not restored"
like "$(cat "$WORK/err")" "*disk 'a': the data at byte 458752*" \
	"disk and byte are named"
tidemark backup --full && tidemark verify
ok $? "a full backup makes it whole"

# Sparse: zeroes are left out, and are all that is in clear
VAULT=$PROXY_URL/second
machine m2
cat >"$TIDEMARK_CONFIG" <<END
[encryption]
passphrase_command = echo correct horse
kdf_memory = 1M
END
tidemark vault create "$VAULT" --name Second --encrypt --zeroes sparse
like "$(cat "$WORK/out")" "*which chunks of it are all zeroes*" \
	"a sparse vault says what it shows"
tidemark protect "$VAULT" "$A" --disk a --item m2
proxy_reset
tidemark backup --json
ok $? "a sparse backup"
is "$(sent_to '*/disks/a.vhd')" \
	$((HEADER + $(json result.counters.total.chunks_uploaded) * 65536 + 512)) \
	"sends what is not zero"
like "$(json result.counters.total.chunks_cleared)" "[1-9]*" "and no zeroes"
tidemark verify
ok $? "it is proved"
tidemark restore disk a "$WORK/sparse.img"
cmp "$WORK/sparse.img" "$A"
ok $? "and restored"
wipe "$A" 0 131072 && scribble "$A" $((5 * 1048576)) 65536
tidemark backup && tidemark restore disk a "$WORK/sparse2.img" &&
	cmp "$WORK/sparse2.img" "$A"
ok $? "zeroes come and go"
truncate -s 9M "$A"
tidemark backup && tidemark restore disk a "$WORK/grown.img" &&
	cmp "$WORK/grown.img" "$A" && tidemark verify
ok $? "a disk that has grown"
finish
