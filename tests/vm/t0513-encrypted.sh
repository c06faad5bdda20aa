#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What README says of a point without this program works as it stands there: the
# official SDK downloads it, and the guest's own cryptsetup and kernel open it.

# shellcheck source=tests/vm/lib.sh
. "$(dirname "$0")/lib.sh"
TESTS=$TOP/tests
# shellcheck source=tests/lib/azurite.sh
. "$TESTS/lib/azurite.sh"

azurite_start "$WORK/azurite"
trap 'azurite_stop; rm -rf "$WORK"' EXIT

# The indented blocks below its heading: fetching, and opening.
awk -v dir="$WORK" '
	/^#/ && !/^    / { on = /^### Without this program/ }
	!on { next }
	/^    / { code = 1; print substr($0, 5) >(dir "/recipe" n + 0); next }
	/[^ ]/ { n += code; code = 0 }
	code { print "" >(dir "/recipe" n + 0) }
' "$TOP/README.md"
result "$([ -s "$WORK/recipe0" ] && [ -s "$WORK/recipe1" ] &&
	[ ! -e "$WORK/recipe2" ]; echo $?)" "README has both parts"
result "$([ "$(cat "$WORK/recipe0" "$WORK/recipe1" | grep -c .)" -le 30 ]; echo $?)" \
	"in 30 lines"

tidemark()
{
	"$TOP/build/tidemark" --config "$WORK/conf" --state-dir "$WORK/state" \
		--run-dir "$WORK/run" "$@" >"$WORK/out" 2>&1
}

# fetched CONTAINER POINT: by the recipe, with what it leaves to the reader
fetched()
{
	(cd "$WORK" && rm -f disk.vhd size && sed "s/^container=.*/container=$1 \
point=$2 disk=data/; s/^python3 /\\/usr\\/bin\\/python3 /" recipe0 >fetch.sh &&
		sh -e fetch.sh)
}

# backed_up VAULT OPTION...: data is backed up there; its container, its point
backed_up()
{
	rm -rf "$WORK/state"
	backed_up_url=$AZURITE_URL/$1
	shift
	tidemark vault create "$backed_up_url" --name Main "$@" &&
		tidemark protect "$backed_up_url" "$WORK/data" --disk data &&
		tidemark backup
	result $? "a disk is backed up ${*:-in clear}"
	container=$(sed -n 's/.*"container": "\([^"]*\)".*/\1/p' \
		"$WORK/state/disks/data.json")
	tidemark points --json || :
	point=$(grep -o '[0-9]\{8\}T[0-9]\{6\}Z-[0-9a-f]\{32\}' "$WORK/out" |
		head -n 1)
}

(umask 077 && echo 'correct horse' >"$WORK/passphrase")
printf '[encryption]\npassphrase_file = %s\nkdf_memory = 1M\n' \
	"$WORK/passphrase" >"$WORK/conf"
disk data $((6 * 1048576 + 1536))
head -c 3000000 /dev/urandom | dd of="$WORK/data" conv=notrunc status=none

backed_up plain
result "$(fetched "$container" "$point"; echo $?)" "it is downloaded"
result "$(head -c "$(cat "$WORK/size")" "$WORK/disk.vhd" |
	cmp -s - "$WORK/data"; echo $?)" "the disk is in it"

backed_up secret --encrypt
result "$(fetched "$container" "$point"; echo $?)" "it is downloaded"
guest "opened" --timeout 300 --disk "$WORK/disk.vhd" --disk "$WORK/data" \
	--add "$WORK/recipe1:/open" --add "$WORK/size" \
	--add "$WORK/passphrase" "$TOP/tests/vm/guest/encrypted.sh"

done_testing
