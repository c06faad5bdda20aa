# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# /cut and /end are from README: a snapshot of `data` and `log` with dmsetup.
#
# shellcheck disable=SC2016,SC2317 # for another shell; called through `ok`

# shellcheck source=tests/vm/guest/lib.sh
. /lib/guest.sh
insmod /dm-tidemark.ko
size=$(blockdev --getsz /dev/vda)
progress=/dev/shm/progress

# run ARG...: /tmp/script, with ARG for the shell; what it says goes to /tmp/out
run()
{
	sh "$@" /tmp/script >/tmp/out 2>&1
}

# cut_and_look TEXT: while both are written, twice; neither is at rest
cut_and_look()
{
	/chain write $progress /dev/mapper/data /dev/mapper/log &
	writer=$!
	for cut_round in first second; do
		/chain wait $progress 50
		# As somebody would type it: in a shell of its own, then its end.
		cat /cut - /end >/tmp/script <<-'END'
		/chain check /dev/mapper/data-now /dev/mapper/log-now
		echo "fits: $?"
		END
		ok "$1: the $cut_round time" run -e
		ok "$1: one instant" grep -q "^fits: 0" /tmp/out ||
			sed 's/^/# /' /tmp/out
		ok "$1: no complaint" sh -c '! grep -q "not cut" /tmp/out'
		/chain wait $progress 50
	done
	kill $writer
	ok "$1: the writer never failed" wait $writer
	is "$1: no view is left" "$(dmsetup ls | grep -c now)" 0
	is "$1: nothing is held" "$(dmsetup info -c --noheadings \
		-o suspended | grep -c Suspended)" 0
}

dmsetup create log --table "0 $size tidemark /dev/vda -"
dmsetup create data --table "0 $size tidemark /dev/vdb -"
cut_and_look "side by side"

# Somebody resumes the one between its cut and that of the other.
sed 's/^for i in .*cut \$id; done$/dmsetup message data 0 cut $id\
dmsetup resume data\
dmsetup message log 0 cut $id/' /cut >/tmp/resumed
ok "the cut is spoilt" sh -c '! cmp -s /cut /tmp/resumed'
cat /tmp/resumed /end >/tmp/script
ok "a disk is resumed meanwhile" run
ok "it is seen" grep -q "not cut at one instant" /tmp/out
dmsetup remove data

# The one on the other, each in its own half.
dmsetup create half --table "0 $((size / 2)) linear /dev/mapper/log $((size / 2))"
dmsetup create data --table "0 $((size / 2)) tidemark /dev/mapper/half -"
cut_and_look "one on the other"

dmsetup remove data
dmsetup remove half
dmsetup remove log
done_testing
