#!/bin/sh
# SPDX-License-Identifier: MIT
#
# host.sh - what the demo's guests ask of the host; runs in the directory
# named by DEMO_DIR
#
#   cut N ACKNOWLEDGED	every disk of the guest stands still: copy them, as
#			the truth about point N, and remember the last
#			transaction that was acknowledged
#   tell KEY VALUE	remember for the table at the end
#   told KEY		what was remembered
set -eu
cd "$DEMO_DIR"

case $1 in
cut)
	for disk in a b; do
		cp --sparse=always --reflink=auto "disk-$disk" "truth-$2.$disk"
	done
	echo "$3" >"told/acknowledged-$2"
	;;
tell)
	echo "$3" >"told/$2"
	;;
told)
	cat "told/$2"
	;;
*)
	echo "host.sh: no such request '$1'"
	exit 2
	;;
esac
