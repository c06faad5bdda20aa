# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# Clones, and machines rolled back as a whole.

# shellcheck source=tests/vm/guest/lib.sh
. /lib/guest.sh
# shellcheck source=tests/vm/guest/machines.sh
. /lib/machines.sh

# by_hand ID: a cut of the kernel's alone, committed
by_hand()
{
	dmsetup message a 0 prepare "$1"
	until status frozen | grep -q ':prepared$'; do
		:
	done
	dmsetup suspend a
	dmsetup message a 0 cut "$1"
	dmsetup resume a
	until status frozen | grep -q ':shipping$'; do
		:
	done
	dmsetup message a 0 commit "$1"
	until [ "$(status base) $(status frozen)" = "$1 -" ]; do
		:
	done
}

# Without a sample, what follows owes nothing to chance.
sample 0
tidemark attach /dev/vda /dev/vdb --name a --quiet
tidemark protect $VAULT /dev/vda --disk a --item guest --quiet
put 0 64
right "the first" full

# Two machines that were one, in turn.
keep twin
start
put 2
right "the machine goes on" incremental
keep one
become twin
put 3
right "its clone" compare
put 70
right "its clone, once more" incremental
keep two
become one
put 4
right "the machine again" compare
keep one
become two
right "its clone again, nothing new" compare

# A clone dies when all is sent but the point: the other knows nothing of that.
keep twin
start
put 5 2
put 71
die '"kind":"snapshot","path":"/a.vhd"'
dmsetup remove a-snap
dmsetup remove a
rmmod dm_tidemark
become twin
put 7
right "its clone, after it died" incremental
is "that reads what the dead one had sent, too" "$(tracked chunks_read)" 4
host clear
ok "what came late has changed nothing" host check now a "$point" a

# Everything rolled back, and epochs that meet.
keep old
start
put 8
right "a machine" incremental
put 9 2
right "and again" incremental
now=$(status epoch)
stop
become old
put 10
i=0
while [ "$(status epoch)" -lt "$now" ]; do
	i=$((i + 1))
	by_hand "$(printf '%032x' $i)"
done
is "a machine rolled back comes to the same epoch" "$(status epoch)" "$now"
right "there" compare

# Everything rolled back to the last point itself: nothing is wrong with that.
keep old
start
put 11 3
stop
become old
put 12
right "rolled back to the last point" incremental
stop
done_testing
