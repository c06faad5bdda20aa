#!/bin/sh
# SPDX-License-Identifier: MIT
#
# leaks.sh WALKS SECONDS SEED - walks and everything at once, then the kernel
# looks for memory that nothing points to. The kernel's own test module leaks
# last, when modprobe loads it: once that is found, whatever of ours leaked
# before is found too. (Ours is loaded by the programs, not by modprobe.)

# shellcheck source=tests/vm/guest/lib.sh
. /lib/guest.sh
kmemleak=/sys/kernel/debug/kmemleak

# What booting has left is not ours.
echo scan >$kmemleak
echo clear >$kmemleak
/walk /dev/vda /dev/vdb /dev/vdc random "$1" 30 "$3" || exit
/hammer /dev/vda /dev/vdb /dev/vdc "$2" "$3" || exit

modprobe kmemleak-test || exit
until grep -q 'comm "modprobe"' $kmemleak; do
	echo scan >$kmemleak || exit
done
awk 'BEGIN { RS = "unreferenced object" }
	NR > 1 && !/comm "modprobe"/ { print "unreferenced object" $0 }' \
	$kmemleak >/tmp/leaks
sed 's/^/# /' /tmp/leaks
ok "nothing leaks but what was planted" test ! -s /tmp/leaks
# The planted ones are no mistake; what is one is on the console too.
dmesg -C
done_testing
