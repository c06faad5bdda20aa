# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# Snapshots made by hand. vda has ext4, vdb is plain, vdc has xfs; vdd is the
# store of vda's snapshots.
#
# shellcheck disable=SC2016,SC2317 # for another shell; called through `ok`

# shellcheck source=tests/vm/guest/lib.sh
. /lib/guest.sh
# shellcheck source=tests/vm/guest/vault.sh
. /lib/vault.sh

mkdir -p /a /x /view
tidemark attach /dev/vda - --name a --store /dev/vdd --quiet
tidemark attach /dev/vdb - --name b --quiet
tidemark attach /dev/vdc - --name x --quiet
mkfs.ext4 -q /dev/mapper/a
mkfs.xfs -q /dev/mapper/x
mount /dev/mapper/a /a
mount /dev/mapper/x /x
tidemark protect $VAULT /dev/vda --disk a --item guest --quiet
ok "a backup, so that there is a base" backup --quiet

# refused STATUS WORD ARG...: `tidemark ARG...` exits so and says WORD
refused()
{
	refused_want=$1 refused_word=$2
	shift 2
	got=0
	tidemark "$@" >/tmp/out 2>/tmp/err || got=$?
	if [ "$got" -ne "$refused_want" ] ||
		! grep -q -e "$refused_word" /tmp/err; then
		echo "# status $got: $(cat /tmp/out /tmp/err)"
		return 1
	fi
}

# create ARG...: what it says goes to /tmp/created
create()
{
	tidemark --json snapshot create "$@" >/tmp/created
}

# changed NAME: chunks
changed()
{
	dmsetup status "$1" | awk '{ print $11 }'
}

is "none yet" "$(tidemark snapshot list)" "No snapshots."
echo before >/a/file
echo before >/x/file
echo before | dd of=/dev/mapper/b conv=sync,fsync status=none
before=$(changed b)
sum=$(sha256sum </dev/mapper/b)
ok "create, of three" create a /dev/mapper/b /dev/vdc
is "two filesystems were frozen" "$(grep -o '"frozen":2' /tmp/created)" \
	'"frozen":2'
ok "it is filesystem-consistent" grep -q filesystem-consistent /tmp/created
is "it is one cut" "$(grep -o '"cut":"[0-9a-f]*"' /tmp/created | sort -u |
	wc -l)" 1
echo after >/a/file
echo after >/x/file
echo after | dd of=/dev/mapper/b conv=sync,fsync status=none
sync
is "a view shows what was" "$(sha256sum </dev/mapper/b-view)" "$sum"
ok "it cannot be written" sh -c '! dd if=/dev/zero of=/dev/mapper/b-view \
	bs=4k count=1 oflag=direct 2>/dev/null'

tidemark --json snapshot list >/tmp/list
is "three are listed" "$(grep -o '"state":"valid"' /tmp/list | wc -l)" 3
ok "the store is named" grep -q '"store":"/dev/vdd"' /tmp/list
ok "some of it is used" grep -q '"store_used_bytes":[1-9]' /tmp/list
ok "all that the words say" sh -c 'tidemark snapshot list |
	grep -q "^a-view  *of a, 20..-.*Z, valid$"'

ok "mount ext4" tidemark snapshot mount a-view /view --quiet
is "it shows the old file" "$(cat /view/file)" before
ok "it is listed as mounted" sh -c 'tidemark snapshot list |
	grep -q "mounted on /view"'
ok "it cannot be written" sh -c '! touch /view/new 2>/dev/null'
ok "mounted: not removed" refused 7 "mounted on '/view'" \
	snapshot remove a-view
is "it is as it was" "$(cat /view/file)" before
umount /view
ok "mount xfs beside the one it was made from" \
	tidemark snapshot mount x-view /view --quiet
is "it shows the old file" "$(cat /view/file)" before
ok "what is no filesystem is not mounted" refused 11 "nothing known" \
	snapshot mount b-view /view

ok "a second one of the same" refused 7 "it has one, 'b-view'" \
	snapshot create b
ok "a backup is busy" sh -c 'tidemark backup >/dev/null 2>&1; [ $? -eq 7 ]'
ok "so is detach" refused 7 "it has a snapshot, 'b-view'" detach b
exec 9</dev/mapper/b-view
ok "open: not removed" refused 7 "it is open" snapshot remove b-view
exec 9<&-
is "it is as it was" "$(sha256sum </dev/mapper/b-view)" "$sum"

