#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""server.py - backups and restores while the service and the network misbehave

    server.py PROGRAM CONTAINER VAULT SEED ROUNDS PERCENT SAS WHERE
        NAME=IMAGE:CHUNK... [-- FAULT...]

Of every fault (default: each, all at once, and `late`) there are ROUNDS: the
disks change, are backed up, and one is restored to a file in WHERE, while
PERCENT of the requests that the fault can strike are struck. What ends well is
right, by the file and by what the SDK sees; what does not says why. One fault
alone lets at most one of a hundred fail. `late` is another thing: every request
of some backups comes once more when they have ended, and changes nothing.

Prints a line "FAULT: ..." for each, then what is wrong. Exit status 1:
something was.
"""
import os
import random
import sys

from judge import Judge
from machine import Disk, Program, Proxy
from prune import Marks, prune

# Written at another's word, so conditions stand on them
GUARDED = {"header": "^(x-ms-if-sequence-number-eq|if-match)$"}
LEASED = {"header": "^x-ms-lease-id$"}
CLOCK = 20 * 60


def status(number, code, after=(False, True), **more):
    return [{"act": "status", "status": number, "code": code, "after": a,
             **more} for a in after]


def both(act, **more):
    return [{"act": act, "after": a, **more} for a in (False, True)]


# What strikes: rules, of which each gets its share of the percentage.
FAULTS = {
    "500": status(500, "InternalError"),
    "503": status(503, "ServerBusy", headers={"Retry-After": "1"}),
    "429": status(429, "TooManyRequests", (False,)),
    "408": status(408, "RequestTimeout"),
    "reset": both("reset"),
    "close": [{"act": "refuse"}, {"act": "drop"}],
    "truncate": [{"act": "truncate"}],
    "length": [{"act": "length", "by": by} for by in (-1, -300, 1, 4096)],
    "stall": both("stall"),
    "garbage": [{"act": "garbage", "kind": "*list"}],
    "expired": status(403, "AuthenticationFailed", (False,)),
    "lease": [{"act": "break", **LEASED}],
    "412": status(412, "ConditionNotMet", (False,), **GUARDED),
    "corrupt": [{"act": "corrupt", "kind": "read"}],
    "clock": [{"act": "shift", "seconds": s} for s in (-CLOCK, CLOCK)],
    "again": [{"act": "again", "later": n} for n in (0, 3, 40)],
    "token": status(401, "InvalidAuthenticationInfo", (False,)),
}
# For a machine that has a token, of which a new one is to be had
WITH_TOKEN = ("token",)
# What costs seconds, or is many at once: with few rounds, a quarter of it
LESS = ("503", "stall", "all")
# Where the service says nothing it is given up after so many seconds
IMPATIENT = {"stall": 3, "all": 3}
# What cannot be helped by trying again, and how that ends: a key or signature
# that is refused, for that is how a service says that it will not be accepted
# again either (a token is another thing: a new one is asked for)
FATAL = {"expired": 5}
# What makes requests come twice: one for a lease may take it anew, when the run
# is over that had it, for as long as leases last, and one for a restore's hold
# may bring that back, for its hour
TWICE = ("again", "all")
TERM = 70
KEEP = 4        # points, when a fault has had its turn


class Server:
    def __init__(self, args):
        program, container, vault, seed, rounds, percent, sas, *rest = args
        self.chance = random.Random(int(seed))
        self.rounds, self.percent = int(rounds), float(percent)
        self.sas, self.where = sas, rest.pop(0)
        self.program = Program(program)
        self.proxy = Proxy(os.environ["PROXY_PORT"])
        self.judge = Judge(container)
        self.marks = Marks(vault, container)
        self.disks = []
        for text in rest:
            name, image = text.split("=", 1)
            path, chunk = image.rsplit(":", 1)
            self.disks.append(Disk(name, path, int(chunk), self.chance))
        self.judge.look()
        self.known = set(self.judge.complete())
        self.fault = None

    def wrong(self, text):
        self.judge.wrong.append(f"{self.fault}: {text}")

    def arm(self, rules, percent):
        """Of one fault one request is struck in any case, others by chance."""
        rules = [dict(rule, sas=self.sas) for rule in rules]
        if self.fault != "all":
            self.proxy.rule(times=1, skip=self.chance.randrange(2),
                            **self.chance.choice(rules))
        for rule in rules:
            self.proxy.rule(percent=percent / len(rules),
                            seed=self.chance.randrange(1 << 30), **rule)

    def be_patient(self, seconds):
        """Sets the time for one request; None: as it is by default."""
        path = os.environ["TIDEMARK_CONFIG"] + ".d/timeout.conf"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="ascii") as config:
            if seconds:
                config.write(f"[transfer]\ntimeout = {seconds}\n")

    def explained(self, what, outcome):
        """What did not end well said why; returns whether it did."""
        if outcome.status in (0, 3):    # 3: with a warning, of clocks
            return True
        if (not 0 < outcome.status <= 12 or not outcome.message() or
                outcome.status != FATAL.get(self.fault, outcome.status)):
            self.wrong(f"{what}: exit {outcome.status}: {outcome.err[-300:]}")
        print(f"# {self.fault}: {what}: exit {outcome.status}: "
              f"{outcome.message()}")
        return False

    def backup(self):
        """Returns whether there is a point, which is right, as it was said."""
        outcome = self.program.run("backup")
        good = self.explained("backup", outcome)
        self.proxy.ask("idle")
        self.judge.look()
        new = [n for n in self.judge.complete() if n not in self.known]
        self.known.update(new)
        for name in new:
            self.judge.point(name, {d.name: bytes(d.data) for d in self.disks})
        if len(new) != good and "not known" not in outcome.err:
            self.wrong(f"exit {outcome.status}, and {len(new)} points")
        return good

    def restore(self, disk):
        target = os.path.join(self.where, "restored.img")
        outcome = self.program.run("restore", "disk", disk.name, target,
                                   "--yes")
        good = self.explained("restore", outcome)
        if good:
            with open(target, "rb") as image:
                if image.read() != disk.data:
                    self.wrong(f"restore of {disk.name} is not the disk")
        if os.path.exists(target):
            os.unlink(target)
        return good

    def one_round(self, arm):
        for disk in self.disks:
            disk.change()
        arm()
        backed_up = self.backup()
        restored = backed_up and self.restore(self.chance.choice(self.disks))
        struck = sum(self.proxy.ask("acted").values())
        self.proxy.post("clear")
        return backed_up, restored, struck

    def run(self, fault, rules, percent, most_failed):
        self.fault = fault
        if fault in FATAL:
            most_failed = self.rounds
        backups = restores = struck = 0

        def arm():
            self.be_patient(IMPATIENT.get(fault))
            for group in rules:
                self.arm(group, percent)
        for _ in range(self.rounds):
            backed_up, restored, count = self.one_round(arm)
            backups += backed_up
            restores += restored
            struck += count
            if not backed_up:
                self.settle()
        print(f"{fault}: {struck} requests struck; of {self.rounds} backups "
              f"{backups} completed, of their restores {restores}")
        if self.rounds - min(backups, restores) > most_failed:
            self.wrong("too few completed")
        if not struck:
            self.wrong("nothing was struck")
        self.be_patient(None)
        self.thin_out()

    def thin_out(self):
        """To list them takes longer with each point that there is."""
        old = sorted(self.known)[:-KEEP]
        if self.fault in TWICE:
            self.judge.end_holds()
        wrong = prune(self.program, self.marks, old)
        if wrong:
            self.wrong(wrong)
            return
        self.known.difference_update(old)
        for name in old:
            del self.judge.points[name]
        self.judge.look()
        self.judge.orphans()

    def settle(self):
        """Undisturbed, a backup is made; it mends all that was left."""
        self.be_patient(None)
        if self.fault in TWICE:
            self.judge.await_leases(TERM)
        if not self.backup():
            self.wrong("nor does an undisturbed backup end well")
        self.judge.leases(none=True)
        self.judge.orphans()

    def replay(self, order):
        """Returns how many page writes were refused."""
        paths = self.proxy.ask("recorded?name=late")["paths"]
        refused = 0
        for index in order(range(len(paths))):
            reply = self.proxy.post(f"replay?name=late&index={index}")
            if "comp=page&" not in paths[index] + "&":
                continue
            refused += 1
            if reply["status"] < 400:
                self.wrong(f"a late {paths[index]} was taken")
        return refused

    def late(self):
        self.fault = "late"
        self.proxy.rule(act="record", kind="*", times=0, name="late")
        for _ in range(2):
            for disk in self.disks:
                disk.change()
            # A size has no sequence number to guard it
            self.disks[0].grow(1 << 20)
            if not self.backup():
                self.wrong("the backups did not end well")
        self.proxy.post("clear")
        before = self.judge.contents()
        refused = self.replay(list)
        refused += self.replay(
            lambda r: self.chance.sample(r, len(r)))
        self.judge.look()
        after = self.judge.contents()
        for blob in before:
            if after.get(blob) != before[blob]:
                self.wrong(f"{blob} was changed")
        # A snapshot once more is for prune to find, by its point
        for name, snapshot in after.keys() - before.keys():
            if not snapshot or after[name, snapshot] != after[name, None]:
                self.wrong(f"{name} {snapshot} has come into being")
        print(f"late: {refused} page writes came too late, twice")
        self.judge.orphans()
        # Of their leases some may have been taken anew, for their minute
        self.judge.leases(none=False)
        self.judge.end_leases()
        for disk in self.disks:
            disk.change()
        self.settle()


def main():
    args = sys.argv[1:]
    wanted = [f for f in FAULTS if f not in WITH_TOKEN] + ["all", "late"]
    if "--" in args:
        at = args.index("--")
        args, wanted = args[:at], args[at + 1:]
    server = Server(args)
    for fault in wanted:
        percent = server.percent
        if fault in LESS and server.rounds < 100:
            percent /= 4
        if fault == "all":
            server.run("all", [rules for name, rules in FAULTS.items()
                               if FATAL.get(name) != 5 and
                               name not in WITH_TOKEN],
                       percent, server.rounds)
            continue
        if fault == "late":
            server.late()
            continue
        server.run(fault, [FAULTS[fault]], percent, server.rounds // 100)
        sys.stdout.flush()
    for line in server.judge.wrong:
        print("wrong:", line)
    sys.exit(1 if server.judge.wrong else 0)


if __name__ == "__main__":
    main()
