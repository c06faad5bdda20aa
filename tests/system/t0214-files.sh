#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Files copied out of a mounted recovery point: what is there already, what
# cannot be, what is said of it. Here a record says that a point is mounted where
# a directory is: mounting itself is tests/vm/t0514-mount.sh's.

. "$(dirname "$0")/../lib/tap.sh"
. "$TESTS/lib/vault.sh"

[ "$(id -u)" -eq 0 ] || skip_all "only root may"
losetup --find >/dev/null 2>&1 || skip_all "there are no loop devices"
machine m1
POINT=20260102T030405Z-0123456789abcdef0123456789abcdef
FROM=$WORK/point
HOME_TREE=$FROM/vg0-home
OUT=$WORK/home

# get PATH TARGET OPTION...: of filesystem vg0-home
get() {
	get_path=$1
	shift
	tidemark files get "vg0-home$get_path" --from "$FROM" "$@"
}

mkdir -p "$HOME_TREE/anna/docs" "$TIDEMARK_RUN_DIR/mounts" "$OUT"
printf '{"format":1,"id":"tm01234567","dir":"%s","point":"%s","disks":[],
"arrays":[],"trees":[{"name":"vg0-home","node":"/dev/none","type":"ext4"}]}' \
	"$FROM" "$POINT" >"$TIDEMARK_RUN_DIR/mounts/tm01234567.json"
echo as it was >"$HOME_TREE/anna/notes"
echo a letter >"$HOME_TREE/anna/docs/letter"
chown -R 1234:1234 "$HOME_TREE/anna"

get /anna "$OUT"
is "$STATUS" 0 "a tree is copied into a directory" || cat "$WORK/err"
diff -r "$HOME_TREE/anna" "$OUT/anna" >"$WORK/diff"
ok $? "all of it"
is "$(stat -c %u "$OUT/anna/docs/letter")" 1234 "to whom it belongs"

# What is there already
echo written since >"$OUT/anna/docs/letter"
get /anna "$OUT"
is "$STATUS" 11 "a directory that is there is not written to unasked"
like "$(cat "$WORK/err")" "*'$OUT/anna' is there*files in it*" \
	"it is said that it is the files in it"
get /anna "$OUT/"
is "$STATUS" 11 "however the directory is named"
get /anna/docs/letter "$OUT/anna/docs"
is "$STATUS" 11 "nor is a file in the directory that is named"
like "$(cat "$WORK/err")" "*'$OUT/anna/docs/letter' is there*overwritten*" \
	"it is said which"
get /anna/docs/letter "$OUT/anna/docs/letter"
is "$STATUS" 11 "nor one that is named itself"
is "$(cat "$OUT/anna/docs/letter")" "written since" "they are as they were"
get /anna/docs/letter "$OUT/anna"
is "$STATUS" 0 "beside other files it need not ask"
rm "$OUT/anna/letter"
get /anna "$OUT" --yes
is "$STATUS" 0 "with --yes it is all written"
is "$(cat "$OUT/anna/docs/letter")" "a letter" "over what was there"

# Links, by whoever may write there
echo secret >"$WORK/secret"
ln -sf "$WORK/secret" "$OUT/anna/notes"
ln -f "$WORK/secret" "$OUT/anna/docs/letter"
get /anna "$OUT" --yes
is "$STATUS" 0 "links in the way are replaced"
diff -r --no-dereference "$HOME_TREE/anna" "$OUT/anna" >"$WORK/diff"
ok $? "by files"
is "$(stat -c %u "$WORK/secret") $(cat "$WORK/secret")" "0 secret" \
	"and what they lead to is neither written nor given away"
rm -r "$OUT/anna/docs"
mkdir "$WORK/elsewhere"
ln -s "$WORK/elsewhere" "$OUT/anna/docs"
get /anna "$OUT" --yes
[ "$STATUS" -ne 0 ]
ok $? "a link in the way of a directory is an error"
is "$(ls "$WORK/elsewhere")" "" "and nothing is copied to where it leads"
rm "$OUT/anna/docs"

# What is said to programs: a name need not be UTF-8
NAME=$(printf 'caf\351')
echo coffee >"$HOME_TREE/$NAME"
mkdir "$WORK/$NAME"
get "/$NAME" "$WORK/$NAME" --json
is "$STATUS $(cat "$WORK/$NAME/$NAME")" "0 coffee" "a name that is not UTF-8"
is "$(json result.path)" "vg0-home/caf?" "it is in the result"
is "$(json result.target)" "$WORK/caf?" "so is that of the target"

# Why not: that has a status of its own
get /none "$WORK/copy"
is "$STATUS" 4 "what is not in the point"
get /anna/notes "$WORK/none/notes"
is "$STATUS" 4 "a file to a directory that is not there"
get /anna "$WORK/none/anna/"
is "$STATUS" 4 "a directory to one"
get /anna/notes /sys/tidemark-test
is "$STATUS" 5 "where nothing may be made"
get /anna /sys/tidemark-test
is "$STATUS" 5 "nor a directory"
mkdir "$WORK/full"
mount -t tmpfs -o size=64k none "$WORK/full" || exit 1
at_exit "umount $WORK/full"
head -c 200000 /dev/zero | tr '\0' x >"$HOME_TREE/anna/large"
get /anna/large "$WORK/full"
is "$STATUS" 10 "a file for which there is no room"
rm "$WORK/full"/*
get /anna "$WORK/full"
is "$STATUS" 10 "nor for a directory"
rm "$HOME_TREE/anna/large"

# A filesystem on a disk that cannot take what is written to it: cp is not told,
# for it writes to memory.
mkdir "$WORK/small" "$WORK/mnt" "$WORK/mnt/deep"
mount -t tmpfs -o size=4M none "$WORK/small" || exit 1
at_exit "umount $WORK/small"
truncate -s 64M "$WORK/small/disk"
mkfs.ext4 -q -O ^has_journal "$WORK/small/disk" &&
	mount -o loop "$WORK/small/disk" "$WORK/mnt/deep" || exit 1
at_exit "umount $WORK/mnt/deep"
sync -f "$WORK/mnt/deep"
get /anna/docs "$WORK/mnt/deep"
is "$STATUS" 0 "a small tree has room on it" || cat "$WORK/err"
mkdir -p "$HOME_TREE/mnt/deep"
head -c 8M /dev/urandom >"$HOME_TREE/mnt/deep/large"
get /mnt/deep/large "$WORK/mnt/deep/large"
[ "$STATUS" -ne 0 ]
ok $? "what cannot be made durable is not copied"
like "$(cat "$WORK/err")" "*cannot copy*/large*not all could be written*" \
	"and is said not to be"
get /mnt "$WORK" --yes
[ "$STATUS" -ne 0 ]
ok $? "nor is a tree, if it is what is mounted in it that fails"
finish
