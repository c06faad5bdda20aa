#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Page blobs, documents, leases, snapshots and lists: what we write the official
# SDK reads, what it writes we read, and what is refused is refused by name.

. "$(dirname "$0")/../lib/tap.sh"
. "$TESTS/lib/azurite.sh"

azurite_start "$WORK/azurite" || exit 1
C=box
DISK=disks/a.vhd
ID1=11111111-2222-4333-8444-555555555555
ID2=99999999-2222-4333-8444-555555555555

storage() {
	"$BUILD/tests/storage" "$@"
}

sdk() {
	"$TESTS/lib/sdk.py" "$@"
}

# value NAME: of the NAME=VALUE lines on stdin
value() {
	sed -n "s/^$1=//p"
}

# refused TEXT ERROR STATUS CODE ARG...: the call fails in just this way
refused() {
	refused_text=$1
	refused_want="error=$2 status=$3 code=$4 ambiguous=0"
	shift 4
	is "$(storage "$@" | head -n 1)" "$refused_want" "$refused_text"
}

dd if=/dev/urandom of="$WORK/data" bs=4096 count=8 status=none
dd if=/dev/urandom of="$WORK/big" bs=1M count=4 status=none
head -c 512 "$WORK/data" | cat "$WORK/big" - >"$WORK/bigger"

# Containers
storage container-create $C
ok $? "a container is created"
refused "it cannot be created twice" EEXIST 409 ContainerAlreadyExists \
	container-create $C
storage container-exists $C
ok $? "it exists"
refused "another does not" ENOENT 404 ContainerNotFound container-exists other
sdk create-container box2
is "$(storage containers bo | tr '\n' ' ')" "box box2 " \
	"containers are listed, the SDK's too"

# Page blobs, both ways
storage page-create $C $DISK 16777216 5 >/dev/null
ok $? "a page blob is created"
refused "not again with If-None-Match *" EEXIST 409 BlobAlreadyExists \
	--if-none-match '*' page-create $C $DISK 16777216 0
storage page-put $C $DISK 65536 <"$WORK/data" >/dev/null
ok $? "pages are written"
storage page-put $C $DISK 4194304 <"$WORK/big" >/dev/null
ok $? "4 MiB in one request"
refused "one page more is not sent" EINVAL 0 "" \
	page-put $C $DISK 512 <"$WORK/bigger"
refused "nor what is not aligned" EINVAL 0 "" page-clear $C $DISK 100 512
storage page-clear $C $DISK 69632 4096 >/dev/null
ok $? "pages are cleared"
truncate -s 16777216 "$WORK/want"
dd if="$WORK/data" of="$WORK/want" bs=4096 seek=16 conv=notrunc status=none
dd if="$WORK/big" of="$WORK/want" bs=1M seek=4 conv=notrunc status=none
dd if=/dev/zero of="$WORK/want" bs=4096 seek=17 count=1 conv=notrunc \
	status=none
sdk read $C $DISK >"$WORK/got"
cmp "$WORK/want" "$WORK/got"
ok $? "the SDK reads what we wrote"
storage read $C $DISK 65536 32768 >"$WORK/got"
tail -c +65537 "$WORK/want" | head -c 32768 | cmp - "$WORK/got"
ok $? "so do we"
is "$(storage page-ranges $C $DISK 0 16777216 | tr '\n' ' ')" \
	"65536+4096 73728+24576 4194304+4194304 " "the written ranges are listed"
is "$(storage page-ranges $C $DISK 70000 4096 | tr '\n' ' ')" \
	"73728+368 " "also those of a part" ||
	echo "# as the emulator cuts them"
sdk create $C sdk.vhd 1048576
sdk put $C sdk.vhd 512 <"$WORK/data"
storage read $C sdk.vhd 512 32768 | cmp - "$WORK/data"
ok $? "we read what the SDK wrote"
storage page-resize $C sdk.vhd 2097152 >/dev/null
is "$(sdk properties $C sdk.vhd | value size)" 2097152 "it is resized"
refused "a read past the end" ERANGE 416 InvalidRange \
	read $C sdk.vhd 4194304 512

# Checksums
refused "a wrong MD5 is noticed" EBADMSG 400 Md5Mismatch \
	--bad-md5 page-put $C $DISK 0 <"$WORK/data"

# Sequence numbers
is "$(storage page-sequence $C $DISK max 9 | value sequence)" 9 \
	"the sequence number is raised"
is "$(storage page-sequence $C $DISK max 3 | value sequence)" 9 \
	"max does not lower it"
is "$(sdk properties $C $DISK | value sequence)" 9 "as the SDK sees too"
refused "a write of an older number" ESTALE 412 SequenceNumberConditionNotMet \
	--sequence 8 page-put $C $DISK 0 <"$WORK/data"
refused "a clear of an older number" ESTALE 412 SequenceNumberConditionNotMet \
	--sequence 8 page-clear $C $DISK 0 512
storage --sequence 9 page-clear $C $DISK 0 512 >/dev/null
ok $? "the present number is good"
sdk sequence $C $DISK 12
is "$(storage properties $C $DISK | value sequence)" 12 "the SDK's is read"

