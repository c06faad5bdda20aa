#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""sweep.py - a client that is killed at each of its requests in turn

    sweep.py PROGRAM CONTAINER VAULT SEED STRIDE NAME=IMAGE:CHUNK...

The disks are protected and have a point. For every STRIDE-th request i, before
it reaches the service and after: the disks change and a backup is killed at i;
they change and partly revert, and the next is killed at random; the same again,
and the next one may end. After each, the vault is judged from outside. Requests
are counted as they come, in whatever order: a backup that ends before its i-th
shows that all have had their turn. When there are many points, the older ones
are pruned, and nothing of them is left.

Prints a line "N requests, N cases, N deaths, ...", or what is wrong.
"""
import os
import random
import sys

from judge import Judge
from machine import Disk, Program, Proxy
from prune import Marks, prune

KILLED = -9
KEEP = 4        # the newest points
PRUNE = 6       # as many at once


class Sweep:
    def __init__(self, program, container, vault, seed, disks):
        self.chance = random.Random(seed)
        self.program = Program(program)
        self.proxy = Proxy(os.environ["PROXY_PORT"])
        self.judge = Judge(container)
        self.marks = Marks(vault, container)
        self.disks = [Disk(*disk, self.chance) for disk in disks]
        self.judge.look()
        # What each point has to be, by name
        self.known = {name: self.images() for name in self.judge.complete()}
        self.deaths = self.commits = self.points = 0

    def images(self):
        return {disk.name: bytes(disk.data) for disk in self.disks}

    def wrong(self, text):
        self.judge.wrong.append(text)

    def listed(self, where):
        reply = self.program.run("points")
        if reply.status:
            self.wrong(f"{where}: points: {reply.err}")
            return
        ours = sorted(p["name"] for p in reply.reply["result"]["points"])
        if ours != self.judge.complete():
            self.wrong(f"{where}: we list {ours}, the SDK "
                       f"{self.judge.complete()}")

    def look(self, where):
        """Judges what there is; returns the names of new points."""
        judge = self.judge
        self.proxy.ask("idle")
        judge.look()
        new = [name for name in judge.complete() if name not in self.known]
        for name in new:
            self.known[name] = self.images()
            judge.point(name, self.known[name])
        self.points += len(new)
        if set(self.known) - set(judge.complete()):
            self.wrong(f"{where}: a point is gone")
        for disk in self.disks:
            judge.entries(disk.name, disk.chunk, where)
        self.listed(where)
        return new

    def die(self, at, after, where):
        """A backup is killed at its request @at; was it?"""
        process = self.program.start("backup")
        self.proxy.rule(act="kill", pid=process.pid, skip=at - 1, after=after)
        outcome = self.program.end(process)
        self.proxy.post("clear")
        new = self.look(where)
        self.judge.leases(none=outcome.status == 0)
        if outcome.status not in (0, KILLED):
            self.wrong(f"{where}: exit {outcome.status}: {outcome.message()}")
        if outcome.status == 0 and len(new) != 1:
            self.wrong(f"{where}: it ended well and made {len(new)} points")
        if len(new) > 1:
            self.wrong(f"{where}: two points of one run")
        self.deaths += outcome.status == KILLED
        self.commits += outcome.status == KILLED and len(new)
        return outcome.status == KILLED

    def live(self, where):
        """The next run ends, and nothing is left of the dead ones."""
        outcome = self.program.run("backup")
        if outcome.status:
            self.wrong(f"{where}: exit {outcome.status}: {outcome.message()}")
        if len(self.look(where)) != 1:
            self.wrong(f"{where}: it made no point")
        self.judge.leases(none=True)
        self.judge.orphans()
        # Of what was there before, one at random; all of it at the end
        name = self.chance.choice(sorted(self.known))
        self.judge.point(name, self.known[name])
        if len(self.known) >= KEEP + PRUNE and not self.judge.wrong:
            self.prune(where)

    def prune(self, where):
        """The older points are what they were, and then they are not."""
        old = sorted(self.known)[:-KEEP]
        for name in old:
            self.judge.point(name, self.known.pop(name))
            del self.judge.points[name]
        wrong = prune(self.program, self.marks, old)
        if wrong:
            self.wrong(f"{where}: {wrong}")
        self.look(f"{where}, and pruned")
        self.judge.orphans()
        for name in old:
            for left in self.judge.left(name):
                self.wrong(f"{where}: {left} is left of a deleted point")
        if self.marks.names():
            self.wrong(f"{where}: marks are left: {self.marks.names()}")

    def case(self, at, after):
        """Returns whether there was a request @at."""
        where = f"killed {'after' if after else 'before'} request {at}"
        for disk in self.disks:
            disk.change()
        was = self.die(at, after, where)
        self.mix()
        # Anywhere in a run of this length
        other = self.chance.randint(1, max(at, self.requests))
        self.die(other, self.chance.random() < 0.5, f"{where}, then {other}")
        self.mix()
        self.live(f"{where}, then {other}, then not")
        return was

    def mix(self):
        for disk in self.disks:
            before = disk.before
            disk.revert()
            disk.change()
            disk.before = before

    def count(self):
        """How many requests a backup makes that nobody disturbs."""
        for disk in self.disks:
            disk.change()
        self.proxy.post("reset")
        self.live("undisturbed")
        self.requests = self.proxy.requests()

    def run(self, stride):
        self.count()
        first = self.chance.randrange(stride) + 1
        cases, at = 0, first
        more = True
        while more and not self.judge.wrong:
            # With a stride, either is enough: the other has its turn elsewhere
            afters = ((False, True) if stride == 1 else
                      (self.chance.random() < 0.5,))
            more = all([self.case(at, after) for after in afters])
            cases += len(afters)
            at += stride
        for name, images in self.known.items():
            self.judge.point(name, images)
        return cases


def main():
    program, container, vault, seed, stride, *disks = sys.argv[1:]
    parsed = []
    for text in disks:
        name, rest = text.split("=", 1)
        path, chunk = rest.rsplit(":", 1)
        parsed.append((name, path, int(chunk)))
    sweep = Sweep(program, container, vault, int(seed), parsed)
    cases = sweep.run(int(stride))
    print(f"{sweep.requests} requests, {cases} cases, {sweep.deaths} deaths, "
          f"{sweep.commits} of them after the commit, "
          f"{sweep.points} points")
    for line in sweep.judge.wrong:
        print("wrong:", line)
    sys.exit(1 if sweep.judge.wrong else 0)


if __name__ == "__main__":
    main()
