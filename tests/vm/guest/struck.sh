# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# Wherever the process that cuts is killed or stopped, everything can be written
# again in time: struck.sh TRIES. vda and vdb carry filesystems, that of vdb on a
# linear mapping; vdc is written as it is.
#
# shellcheck disable=SC2317 # called through `ok`

# shellcheck source=tests/vm/guest/lib.sh
. /lib/guest.sh
tries=$1
limit=5

insmod /dm-tidemark.ko
mkdir -p /a /b
for i in a b c; do
	tidemark attach "/dev/vd$i" - --name $i --quiet
done
dmsetup create upper --table "0 $(blockdev --getsz /dev/vdb) linear \
	/dev/mapper/b 0"
mkfs.ext4 -q /dev/mapper/a
mkfs.ext4 -q /dev/mapper/upper
mount /dev/mapper/a /a
mount /dev/mapper/upper /b
for i in a b; do
	dd if=/dev/zero of=/$i/file bs=64k count=1 oflag=direct conv=fsync \
		status=none
done

# create ARG...: a snapshot of all; what it says goes to /tmp/json
create()
{
	tidemark --json snapshot create --all --store - --cut-timeout "$@" \
		>/tmp/json
}

# struck FILE N SIGNAL before|after cutter|self LIMIT: the same, hit at step N;
# sets stalled to the longest write meanwhile, milliseconds
struck()
{
	# shellcheck disable=SC2016 # for another shell
	timeout 60 /window 65536 20 /a/file /b/file /dev/mapper/c -- \
		env LD_PRELOAD=/strike.so STRIKE="$1 $2 $3 $4 $5" sh -c '
		exec tidemark --json snapshot create --all --store - \
			--cut-timeout "$1" >/tmp/json' sh "$6" >/tmp/stalls
	struck_status=$?
	stalled=$(awk '{ printf "%d", $2 / 1000 }' /tmp/stalls)
	return $struck_status
}

# How many steps there are, of whatever kind.
ok "a cut that is left alone" struck /dev/shm/steps 0 0 before cutter $limit
steps=$(od -An -t u8 /dev/shm/steps | tr -d ' ')
ok "froze both filesystems" grep -q '"frozen":2' /tmp/json
ok "is removed" tidemark snapshot remove --all --quiet
echo "# $steps steps, writers waited $stalled ms"
# 2 freezes, 3 suspends, cuts, looks, resumes, 2 thaws
ok "has at least as many steps as it must" [ "$steps" -ge 16 ]

# in_time: could all be written within the limit, and is nothing held?
in_time()
{
	[ -n "$stalled" ] && [ "$stalled" -le $((limit * 1000)) ] &&
		! dmsetup info -c --noheadings -o suspended |
			grep -q Suspended &&
		timeout 20 sh -c 'date >/a/now && sync /a/now &&
			date >/b/now && sync /b/now'
}

# From the first step to the last, killed and stopped, before and after; the
# one that freezes too, when it is its step.
good=0 hit=0 longest=0 i=0
while [ $i -lt "$tries" ]; do
	step=$((i * steps / tries % steps + 1))
	[ "$tries" -le "$steps" ] || step=$((i % steps + 1))
	signal=9 when=before whom=cutter
	[ $((i % 2)) -eq 0 ] || signal=19
	[ $((i / 2 % 2)) -eq 0 ] || when=after
	[ $((i / 4 % 2)) -eq 0 ] || whom=self
	i=$((i + 1))
	status=0
	struck /dev/shm/steps $step $signal $when $whom $limit || status=$?
	if in_time; then
		good=$((good + 1))
	else
		echo "# step $step, signal $signal $when it to the $whom:" \
			"$stalled ms, status $status"
	fi
	# A freezer that dies has not failed the cut; the last step neither.
	if [ $status -ne 0 ]; then
		hit=$((hit + 1))
	else
		tidemark snapshot remove --all --quiet
	fi
	[ "${stalled:-0}" -le "$longest" ] || longest=$stalled
done
echo "# the longest wait was $longest ms, $hit of $tries cuts failed"
is "of $tries tries all let everything go in $limit s" $good "$tries"
ok "most of them did harm" [ $hit -ge $((tries / 2)) ]
ok "somebody had to wait for the watchdog" [ "$longest" -ge $((limit * 500)) ]

is "no snapshot is left" "$(tidemark snapshot list)" "No snapshots."
is "no cut either" "$(dmsetup status | grep -c ':shipping')" 0
ok "a cut after that" create 10
ok "freezes both" grep -q '"frozen":2' /tmp/json
ok "remove" tidemark snapshot remove --all --quiet

# The limit that holds when none is given.
limit=10
ok "stopped, with the default limit" sh -c '! LD_PRELOAD=/strike.so \
	STRIKE="/dev/shm/steps 9 19 before cutter" timeout 60 tidemark \
	snapshot create --all --store - --quiet 2>/tmp/err'
ok "the watchdog says so" grep -q \
	'time was over, while it cut them; its watchdog' /tmp/err
sed 's/^/# /' /tmp/err
stalled=0
ok "nothing is held" in_time

# What became of it is told apart.
ok "killed" sh -c '! LD_PRELOAD=/strike.so \
	STRIKE="/dev/shm/steps 9 9 before cutter" timeout 60 tidemark \
	snapshot create --all --store - --quiet 2>/tmp/err'
ok "it says of what, and where" grep -q \
	'died while it cut them (signal 9); its watchdog' /tmp/err
sed 's/^/# /' /tmp/err
stalled=0
ok "nothing is held then" in_time

umount /a /b
dmsetup remove upper
ok "detach" tidemark detach --all --quiet
done_testing
