# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# Machines of which a part was rolled back.

# shellcheck source=tests/vm/guest/lib.sh
. /lib/guest.sh
# shellcheck source=tests/vm/guest/machines.sh
. /lib/machines.sh

# caught TEXT: a backup that sees what its metadata do not know, and says so
caught()
{
	caught=0
	backup a --cut-hook "host truth now a" || caught=$?
	is "$1: done, with a warning" $caught 3
	ok "$1: it says why" grep -q 'without being tracked' /tmp/json
	ok "$1: the point is the truth" \
		host check now a "$(field point)" a
	is "$1: compare" "$(field a)" compare
}

sample 0
tidemark attach /dev/vda /dev/vdb --name a --quiet
tidemark protect $VAULT /dev/vda --disk a --item guest --quiet
put 0 64
right "the first" full

# The metadata alone, to an older point.
keep old
start
put 13
right "a machine" incremental
put 14
stop
host load old b
start
right "only its metadata rolled back, to an older point" compare

# The metadata alone, copied while the machine runs.
put 15
host save live b
put 20 8
stop
host load live b
start
is "metadata copied from a running machine say so" \
	"$(status flags | grep -c unclean)" 1
right "only its metadata rolled back, from while it ran" incremental

# From here on the sample has to tell: one chunk in four is not what the
# metadata say, and 4096 draws miss all of them once in 10^500 times.
sample 1000000
right "a machine" incremental
keep old
start
put 32 32
stop
host load old b
start
caught "only its metadata rolled back, to the last point"

keep old
start
put 64 32
right "a machine" incremental
stop
host load old a
start
caught "only its disk rolled back"
right "after that" incremental
is "nothing of it is left to read" "$(tracked chunks_read)" 0
stop
done_testing
