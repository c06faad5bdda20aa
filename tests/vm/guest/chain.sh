# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# One instant across 16 tracked devices: chain.sh CUTS. Twelve are written as they
# are. Four carry filesystems: one lies on the device itself, one on dm-crypt on it,
# one on a logical volume on it, and one on a device that tracks a logical volume.
# What lies between is laid over the views too.

# shellcheck source=tests/vm/guest/lib.sh
. /lib/guest.sh
cuts=$1

insmod /dm-tidemark.ko
modprobe dm-crypt
modprobe loop

# track NAME MIB: a tracked device; its chunks are as small as can be, since what is
# not copied is not tested
track()
{
	tidemark attach "$(null_disk "d$1" "$2" 1)" - --name "$1" \
		--chunk-size 4K --quiet
}

raw=
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
	track "r$i" 1
	raw="$raw /dev/mapper/r$i"
done
track plain 16
track crypt 16
track pv 24
# LVM does not know null_blk.
truncate -s 24M /dev/shm/lower
lower=$(losetup -f --show /dev/shm/lower)

head -c 64 /dev/urandom >/tmp/key
cryptsetup open --type plain --cipher aes-xts-plain64 --key-size 512 \
	--key-file /tmp/key /dev/mapper/crypt over-crypt
# shellcheck disable=SC2089 # one word of LVM's own
filter='devices { filter = [ "a|^/dev/mapper/pv$|", "a|^'$lower'$|", "r|.*|" ] }'
for i in /dev/mapper/pv "$lower"; do
	pvcreate -q --config "$filter" "$i" >/dev/null
	vgcreate -q --config "$filter" "vg${i##*/}" "$i" >/dev/null
	lvcreate -q --config "$filter" -Zn -Wn -l 100%FREE -n lv \
		"vg${i##*/}" >/dev/null
done
tidemark attach "/dev/mapper/vg${lower##*/}-lv" - --name top --chunk-size 4K \
	--quiet

# fs NAME NODE
fs()
{
	mkfs.ext4 -q "$2"
	mkdir -p "/fs/$1" "/view/$1"
	mount "$2" "/fs/$1"
	mkdir "/fs/$1/chain"
}
fs plain /dev/mapper/plain
fs crypt /dev/mapper/over-crypt
fs pv /dev/mapper/vgpv-lv
fs top /dev/mapper/top
ok "the filesystems are there" [ "$(grep -c ' /fs/' /proc/mounts)" -eq 4 ]

# number NAME: of a mapping, MAJOR:MINOR
number()
{
	dmsetup info -c --noheadings -o major,minor --separator : "$1"
}

# over UPPER LOWER: the table that lies over the view of LOWER as UPPER over LOWER
over()
{
	dmsetup table --showkeys "$1" |
		sed "s| $(number "$2") | /dev/mapper/$2-view |"
}
over over-crypt crypt >/tmp/crypt
over vgpv-lv pv >/tmp/pv
ok "both tables are made" grep -q /dev/mapper/ /tmp/crypt /tmp/pv

views=
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
	views="$views /dev/mapper/r$i-view"
done

# look: what the views show of the chain
look()
{
	dmsetup create crypt-below --readonly /tmp/crypt &&
		dmsetup create pv-below --readonly /tmp/pv || return
	for look_fs in plain-view crypt-below pv-below top-view; do
		mount -o ro,noload "/dev/mapper/$look_fs" \
			"/view/${look_fs%-*}" || return
	done
	# shellcheck disable=SC2086 # lists of words
	/chain check $views /view/plain/chain /view/crypt/chain \
		/view/pv/chain /view/top/chain
	look_status=$?
	umount /view/plain /view/crypt /view/pv /view/top
	dmsetup remove crypt-below pv-below
	return $look_status
}

# shellcheck disable=SC2086 # lists of words
/chain write /dev/shm/progress $raw /fs/plain/chain /fs/crypt/chain \
	/fs/pv/chain /fs/top/chain &
writer=$!

good=0 frozen=0 last=0 enough=0 i=0
while [ $i -lt "$cuts" ]; do
	i=$((i + 1))
	/chain wait /dev/shm/progress 48
	tidemark --json snapshot create --all >/tmp/json || break
	frozen=$((frozen + $(grep -c '"frozen":4' /tmp/json)))
	# It goes on for a while, and leaves the processor to us then.
	/chain wait /dev/shm/progress 32
	kill -STOP $writer
	if chain=$(look); then
		good=$((good + 1))
	else
		echo "# cut $i: $chain"
	fi
	[ $((${chain%% *} - last)) -lt 48 ] || enough=$((enough + 1))
	last=${chain%% *}
	tidemark snapshot remove --all --quiet || break
	kill -CONT $writer
	[ $((i % 20)) -ne 0 ] || echo "# $i cuts, $last writes"
done
is "of $cuts cuts none shows a write without the one before" $good "$cuts"
is "each had three rounds since the one before" $enough "$cuts"
is "each froze all filesystems" $frozen "$cuts"

# If this passed, the test above would show nothing: one of them is cut later.
/chain wait /dev/shm/progress 48
tidemark snapshot create r1 r2 r3 r4 r5 r6 r7 r8 r9 r10 r11 plain crypt pv \
	top --quiet
/chain wait /dev/shm/progress 48
tidemark snapshot create r12 --quiet
status=0
chain=$(look) || status=$?
is "cut one after another they do not fit: $chain" $status 3
tidemark snapshot remove --all --quiet

kill $writer
ok "the writer never failed" wait $writer
umount /fs/plain /fs/crypt /fs/pv /fs/top
cryptsetup close over-crypt
tidemark detach top --quiet
for i in pv "${lower##*/}"; do
	vgchange -q --config "$filter" -an "vg$i" >/dev/null
done
ok "detach" tidemark detach --all --quiet
done_testing
