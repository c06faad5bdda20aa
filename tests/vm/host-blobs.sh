#!/bin/sh
# SPDX-License-Identifier: MIT
#
# host-blobs.sh CONTAINER - all that is in it, sorted: for guests to compare
#
# TOP and the way to the vault come from the test.

"$TOP/build/tests/storage" list "$1" "" | sort
