# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# Backups whose snapshot dies of its store, under load: they fail, say why and
# what to do, and the next one is right. vda is tracked as a, with metadata on
# vdb and a store on vdc; vdd as b, with neither.

# shellcheck source=tests/vm/guest/lib.sh
. /lib/guest.sh
# shellcheck source=tests/vm/guest/vault.sh
. /lib/vault.sh

modprobe -a -q dm-flakey

# store TARGET: what the store is from now on
store()
{
	dmsetup suspend store
	dmsetup load store --table "0 $1"
	dmsetup resume store
}

# whole: as large as the disk; small: of 1 MiB
whole="$(blockdev --getsz /dev/vdc) linear /dev/vdc 0"
small="2048 linear /dev/vdc 0"

dmsetup create store --table "0 $whole"
tidemark attach /dev/vda /dev/vdb --store /dev/mapper/store --name a --quiet
tidemark attach /dev/vdd - --name b --quiet
tidemark protect $VAULT /dev/vda --disk a --item guest --quiet
tidemark protect $VAULT /dev/vdd --disk b --item guest --quiet
# half_of DEVICE: MiB
half_of()
{
	echo $(($(blockdev --getsize64 "$1") / 2097152))
}

for disk in a b; do
	dd if=/dev/urandom of=/dev/mapper/$disk bs=1M oflag=direct \
		count=$((2 * $(half_of /dev/mapper/$disk))) status=none
done

# What happens in a cut: `/tmp/meanwhile DISK` writes the second half, which is
# sent last, stops the program as soon as it begins to send, and lets it go on
# when its view has ended; by then, a store in suspension answers again.
cat >/tmp/meanwhile <<'END2'
#!/bin/sh
(
	dd if=/dev/urandom of="/dev/mapper/$1" bs=1M oflag=direct seek="$2" \
		count="$2" status=none conv=notrunc
	echo $? >/tmp/writer
) &
until dmsetup status "$1" | grep -q :shipping; do
	kill -0 "$3" || break
done
kill -STOP "$3"
until dmsetup status "$1-snap" | grep -q invalid; do
	[ ! -s /tmp/writer ] || break
	sleep 0.1
done
dmsetup resume store
kill -CONT "$3"
END2
chmod +x /tmp/meanwhile

# fails TEXT DISK STATUS WORDS ACTION HOOK: a backup of DISK with HOOK in its
# cut, and a writer after it
fails()
{
	text=$1 disk=$2 want=$3 words=$4 action=$5 got=0
	half=$(half_of "/dev/mapper/$disk")
	rm -f /tmp/writer
	dd if=/dev/urandom of="/dev/mapper/$disk" bs=1M oflag=direct \
		count=$((2 * half)) status=none
	tidemark --json backup "$disk" --cut-hook "$6
		program=\$(cut -d ' ' -f 4 /proc/\$PPID/stat)
		/tmp/meanwhile $disk $half \$program >/dev/null 2>&1 &" \
		>/tmp/json 2>/tmp/err || got=$?
	is "$text: status" $got "$want"
	ok "$text: says why" grep -q "\"message\":\"[^\"]*$words" /tmp/json
	ok "$text: says what to do" grep -q "\"action\":\"[^\"]*$action" \
		/tmp/json
	sed 's/^/# /' /tmp/json
	until [ -s /tmp/writer ]; do
		sleep 0.1
	done
	is "$text: the writer noticed nothing" "$(cat /tmp/writer)" 0
	is "$text: no snapshot is left" "$(dmsetup ls | grep -c snap)" 0
}

# works DISK IMAGE
works()
{
	ok "the next backup" backup "$1" --cut-hook "host truth now $2"
	ok "is the truth" host check now "$2" "$(field point)" "$1"
}

works a a
store "$small"
fails "a full store" a 10 "its store is full" "larger store" :
store "$whole"
works a a
is "it is incremental" "$(grep -c '"incremental"' /tmp/json)" 1
fails "a store that fails" a 8 "cannot be written" "store that works" "
	dmsetup load store --table '0 ${whole%% *} error'
	dmsetup suspend store
	dmsetup resume store"
store "$whole"
works a a
fails "a store that never answers" a 8 "did not answer" "holds up" "
	dmsetup suspend store"
store "$whole"
works a a
fails "no store" b 10 "it has no store" "give it a store" :
dmsetup status a
store "$whole"
works a a
tidemark detach --all
dmsetup remove store
done_testing
