#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Recovery points whose machines are started: a whole Debian to its login, one that
# does not start, one that goes off, an encrypted one; what became of them is
# kept beside the point, which is as it was, and nothing else is left.

. "$(dirname "$0")/../lib/tap.sh"
. "$TESTS/lib/vault.sh"
. "$TESTS/lib/sector.sh"

DEBIAN=$("$TOP/scripts/vm" bootable) || exit 1
vault_start
TMPDIR=$WORK/t
export TMPDIR
mkdir "$TMPDIR"

# programs [NAME]: those that were started for machines
programs() {
	for pid in $(pgrep -x "${1:-nbdkit|qemu-system-x86}"); do
		! grep -qzx "TMPDIR=$TMPDIR" "/proc/$pid/environ" \
			2>/dev/null || echo "$pid"
	done
}

# rest: what is left of machines that were started
rest() {
	ls "$TMPDIR"
	programs
}

# nothing_left TEXT
nothing_left() {
	is "$(rest)" "" "$1"
}

# unchanged: but for what was found of points, and when
unchanged() {
	vault_state | grep -v -e '^checks/' -e '^holds/' | sort >"$WORK/now"
	cmp "$WORK/state" "$WORK/now"
	ok $? "$1" || diff "$WORK/state" "$WORK/now" | sed 's/^/# /'
}

vault_make Main
tidemark protect "$VAULT" "$DEBIAN" --disk root --item web
tidemark backup --json
POINT=$(json result.point)
vault_state | grep -v -e '^checks/' -e '^holds/' | sort >"$WORK/state"

tidemark verify --boot --timeout 400 --json
is "$STATUS" 0 "a whole Debian starts from its point" ||
	sed 's/^/# /' "$WORK/out" "$WORK/err"
is "$(json result.booted) $(json result.point) $(json result.sign)" \
	"true $POINT login: " "and asks for a login"
[ "$(json result.milliseconds)" -gt 1000 ]
ok $? "after a time that is said"
like "$(json result.console)" '*"recovered login: "]' "the end of its console"
unchanged "the point is as it was"
nothing_left "nothing is left"
tidemark points show "$POINT" --json
is "$(json result.point.booted.good) $(json result.point.booted.sign)" \
	"true login: " "it stands beside the point"
is "$(json result.point.verified)" null "which nobody has read for that"
tidemark points
like "$(cat "$WORK/out")" "*not verified*booted 20*" "the list says so"
tidemark verify --sample 1%
tidemark points show "$POINT" --json
is "$(json result.point.verified.how) $(json result.point.booted.good)" \
	"sample true" "reading it does not take that back"
tidemark verify --boot --firmware uefi --timeout 400 --json
is "$STATUS $(json result.booted)" "0 true" "by UEFI, too" ||
	sed 's/^/# /' "$WORK/out" "$WORK/err"
nothing_left "nothing is left"

# The machine that says nothing, and the one that goes off
machine m2
printf '[paths]\nmetrics = %s\n' "$WORK/tidemark.prom" >"$TIDEMARK_CONFIG"
random_disk "$WORK/dead.img" 2
wipe "$WORK/dead.img" 0 512
tidemark protect "$VAULT" "$WORK/dead.img" --disk root --item dead
tidemark backup
tidemark verify --boot --timeout 10
is "$STATUS" 9 "one that does not start"
like "$(cat "$WORK/err")" "*has not started: the sign did not come in 10 s*" \
	"is given up"
like "$(cat "$WORK/out")" "*last lines of its console*| No bootable device*" \
	"its console says why"
nothing_left "nothing is left"
tidemark points
like "$(cat "$WORK/out")" "*DID NOT BOOT 20*" "the list says so"
grep -qx 'tidemark_last_run_success{item="dead",job="boot"} 0' \
	"$WORK/tidemark.prom"
ok $? "so do the metrics, as a job of its own"
! grep -q 'job="verify"' "$WORK/tidemark.prom"
ok $? "which says nothing of other verifying"
tidemark verify
is "$STATUS" 0 "reading it is another matter"
tidemark points show latest --json
is "$(json result.point.verified.whole) $(json result.point.booted.good)" \
	"$(json result.point.verified.time) false" "and both are kept"

machine m3
sector "$WORK/off.img" "Going off." "$OFF"
sector "$WORK/data.img" "This is data." "$HALT"
tidemark protect "$VAULT" "$WORK/off.img" --disk off --item two
tidemark protect "$VAULT" "$WORK/data.img" --disk zdata
tidemark backup
tidemark verify --boot --json
is "$STATUS $(json error.code) $(json result.booted)" "9 integrity false" \
	"one that goes off, in JSON"
like "$(json error.message)" "*it has switched itself off" "is not waited for"
like "$(json result.console)" '*Going off."*' "its console"
tidemark verify --boot --sign "Going off." --memory 64
is "$STATUS" 3 "any sign will do; which disk is booted is a guess"
like "$(cat "$WORK/err")" "*'off' is assumed*" "said aloud"
for bus in ahci virtio scsi; do
	tidemark verify --boot --disk zdata --sign "is data." --bus $bus
	is "$STATUS" 0 "another disk, by $bus"
done
nothing_left "nothing is left"

# started: until there is a machine
started() {
	until [ -n "$(programs qemu-system-x86)" ]; do
		kill -0 "$PID" 2>/dev/null || return 1
		sleep 0.1
	done
}

