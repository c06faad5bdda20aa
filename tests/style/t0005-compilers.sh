#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The program's source: a second compiler and two static checkers find nothing.

. "$(dirname "$0")/../lib/tap.sh"
. "$TESTS/style/lib.sh"

make -s B="$WORK/clang" CC=clang "$WORK/clang/tidemark" >"$WORK/log" 2>&1
ok $? "clang compiles the program without a warning" ||
	grep -E 'error:|warning:' "$WORK/log" | sed 's/^/# /'
silent "cppcheck" cppcheck --quiet --std=c11 --error-exitcode=1 -j 2 \
	--enable=warning,portability --inline-suppr -Iuserspace -Ikmod \
	userspace kmod/format.c
finish
