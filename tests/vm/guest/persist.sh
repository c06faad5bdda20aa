#!/bin/sh
# SPDX-License-Identifier: MIT
#
# persist.sh ARG... [poweroff]: the program, then the end of this boot

set -e
case ${2:-} in
poweroff)
	/persist /dev/vda /dev/vdb "$1"
	host poweroff
	;;
*)
	/persist /dev/vda /dev/vdb "$@"
	;;
esac