# Leases
storage lease-acquire $C $DISK $ID1 60
ok $? "a lease is acquired"
storage lease-acquire $C $DISK $ID1 60
ok $? "again with the same id"
refused "not with another" EBUSY 409 LeaseAlreadyPresent \
	lease-acquire $C $DISK $ID2 60
refused "a write without it" EBUSY 412 LeaseIdMissing \
	page-put $C $DISK 0 <"$WORK/data"
refused "a write with another" EBUSY 412 LeaseIdMismatchWithBlobOperation \
	--lease $ID2 page-put $C $DISK 0 <"$WORK/data"
storage --lease $ID1 --sequence 12 page-put $C $DISK 0 <"$WORK/data" >/dev/null
ok $? "a write with it"
storage lease-renew $C $DISK $ID1
ok $? "it is renewed"
storage lease-release $C $DISK $ID1
ok $? "and released"
refused "then not renewed" EBUSY 409 LeaseIdMismatchWithLeaseOperation \
	lease-renew $C $DISK $ID1
sdk lease $C $DISK $ID2
refused "the SDK's lease holds too" EBUSY 412 LeaseIdMissing \
	page-clear $C $DISK 0 512
is "$(storage properties $C $DISK | value lease)" 1 "it shows in the properties"
is "$(storage lease-break $C $DISK 0 | value seconds)" 0 "it is broken"

# Snapshots
etag=$(storage properties $C $DISK | value etag)
snap=$(storage --if-match "$etag" snapshot $C $DISK tidemark one |
	value snapshot)
like "$snap" "????-??-??T??:??:??.*Z" "a snapshot has a time"
sdk read $C $DISK >"$WORK/want"
storage page-put $C $DISK 0 <"$WORK/big" >/dev/null
refused "not when the blob has changed" ESTALE 412 ConditionNotMet \
	--if-match "$etag" snapshot $C $DISK
sdk fetch "$WORK/got" $C $DISK "$snap"
cmp "$WORK/want" "$WORK/got"
ok $? "the SDK reads it as it was"
storage --snapshot "$snap" read $C $DISK 0 4194304 >"$WORK/got"
head -c 4194304 "$WORK/want" | cmp - "$WORK/got"
ok $? "so do we"
is "$(storage --snapshot "$snap" properties $C $DISK | value meta.tidemark)" \
	one "its metadata are its own"
sdk_snap=$(sdk snapshot $C $DISK by=sdk)
is "$(storage list $C disks/ | awk '{ print $1, $2, $3, $6 }')" "$DISK - 16777216 
$DISK $snap 16777216 tidemark=one
$DISK $sdk_snap 16777216 by=sdk" "snapshots and metadata are listed" ||
	storage list $C disks/
is "$(storage list $C disks/ | awk '{ print $1, $2 }' | sort)" \
	"$(sdk list $C disks/ | awk '{ print $1, $2 }' | sort)" \
	"as the SDK lists them"
refused "a blob is not deleted from under them" EINVAL 409 SnapshotsPresent \
	delete $C $DISK
storage --snapshot "$snap" delete $C $DISK
ok $? "a snapshot is deleted"
refused "then it is gone" ENOENT 404 BlobNotFound \
	--snapshot "$snap" properties $C $DISK
storage delete $C $DISK snapshots
ok $? "a blob with its snapshots"

# Documents
echo '{"format":1,"name":"ö"}' >"$WORK/doc"
storage --if-none-match '*' block-put $C points/one <"$WORK/doc" >/dev/null
ok $? "a document is created"
refused "once" EEXIST 409 BlobAlreadyExists \
	--if-none-match '*' block-put $C points/one <"$WORK/doc"
sdk read $C points/one | cmp - "$WORK/doc"
ok $? "the SDK reads it"
sdk put-json $C points/two <"$WORK/doc"
storage block-get $C points/two | cmp - "$WORK/doc"
ok $? "we read the SDK's"
etag=$(storage properties $C points/two | value etag)
echo '{}' | storage --if-match "$etag" block-put $C points/two >/dev/null
ok $? "it is replaced if it has not changed"
refused "and not if it has" ESTALE 412 ConditionNotMet \
	--if-match "$etag" block-put $C points/two </dev/null
refused "one that is not there" ENOENT 404 BlobNotFound \
	block-get $C points/three
is "$(storage block-get $C points/one 5 | head -n 1)" \
	"error=EFBIG status=0 code= ambiguous=1" "one that is too large"
: | storage block-put $C empty >/dev/null
is "$(storage block-get $C empty | wc -c)" 0 "an empty one"
storage set-metadata $C points/one a 1 b 2 >/dev/null
is "$(sdk properties $C points/one | grep -c '^meta\.[ab]=[12]$')" 2 \
	"metadata are set"
odd='sp ace+plus%25&amp?#ü.json'
storage block-put $C "$odd" <"$WORK/doc" >/dev/null
ok $? "a name that needs encoding"
sdk read $C "$odd" | cmp - "$WORK/doc"
ok $? "is the same name to the SDK"
storage list $C "sp ace" | grep -qF "$odd"
ok $? "and in a list"
storage container-delete $C
ok $? "a container is deleted"

finish
