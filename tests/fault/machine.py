# SPDX-License-Identifier: MIT
"""machine.py - the machine under test: its disks, its program, the fault proxy

What tidemark's environment holds (tests/lib/vault.sh sets it) is that of the
machine. All chance comes from one random.Random, so that a seed tells a test.
"""
import json
import os
import signal
import subprocess
import urllib.request

GRAIN = 4096


class Proxy:
    """The control side of proxy.py."""

    def __init__(self, port):
        self.base = f"http://127.0.0.1:{port}/_/"
        self.opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}))

    def ask(self, verb, data=None):
        with self.opener.open(self.base + verb, data, 120) as reply:
            return json.load(reply)

    def post(self, verb, data=b""):
        return self.ask(verb, data)

    def rule(self, **rule):
        """Adds a rule; "act" stands for "do"."""
        rule["do"] = rule.pop("act")
        return self.post("rule", json.dumps(rule).encode())

    def requests(self):
        return sum(count["requests"] for count in self.ask("counts").values())


class Disk:
    """An image file, and what it once held."""

    def __init__(self, name, path, chunk, chance):
        self.name, self.path, self.chunk = name, path, chunk
        self.chance = chance
        with open(path, "rb") as image:
            self.data = bytearray(image.read())
        self.before = bytes(self.data)

    def save(self):
        with open(self.path, "r+b") as image:
            image.write(self.data)

    def spots(self, count):
        """Ranges, some of which cross the borders of chunks."""
        for _ in range(count):
            start = self.chance.randrange(len(self.data) // GRAIN) * GRAIN
            yield start, min(start + self.chance.choice((1, 3, 20)) * GRAIN,
                             len(self.data))

    def change(self):
        """Remembers what it holds, then writes random bytes and zeroes."""
        self.before = bytes(self.data)
        for start, end in self.spots(4):
            self.data[start:end] = self.chance.randbytes(end - start)
        for start, end in self.spots(2):
            self.data[start:end] = bytes(end - start)
        self.save()

    def revert(self):
        """About half of what differs from before is as it was again."""
        for start in range(0, len(self.data), GRAIN):
            old = self.before[start:start + GRAIN]
            if (len(old) == GRAIN and self.chance.random() < 0.5 and
                    self.data[start:start + GRAIN] != old):
                self.data[start:start + GRAIN] = old
        self.save()


    def grow(self, size):
        self.data += self.chance.randbytes(size)
        self.save()


class Outcome:
    """How a call of the program ended."""

    def __init__(self, status, out, err):
        self.status, self.err = status, err
        self.reply = json.loads(out) if out else None

    def message(self):
        error = (self.reply or {}).get("error") or {}
        return error.get("message", "")


class Program:
    def __init__(self, path, limit=600):
        self.path, self.limit = path, limit

    def start(self, *args):
        """A process that stands still until it gets SIGCONT."""
        process = subprocess.Popen(
            ["sh", "-c", 'kill -s STOP $$; exec "$0" "$@"', self.path, *args,
             "--json"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
        return process

    def end(self, process):
        process.send_signal(signal.SIGCONT)
        try:
            out, err = process.communicate(timeout=self.limit)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return Outcome(-signal.SIGALRM, b"", b"it does not end")
        return Outcome(process.returncode, out, err.decode())

    def run(self, *args):
        return self.end(self.start(*args))
