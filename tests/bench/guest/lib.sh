# SPDX-License-Identifier: MIT
#
# lib.sh - what the guests of benchmarks share: `. /lib/bench.sh`

# shellcheck source=tests/vm/guest/lib.sh
. /lib/guest.sh

# cut NUMBER: a cut, which is then to be shipped
cut()
{
	cut_id=$(printf %032x "$1")
	dmsetup message tidemark 0 prepare "$cut_id"
	until_status tidemark ":prepared "
	dmsetup suspend tidemark
	dmsetup message tidemark 0 cut "$cut_id"
	dmsetup resume tidemark
	until_status tidemark ":shipping "
}

# commit NUMBER: of that cut, after which nothing counts as changed
commit()
{
	cut_id=$(printf %032x "$1")
	dmsetup message tidemark 0 commit "$cut_id"
	until_status tidemark " $cut_id - "
}

# measure WHAT ENGINE TARGET ARG...: with these arguments of rate's
measure()
{
	measured="$1 $2 $3" measured_engine=$2
	shift 3
	measured_rate=$(/rate "$measured_engine" "$@")
	echo "$measured ${measured_rate##* }"
}

# sectors_written DISK
sectors_written()
{
	awk '{ print $7 }' "/sys/block/${1##*/}/stat"
}
