#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A strict reader of Prometheus' text format, as our files are to be.

    prom.py FILE                checks it; says what is wrong, exit 1
    prom.py FILE NAME [K=V...]  prints the value of that sample, or "none"
"""
import re
import sys

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? "
                    r"(-?[0-9]+(?:\.[0-9]+)?)")
# What a name ends in, for what is not a plain number.
NOT_BASE = re.compile(r"_(ms|milliseconds|minutes|hours|kib|kb|mb|mib|gib|"
                      r"percent)(_|$)")


def fail(number, line, why):
    sys.exit(f"line {number}: {why}: {line}")


def unescape(text):
    return re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], text)


def read(path):
    with open(path, encoding="utf-8", newline="") as file:
        text = file.read()
    if not text.endswith("\n") or "\r" in text:
        sys.exit("the text does not end in a line end, or has others")
    samples, kinds, helped, current = {}, {}, set(), None
    for number, line in enumerate(text[:-1].split("\n"), 1):
        comment = re.fullmatch(rf"# (HELP|TYPE) ({NAME}) (.+)", line)
        if comment and comment[1] == "HELP":
            if comment[2] in helped:
                fail(number, line, "second HELP")
            helped.add(comment[2])
            current = comment[2]
            continue
        if comment:
            if comment[2] != current or comment[2] in kinds:
                fail(number, line, "TYPE is not just after its HELP")
            if comment[3] not in ("counter", "gauge"):
                fail(number, line, "no type of ours")
            if (comment[3] == "counter") != comment[2].endswith("_total"):
                fail(number, line, "_total is for counters")
            if not comment[2].startswith("tidemark_") or \
               NOT_BASE.search(comment[2]):
                fail(number, line, "no name of ours, or no base unit")
            kinds[comment[2]] = comment[3]
            continue
        match = SAMPLE.fullmatch(line)
        if not match:
            fail(number, line, "not a sample")
        if match[1] != current or current not in kinds:
            fail(number, line, "stands outside of its family")
        labels = [(k, unescape(v)) for k, v in
                  re.findall(LABEL, match[2] or "")]
        if len({k for k, _ in labels}) != len(labels):
            fail(number, line, "a label twice")
        key = (match[1], frozenset(labels))
        if key in samples:
            fail(number, line, "a sample twice")
        value = float(match.groups()[-1])
        if kinds[current] == "counter" and value < 0:
            fail(number, line, "a counter below 0")
        samples[key] = value
    if set(kinds) != {name for name, _ in samples}:
        sys.exit("a family has no sample")
    return samples


def main():
    samples = read(sys.argv[1])
    if len(sys.argv) > 2:
        wanted = frozenset(tuple(a.split("=", 1)) for a in sys.argv[3:])
        value = samples.get((sys.argv[2], wanted))
        print("none" if value is None else
              int(value) if value == int(value) else value)


main()
