#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What `make install` puts down: a program that runs, and a module's source
# from which alone the module builds, as DKMS does.

. "$(dirname "$0")/../lib/tap.sh"

version=$(sed -n 's/^VERSION := //p' "$TOP/Makefile")
make -s -C "$TOP" install DESTDIR="$WORK/to" PREFIX=/usr >"$WORK/log" 2>&1
ok $? "make install" || sed 's/^/# /' "$WORK/log"
is "$("$WORK/to/usr/sbin/tidemark" version 2>&1 | head -n 1)" \
	"tidemark $version" "the program knows its version"

grep -rl '@sbindir@' "$WORK/to" >"$WORK/left"
is "$(cat "$WORK/left")" "" "every unit names where the program is"

source=$WORK/to/usr/src/dm-tidemark-$version
[ -f "$source/dkms.conf" ]
ok $? "the module's source is where DKMS looks for it"
# The lab builds the tree that it lies in: let it lie in this one.
cp -R "$TOP/scripts" "$source/"
"$source/scripts/vm" module bookworm >"$WORK/log" 2>&1
ok $? "the installed source is all that the module needs" ||
	sed 's/^/# /' "$WORK/log"

make -s -C "$TOP" uninstall DESTDIR="$WORK/to" PREFIX=/usr >"$WORK/log" 2>&1
ok $? "make uninstall" || sed 's/^/# /' "$WORK/log"
is "$(find "$WORK/to" -type f)" "" "nothing is left behind"
finish
