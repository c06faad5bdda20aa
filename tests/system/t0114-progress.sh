#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Progress of several disks: lines for programs that add up, and for people a
# frame on a terminal that stays in its place, as wide as the terminal is.

. "$(dirname "$0")/../lib/tap.sh"
. "$TESTS/lib/faults.sh"

# For programs
cat >"$WORK/lines.py" <<'END'
import json, sys

lines = [json.loads(line) for line in open(sys.argv[1])]
stage, moved, disks = sys.argv[2], sys.argv[3], sys.argv[4:]
sizes = {d.split("=")[0]: int(d.split("=")[1]) for d in disks}
seen = {disk: -1 for disk in sizes}
first = []
for line in lines:
    assert line["format"] == 1 and line["type"] == "progress", line
    if line["stage"] != stage:
        continue
    assert line["total"] == sizes[line["disk"]], line
    assert seen[line["disk"]] <= line["done"] <= line["total"], line
    first += [line["disk"]] if seen[line["disk"]] < 0 else []
    seen[line["disk"]] = line["done"]
    whole = line["all"] if len(first) > 1 else line
    last = line
# All are told of before any gets on, and all come to their end.
assert first == list(sizes) and seen == sizes, (first, seen)
assert last["seconds_left"] == 0 and last["bytes_per_second"] > 0, last
if len(sizes) > 1:
    assert whole["total"] == sum(sizes.values()) == whole["done"], whole
print(whole[moved])
END

faults_start
B=$WORK/bee.img
random_disk "$B" 12
tidemark protect "$VAULT" "$B" --disk bee
scribble "$A" 0 3000000
tidemark backup --json
is "$(/usr/bin/python3 "$WORK/lines.py" "$WORK/err" ship bytes_uploaded \
	a=$((8 << 20)) bee=$((12 << 20)))" \
	"$(json result.counters.total.bytes_uploaded)" \
	"lines of two disks add up to what the result says"
tidemark verify --json
received=$(/usr/bin/python3 "$WORK/lines.py" "$WORK/err" verify \
	bytes_downloaded a=$((8 << 20)) bee=$((12 << 20)))
[ "${received:-0}" -gt $((10 << 20)) ]
ok $? "so they do when a point is verified"
tidemark restore disk bee "$WORK/bee.out" --json
/usr/bin/python3 "$WORK/lines.py" "$WORK/err" restore bytes_downloaded \
	bee=$((12 << 20)) >"$WORK/received"
ok $? "and of one disk that is restored"

# Within a window too: on a slow line one takes minutes
echo '[transfer]
request_size = 64K' >"$TIDEMARK_CONFIG"
scribble "$A" 0 3000000
proxy_rule '{"kind":"page-put","path":"a.vhd","skip":9,"times":0,"do":"hold"}'
"$TIDEMARK" backup a --json >"$WORK/out" 2>"$WORK/err" </dev/null &
slow=$!
within=1 tries=0
while [ $within -ne 0 ] && [ $tries -lt 200 ] && kill -0 $slow; do
	tries=$((tries + 1))
	/usr/bin/python3 -c '
import json, sys
said = [json.loads(line) for line in open(sys.argv[1]) if line.endswith("\n")]
sys.exit(not any(line["stage"] == "ship" and line["done"] < line["total"] and
                 0 < line["bytes_uploaded"] < 3000000 for line in said))
' "$WORK/err" && within=0
	sleep 0.1
done
ok $within "what a window has sent is told before it is through"
proxy_clear
wait $slow
ok $? "and it comes to its end"
: >"$TIDEMARK_CONFIG"

# For people: what a terminal shows after each piece of what it gets
cat >"$WORK/terminal.py" <<'END'
import fcntl, os, pty, re, select, struct, sys, termios, urllib.request

port, rule = sys.argv[1:3]
columns = 90
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[3], sys.argv[3:])


