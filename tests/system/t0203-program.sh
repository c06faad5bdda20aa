#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The program as people and programs meet it: help that helps, JSON in one
# shape, progress on a terminal only, and a clean end when it is asked to end.

. "$(dirname "$0")/../lib/tap.sh"
. "$TESTS/lib/faults.sh"

VERBS=$("$TIDEMARK" help --json | /usr/bin/python3 -c '
import json, sys
for v in json.load(sys.stdin)["result"]["verbs"]:
    print(v["name"].replace(" ", "_"))')
is "$("$TIDEMARK" version)" "tidemark $(sed -n \
	's/^VERSION := //p' "$TOP/Makefile")" "the version"

# shape FILE: is it the envelope, and nothing besides
shape() {
	/usr/bin/python3 -c '
import json, sys
top = json.load(open(sys.argv[1]))
assert top["format"] == 1 and top["ok"] == (top["exit"] in (0, 3))
assert list(top) == ["format", "verb", "ok", "exit",
                     "result" if top["ok"] else "error"], list(top)
if not top["ok"]:
    e = top["error"]
    assert list(e) == ["code", "message", "object", "action", "service"], e
    assert isinstance(e["message"], str) and e["message"]
    if e["service"]:
        assert list(e["service"]) == ["status", "code", "request_id"]
' "$1"
}

for verb in $VERBS; do
	words=$(echo "$verb" | tr _ ' ')
	# shellcheck disable=SC2086 # words
	tidemark $words --help
	[ "$STATUS" -eq 0 ] && grep -q '^Usage: tidemark' "$WORK/out" &&
		grep -q '^Examples:' "$WORK/out" && [ ! -s "$WORK/err" ] &&
		! grep -qE '.{81}' "$WORK/out"
	ok $? "'$words --help' helps, in 80 columns"
	cp "$WORK/out" "$WORK/help"
	# shellcheck disable=SC2086
	tidemark help $words
	cmp -s "$WORK/out" "$WORK/help"
	ok $? "and so does 'help $words'"
	# shellcheck disable=SC2086
	tidemark $words --no-such-option --json
	is "$STATUS $(json verb)" "2 $words" "'$words' has no such option"
	shape "$WORK/out"
	ok $? "said in JSON"
	grep -qE "^\.SS ${words% list}( |$)" "$TOP/userspace/man/tidemark.8"
	ok $? "'$words' is in the manual"
	case $words in
	*' '*) ;;
	*) grep -qw "$words" "$TOP/userspace/completion/tidemark" ;;
	esac
	ok $? "and completed"
done
for args in "" "nonsense" "vault" "restore" "points show" "--nonsense" \
	"protect one" "verify a b"; do
	# shellcheck disable=SC2086
	tidemark $args --json
	[ "$STATUS" -eq 2 ] && shape "$WORK/out" && [ ! -s "$WORK/err" ]
	ok $? "usage error in JSON: 'tidemark $args'"
	# shellcheck disable=SC2086
	tidemark $args
	[ "$STATUS" -eq 2 ] && [ ! -s "$WORK/out" ] && grep -q -- --help "$WORK/err"
	ok $? "and in words, with a way on"
done
tidemark --json version
is "$STATUS $(json result.version)" "0 $("$TIDEMARK" version |
	cut -d ' ' -f 2)" "an option may stand before the verb"

faults_start
scribble "$A" 100 1000000
tidemark backup --json
shape "$WORK/out"
ok $? "a result in JSON"
/usr/bin/python3 -c '
import json, sys
lines = [json.loads(l) for l in open(sys.argv[1])]
assert any(l["stage"] == "ship" and l["done"] == l["total"] for l in lines)
assert all(l["format"] == 1 and l["type"] == "progress" for l in lines)
' "$WORK/err"
ok $? "progress in JSON lines"
tidemark backup
[ ! -s "$WORK/err" ]
ok $? "off a terminal nothing is drawn"
tidemark backup --quiet
[ ! -s "$WORK/err" ] && [ ! -s "$WORK/out" ]
ok $? "and with --quiet nothing is said"

# On a terminal: the bar, its width after a change of size, a clean end
cat >"$WORK/terminal.py" <<'END'
import fcntl, os, pty, re, select, signal, struct, sys, termios
import urllib.request

mode, port, rule = sys.argv[1:4]
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[4], sys.argv[4:])


def resize(columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ,
                struct.pack("HHHH", 24, columns, 0, 0))


resize(100)
if mode == "resize":
    urllib.request.urlopen(f"http://127.0.0.1:{port}/_/await?rule={rule}")
    resize(60)
    urllib.request.urlopen(f"http://127.0.0.1:{port}/_/release", b"")
seen = b""
while True:
    try:
        piece = os.read(fd, 65536)
    except OSError:
        break
    if not piece:
        break
    seen += piece
os.waitpid(pid, 0)
sys.stdout.buffer.write(seen)
END
head -c 40M /dev/urandom >"$A"
proxy_rule '{"kind":"page-put","path":"a.vhd","skip":9,"do":"hold"}'
/usr/bin/python3 "$WORK/terminal.py" resize "$PROXY_PORT" "$PROXY_RULE" \
	"$TIDEMARK" backup >"$WORK/tty"
proxy_clear
tr '\r' '\n' <"$WORK/tty" | sed 's/\x1b\[[KJ]//g' >"$WORK/bars"
grep -qE '^a ship \[#*\.*\] +[0-9]+% .* of 40\.0 MiB, .*/s, .* left$' \
	"$WORK/bars"
ok $? "a bar is drawn on a terminal, with rate and time left"
is "$(grep '^a ship \[' "$WORK/bars" | awk '{ print length }' | sort -un |
	xargs)" "59 99" "as wide as the terminal, also after it was resized"
tail -n 3 "$WORK/bars" | grep -q requests
ok $? "and taken away at the end"

# Asked to end
names=$(points)
for signal in INT TERM; do
	scribble "$A" 0 8000000
	background
	proxy_rule '{"kind":"page-put","path":"a.vhd","do":"hold"}'
	proxy_release
	proxy_await "$PROXY_RULE"
	kill -s "$signal" "$CLIENT"
	ended
	is "$STATUS" 12 "SIG$signal ends a backup: exit 12"
	proxy_clear
	cp "$WORK/client.out" "$WORK/out"
	is "$(json error.code)" cancelled "as cancelled"
	is "$(points)" "$names" "there is no point"
	tidemark points --all
	[ "$(tail -n 1 "$WORK/out" | grep -c 'no point')" -eq 1 ]
	ok $? "but a tombstone"
	tidemark status --json
	is "$(json result.items.0.last_job.status)" Cancelled \
		"and a cancelled job"
	is "$("$TESTS/lib/sdk.py" properties "$(container)" lock |
		sed -n 's/^lease=//p')" available "the leases are given back"
	is "$(find "$TIDEMARK_RUN_DIR" -name '*.leases' -o -name '*.job')" "" \
		"nothing is left in the run directory"
done
background
proxy_rule '{"kind":"page-put","path":"a.vhd","do":"hold"}'
proxy_release
proxy_await "$PROXY_RULE"
tidemark status --json
is "$(json result.items.0.running.status)" InProgress \
	"a backup under way is seen by status"
proxy_clear
ended
is "$STATUS" 0 "and is not disturbed"
right "its point is right"
background
kill -s INT "$CLIENT"
ended
proxy_clear
is "$STATUS" 12 "a backup can be ended while its first request is under way"
finish