ok "remove one" tidemark snapshot remove b-view --quiet
ok "its changes count" [ "$(changed b)" -ge "$before" ]
is "no base has come of it" "$(dmsetup status b | awk '{ print $7, $8 }')" \
	"- -"
ok "a name that is taken" refused 11 "one of that name" \
	snapshot create b --name x-view
ok "the others are valid" sh -c 'cat /view/file >/dev/null &&
	[ "$(tidemark snapshot list | grep -c " valid$")" -eq 2 ]'
ok "a new one of that one" tidemark snapshot create b --name other --quiet
ok "it has the name" [ -b /dev/mapper/other ]
ok "remove all, and unmount" tidemark snapshot remove --all --unmount --quiet
is "none is left" "$(tidemark snapshot list)" "No snapshots."
ok "nothing is mounted" sh -c '! grep -q " /view " /proc/mounts'
is "nothing is frozen" "$(dmsetup status | grep -c ':shipping')" 0

# All of them, by hand, without filesystems.
ok "all, crash-consistent" create --all --no-freeze --name now
ok "it says so" grep -q '"consistency":"crash-consistent"' /tmp/created
ok "each has the name and its own" [ -b /dev/mapper/now-a -a \
	-b /dev/mapper/now-b -a -b /dev/mapper/now-x ]
ok "drop them for a backup" backup --drop-snapshot
is "that is incremental" "$(grep -c '"incremental"' /tmp/json)" 1
is "the view of that disk is gone" "$(tidemark snapshot list --json |
	grep -o '"name":"[^"]*"' | tr '\n' ' ')" '"name":"now-b" "name":"now-x" '
ok "remove the others" tidemark snapshot remove now-b now-x --quiet

# More is written than there is room for.
ok "one with little memory" tidemark snapshot create b --store - --pool 64 \
	--quiet
dd if=/dev/urandom of=/dev/mapper/b bs=1M count=4 oflag=direct status=none
ok "overflows" sh -c 'tidemark snapshot list | grep -q "invalid: "'
tidemark snapshot list | sed 's/^/# /'
ok "is not mounted" refused 8 "shows nothing any more" \
	snapshot mount b-view /view
ok "the disk goes on" dd if=/dev/urandom of=/dev/mapper/b bs=1M count=1 \
	oflag=direct status=none
ok "is removed" tidemark snapshot remove b-view --quiet

# Only what has changed since the base.
ok "delta" tidemark snapshot create a --mode delta --quiet
ok "what has not changed cannot be read" sh -c '! dd if=/dev/mapper/a-view \
	of=/dev/null bs=1M count=16 iflag=direct 2>/dev/null'
ok "detach can be told to end it" sh -c 'umount /a && tidemark detach a \
	--end-cut --quiet'

# What is asked for wrongly.
ok "no device" refused 2 "device is missing" snapshot create
ok "no such device" refused 4 "no such tracked device" snapshot create nobody
ok "an untracked one" refused 4 "not tracked" snapshot create /dev/vdd
ok "twice the same" refused 2 "named twice" snapshot create b /dev/vdb
ok "no such mode" refused 2 "full or delta" snapshot create b --mode half
ok "one store for two" refused 2 "one store" snapshot create b x \
	--store /dev/vdd
truncate -s 1M /x/store
loop=$(losetup -f --show /x/store)
ok "a store on what is cut" refused 11 "lies on" snapshot create x \
	--store "$loop"
ok "a store that is none" refused 8 "cannot use" snapshot create x \
	--store /x/store
losetup -d "$loop"
ok "no such snapshot" refused 4 "cannot find snapshot" snapshot remove nobody
ok "none of a backup's" refused 4 "cannot find snapshot" snapshot remove b

# As many as can be cut at once, and one more.
i=0
while [ $i -lt 65 ]; do
	i=$((i + 1))
	truncate -s 1M /dev/shm/$i
	tidemark attach "$(losetup -f --show /dev/shm/$i)" - --name m$i --quiet
done
umount /x
ok "the first ones go" sh -c 'tidemark detach x --quiet &&
	tidemark detach b --quiet'
ok "65 are too many" refused 10 "at most 64" snapshot create --all
is "none was made" "$(tidemark snapshot list)" "No snapshots."
tidemark detach m65 --quiet
ok "64 are not" tidemark snapshot create --all --pool 64 --quiet
is "there are 64" "$(tidemark snapshot list | grep -c ' valid$')" 64
ok "and go" tidemark snapshot remove --all --quiet
ok "detach" tidemark detach --all --quiet
done_testing