for signal in INT TERM; do
	env --default-signal=INT "$TIDEMARK" verify --boot --disk zdata \
		>"$WORK/out" 2>"$WORK/err" </dev/null &
	PID=$!
	started
	kill -s $signal $PID
	wait $PID
	is $? 12 "SIG$signal ends it"
	nothing_left "and nothing is left"
done
tidemark points show latest --json
is "$(json result.point.booted.good)" true "nor recorded"
printf '%s' "$AZURE_STORAGE_CONNECTION_STRING" >"$WORK/secret"
exec 8<"$WORK/secret" 9<"$WORK/secret"
"$TIDEMARK" verify --boot --disk zdata --credentials-fd 9 \
	>/dev/null 2>&1 </dev/null &
PID=$!
exec 8<&- 9<&-
started
QEMU=$(programs qemu-system-x86)
! find "/proc/$QEMU/fd" -lname "$WORK/secret" | grep -q .
ok $? "the machine has no descriptor that is not for it"
! tr '\0' '\n' <"/proc/$QEMU/environ" | grep -v -e ^PATH= -e ^LC_ALL= \
	-e ^LANG= -e ^TMPDIR= >"$WORK/environ"
ok $? "nor anything of the environment" || cat "$WORK/environ"
is "$(stat -c %u "/proc/$QEMU")" 65534 "and is nobody"
kill -s KILL $PID
wait $PID
tries=0
while [ -n "$(programs)" ] && [ $((tries += 1)) -le 100 ]; do
	sleep 0.1
done
is "$(programs)" "" "who is killed leaves no programs"
rm -rf "$TMPDIR"/tidemark-boot.*

# An encrypted disk
machine m4
printf 'correct horse\n' >"$WORK/passphrase"
chmod 600 "$WORK/passphrase"
cat >"$TIDEMARK_CONFIG" <<-END
	[encryption]
	passphrase_file = $WORK/passphrase
END
VAULT=$PROXY_URL/sealed
tidemark vault create "$VAULT" --name Sealed --encrypt
tidemark protect "$VAULT" "$WORK/data.img" --disk root --item m4
tidemark backup
tidemark verify --boot --sign "This is data."
is "$STATUS" 0 "an encrypted disk" || sed 's/^/# /' "$WORK/err"
printf '[encryption]\n' >"$TIDEMARK_CONFIG"
tidemark verify --boot --sign "This is data."
is "$STATUS" 5 "which does not start without a passphrase"

# Chunks that are not what was backed up: the guest can do without, or not
machine m5
printf '[transfer]\nretries = 1\nretry_wait = 50\n' >"$TIDEMARK_CONFIG"
VAULT=$PROXY_URL/vault
tidemark protect "$VAULT" "$WORK/data.img" --disk root --item m5
tidemark backup --json
WHOLE=$(json result.point)
tidemark verify --boot --sign "is data."
is "$STATUS" 0 "a disk that reads a chunk of its own accord"
for chunk in 8 0; do
	head -c 512 /dev/urandom | "$TESTS/lib/sdk.py" put "$(container)" \
		disks/root.vhd $((65536 * chunk))
	tidemark backup
	tidemark verify --boot --sign "is data." --timeout 8 --json
	is "$STATUS $(json error.code) $(json result.booted)" \
		"9 integrity false" "a damaged chunk $chunk"
	like "$(json error.message)" "*disk 'root' at byte $((65536 * chunk)): the data of chunk $chunk are not*" \
		"is named"
	tidemark points show latest --json
	is "$(json result.point.booted.good)" false "and recorded"
done
is "$(cat "$WORK/err")" "" "no other is"
nothing_left "nothing is left"

# A vault that goes away while the machine runs
for do in refuse stall; do
	proxy_rule "{\"kind\":\"read\",\"path\":\"root.vhd\",\"skip\":1,\"times\":0,\"do\":\"$do\"}"
	tidemark verify --boot "$WHOLE" --sign "is data." --timeout 15 --json
	is "$STATUS" 6 "a vault that is away ($do) says nothing of the machine"
	like "$(json error.message)" "cannot start the machine: cannot *disk*root*" \
		"but why it could not be read"
	proxy_clear
done
tidemark points show "$WHOLE" --json
is "$(json result.point.booted.good)" true "and nothing is recorded"
nothing_left "nothing is left"

# What is meant is said
tidemark verify --sign x
is "$STATUS" 2 "a sign of what is not started"
tidemark verify --boot --sample 1%
is "$STATUS" 2 "a sample of a start"
tidemark verify --boot --older-than 3
is "$STATUS" 2 "many at once"
for wrong in --timeout=0 --memory=-1 --firmware=coreboot --bus=isa --sign=; do
	tidemark verify --boot $wrong
	is "$STATUS" 2 "$wrong"
done
tidemark verify --boot --sign "$(printf 'a\377')"
is "$STATUS" 2 "a sign that is no UTF-8"
machine m3
tidemark verify --boot --disk nix
is "$STATUS" 4 "a disk that is not there"
# shellcheck disable=SC2016 # for the inner shell
unshare -m sh -c 'mount -t tmpfs none /usr/share/ovmf && exec "$0" "$@"' \
	"$TIDEMARK" verify --boot --firmware uefi >"$WORK/out" 2>"$WORK/err"
is $? 1 "firmware that is not installed"
like "$(cat "$WORK/err")" "*apt-get install ovmf*" "is named"
finish
