#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""deletion.py - a deletion that is killed at each of its requests in turn

    deletion.py PROGRAM CONTAINER VAULT_CONTAINER STRIDE IMAGE

Disk a is protected. For every STRIDE-th request i, from one of the first on,
before it reaches the service and after: a point is made; it is marked by a
client that is killed at i, then by one that is not; its day is over; its storage
is deleted by a client that is killed at i, then by one that is not. After each
death a point is either listed and whole, byte for byte, or a tombstone; after
each end nothing of it is left, and the other points are what they were.

Prints a line "CASES cases, DEATHS deaths...", or what is wrong.
"""
import os
import random
import sys

from judge import Judge
from machine import Disk, Program, Proxy
from prune import Marks, prune

KILLED = -9


class Deletions:
    def __init__(self, program, container, vault, image):
        self.program = Program(program)
        self.proxy = Proxy(os.environ["PROXY_PORT"])
        self.judge = Judge(container)
        self.marks = Marks(vault, container)
        self.disk = Disk("a", image, 65536, random.Random(1))
        self.known = {}
        self.deaths = 0

    def wrong(self, text):
        self.judge.wrong.append(text)

    def backup(self):
        self.disk.change()
        reply = self.program.run("backup")
        # With a warning where the last point was deleted.
        if reply.status not in (0, 3):
            self.wrong(f"backup: {reply.message()}")
            return None
        name = reply.reply["result"]["point"]
        self.known[name] = {"a": bytes(self.disk.data)}
        return name

    def die(self, at, after, *args):
        """Returns whether there was a request @at."""
        process = self.program.start(*args)
        self.proxy.rule(act="kill", pid=process.pid, skip=at - 1, after=after)
        outcome = self.program.end(process)
        self.proxy.post("clear")
        self.proxy.ask("idle")
        if outcome.status not in (0, KILLED):
            self.wrong(f"{args}, killed at {at}: {outcome.status}: "
                       f"{outcome.message()}")
        self.deaths += outcome.status == KILLED
        return outcome.status == KILLED

    def live(self, *args):
        outcome = self.program.run(*args)
        # The lease of a client that died runs out by itself; with --due a point
        # that is leased is left, with a warning.
        if outcome.status in (3, 7):
            self.judge.look()
            self.judge.end_leases()
            outcome = self.program.run(*args)
        if outcome.status:
            self.wrong(f"{args}: {outcome.status}: {outcome.message()}")

    def judge_all(self, where):
        """All points that there are: ours, whole, and no other."""
        self.judge.points = {}
        self.judge.look()
        listed = self.program.run("points", "--all").reply["result"]["points"]
        ours = sorted(p["name"] for p in listed if not p.get("tombstone"))
        if ours != self.judge.complete():
            self.wrong(f"{where}: we list {ours}, the SDK "
                       f"{self.judge.complete()}")
        for name in ours:
            self.judge.point(name, self.known[name])
        return ours

    def nothing_left(self, name, where):
        self.judge.look()
        for left in self.judge.left(name):
            self.wrong(f"{where}: {left} is left")
        if name in self.marks.names():
            self.wrong(f"{where}: its mark is left")

    def case(self, at, after):
        where = f"killed {'after' if after else 'before'} request {at}"
        name, newer = self.backup(), self.backup()
        if self.judge.wrong:
            return False
        more = self.die(at, after, "points", "delete", name, "--yes")
        if name not in self.judge_all(f"{where} of marking"):
            self.wrong(f"{where} of marking: the point is gone")
        self.live("points", "delete", name, "--yes")
        self.marks.age(name)
        more |= self.die(at, after, "points", "delete", "--due", "--yes")
        self.judge_all(f"{where} of deleting")
        self.live("points", "delete", "--due", "--yes")
        if name in self.judge_all(f"{where}, then not"):
            self.wrong(f"{where}: the point is there still")
        self.nothing_left(name, where)
        # Next time there is only one more.
        self.live("points", "delete", newer, "--yes", "--force")
        self.marks.age(newer)
        self.live("points", "delete", "--due", "--yes")
        return more

    def run(self, stride):
        at, cases, more = random.randrange(stride) + 1, 0, True
        self.first = at
        self.backup()
        while more and not self.judge.wrong:
            # With a stride, either is enough: they take turns.
            afters = (False, True) if stride == 1 else (bool(cases % 2),)
            more = all([self.case(at, after) for after in afters])
            cases += len(afters)
            at += stride
        return cases


def main():
    program, container, vault, stride, image = sys.argv[1:]
    deletions = Deletions(program, container, vault, image)
    cases = deletions.run(int(stride))
    print(f"{cases} cases, {deletions.deaths} deaths, from request "
          f"{deletions.first} on")
    for line in deletions.judge.wrong:
        print("wrong:", line)
    sys.exit(1 if deletions.judge.wrong else 0)


if __name__ == "__main__":
    main()
