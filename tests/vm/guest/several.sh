#!/bin/sh
# SPDX-License-Identifier: MIT
#
# several.sh - a short form of all of the module's tests in one boot: the
# programs say what they find, and the host counts it

set -e
echo "# Linux $(uname -r)"
/marks /dev/vda /dev/vdb 128
/marks /dev/vdd /dev/vdb 128
/persist /dev/vda /dev/vdb
/snapshot /dev/vdc /dev/vdb /dev/vda short
/walk /dev/vdc /dev/vdb /dev/vda random 5 30 "$1"
