# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# A cut that goes wrong leaves nothing frozen and nothing suspended. vda and vdb
# are tracked; the filesystem of vdb lies on a linear mapping above that.
#
# shellcheck disable=SC2016 # hooks are for another shell

# shellcheck source=tests/vm/guest/lib.sh
. /lib/guest.sh
# shellcheck source=tests/vm/guest/vault.sh
. /lib/vault.sh

mkdir -p /a /b /etc/tidemark
printf '[backup]\nfreeze_timeout = 2\ncut_timeout = 3\n' \
	>/etc/tidemark/tidemark.conf.d/watchdog.conf
tidemark attach /dev/vda - --name a --quiet
tidemark attach /dev/vdb - --name b --quiet
dmsetup create upper --table "0 $(blockdev --getsz /dev/vdb) linear \
	/dev/mapper/b 0"
mkfs.ext4 -q /dev/mapper/a
mkfs.ext4 -q /dev/mapper/upper
mount /dev/mapper/a /a
mount /dev/mapper/upper /b
tidemark protect $VAULT /dev/vda --disk a --item guest --quiet
tidemark protect $VAULT /dev/vdb --disk b --item guest --quiet

# free TEXT: both filesystems can be written, down to the disk, soon
free()
{
	ok "$1: the one can be written" timeout 20 \
		sh -c 'date >/a/now && sync /a/now'
	ok "$1: the other too" timeout 20 sh -c 'date >/b/now && sync /b/now'
	is "$1: nothing is suspended" \
		"$(dmsetup info -c --noheadings -o suspended |
			grep -c Suspended)" 0
}

# fails TEXT STATUS WORD ARG...: a backup that must fail, saying so
fails()
{
	text=$1 want=$2 word=$3
	shift 3
	got=0
	timeout 100 tidemark --json backup "$@" >/tmp/json 2>/tmp/err || got=$?
	is "$text: status" $got "$want"
	ok "$text: says why" grep -q "$word" /tmp/json
	free "$text"
}

# works TEXT ARG...: a backup that must succeed, and be the truth
works()
{
	text=$1
	shift
	ok "$text" backup --cut-hook 'host truth now a b' "$@"
	ok "$text: the truth" host check now a "$(field point)" a
}

works "a backup"
is "it froze them" "$(field consistency)" filesystem-consistent
free "after it"

fails "the hook fails" 1 "hook failed with status 7" --cut-hook 'exit 7'
fails "the hook takes too long" 1 "longer than" --hook-timeout 1 \
	--cut-hook 'exec tail -f /dev/null'
fails "the cutter is killed" 8 "watchdog" --cut-hook 'kill -9 $PPID'
fails "the cutter is stopped" 8 "watchdog" --hook-timeout 1 \
	--cut-hook 'kill -STOP $PPID'
works "a backup after that"
is "it is incremental" "$(grep -c '"incremental"' /tmp/json)" 1

# The program is killed in the middle of the cut; the cutter does its duty.
got=0
tidemark backup --cut-hook 'kill -9 "$(cut -d " " -f 4 /proc/$PPID/stat)"' \
	>/dev/null 2>&1 || got=$?
is "the program is killed" $got 137
free "the program is killed"
works "a backup settles what it left"
is "that is incremental" "$(grep -c '"incremental"' /tmp/json)" 1

# Somebody resumes a disk between the cuts of two: no cut.
fails "a disk is resumed meanwhile" 8 "was resumed before" \
	--cut-hook 'dmsetup resume b'

# A filesystem that no path leads to, and one that is mounted twice.
mkdir /twice
mount -t tmpfs cover /b
mount /dev/mapper/a /twice
got=0
tidemark --json backup >/tmp/json || got=$?
is "a filesystem is covered: done, with a warning" $got 3
sed 's/^/# /' /tmp/json
is "the cut is crash-consistent" "$(field consistency)" crash-consistent
umount /b /twice
ok "uncovered" backup
is "it is filesystem-consistent" "$(field consistency)" filesystem-consistent

# One filesystem cannot be frozen: what is below it answers no more.
date >/b/dirty
dmsetup suspend --nolockfs --noflush upper
got=0
tidemark --json backup --cut-hook 'host truth hang a b' >/tmp/json || got=$?
is "a filesystem that hangs: done, with a warning" $got 3
sed 's/^/# /' /tmp/json
is "the cut is crash-consistent" "$(field consistency)" crash-consistent
ok "it says so" grep -q 'cannot freeze' /tmp/json
ok "the other is free at once" timeout 20 sh -c 'date >/a/now && sync /a/now'
dmsetup resume upper
free "when it answers again"
ok "it was the truth" host check hang b "$(field point)" b

# Frozen by another: it stays so.
fsfreeze -f /a
ok "a filesystem that was frozen" backup
ok "it is frozen still" sh -c '! fsfreeze -f /a 2>/dev/null'
fsfreeze -u /a
free "thawed by its owner"

umount /a /b
dmsetup remove upper
ok "detach" tidemark detach --all
done_testing