def resize(to):
    global columns
    columns = to
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, to, 0, 0))


class Screen:
    def __init__(self):
        self.rows, self.y, self.x = [""], 0, 0

    def put(self, text):
        for code in re.findall(r"\x1b\[[0-9]*[A-Za-z]|[\s\S]", text):
            if code == "\r":
                self.x = 0
            elif code == "\n":
                self.y += 1
                self.rows += [""] * (self.y + 1 - len(self.rows))
            elif code.endswith("A") and len(code) > 1:
                self.y -= int(code[2:-1])
                assert self.y >= 0, "above the first line"
            elif code == "\x1b[K":
                self.rows[self.y] = self.rows[self.y][:self.x]
            elif code == "\x1b[J":
                self.rows[self.y:] = [self.rows[self.y][:self.x]]
            else:
                assert code.isprintable(), repr(code)
                row = self.rows[self.y].ljust(self.x)
                self.rows[self.y] = row[:self.x] + code + row[self.x + 1:]
                self.x += 1
                assert self.x < columns or " ship " not in row, "wraps"


# One read may bring several pictures: each begins at the start of a line.
def show():
    for picture in re.split(r"(?=\r(?!\n))", os.read(fd, 65536).decode()):
        screen.put(picture)
        frames.append([row.rstrip() for row in screen.rows if row.strip()])


resize(columns)
screen, frames, held = Screen(), [], True
while True:
    if held and any("bee ship" in row for row in screen.rows):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/_/await?rule={rule}")
        while select.select([fd], [], [], 0)[0]:
            show()
        resize(50)
        urllib.request.urlopen(f"http://127.0.0.1:{port}/_/release", b"")
        held = False
    try:
        show()
    except OSError:
        break
os.waitpid(pid, 0)
# Once there is something, there is something, until the result takes its place.
shown = [frame for frame in frames if frame]
last = max(n for n, frame in enumerate(frames)
           if any(" ship " in row for row in frame))
assert all(frames[frames.index(shown[0]):last]), "it flickers"
for frame in shown:
    print("-- frame")
    print("\n".join(frame))
END
scribble "$A" 0 3000000
scribble "$B" 0 3000000
proxy_rule '{"kind":"page-put","path":"bee.vhd","do":"hold"}'
/usr/bin/python3 "$WORK/terminal.py" "$PROXY_PORT" "$PROXY_RULE" \
	"$TIDEMARK" backup >"$WORK/frames" 2>"$WORK/frames.err"
ok $? "frames on a terminal: one over the other, never nothing" ||
	sed 's/^/# /' "$WORK/frames.err"
proxy_clear
awk '/^-- / { n = 0; next } { n++ } n > 2 && !/^  |^Recovery/ { exit 1 }' \
	"$WORK/frames"
ok $? "a line for the disk under way and one for all, no more"
grep -qE '^a +ship \[#+\] 100% 8.0 MiB of 8.0 MiB, .* sent, .*/s, 0:00 left$' \
	"$WORK/frames"
ok $? "a disk that is done"
grep -qE '^all ship \[#+\.+\] +40% 8.0 MiB of 20.0 MiB, .* left$' "$WORK/frames"
ok $? "of all, as much as that"
is "$(grep -E '^(a  |bee|all) ship \[' "$WORK/frames" | awk '
	{ print length }' | sort -un | xargs)" "49 89" \
	"as wide as the terminal, before and after"
tail -n 1 "$WORK/frames" | grep -q requests &&
	! sed -n '/^Recovery/,$p' "$WORK/frames" | grep -q 'ship \['
ok $? "at the end the result alone is there"

# Where lines cannot be drawn over
TERM=dumb script -qec "$TIDEMARK backup" "$WORK/dumb" >/dev/null
grep -q '^Recovery point' "$WORK/dumb" && ! grep -q ' ship ' "$WORK/dumb"
ok $? "nothing is drawn on a terminal that cannot"
finish
