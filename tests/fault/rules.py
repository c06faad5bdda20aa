# SPDX-License-Identifier: MIT
"""rules.py - which requests proxy.py acts on, and what it has seen

A rule: {"kind": PATTERN, "path": REGEX, "header": REGEX, "skip": n, "times": n,
"percent": n, "seed": n, "do": ACTION}. It takes requests whose kind matches
(shell pattern, default *), whose path and query match and one of whose headers'
names does (default: any); it leaves the first `skip` (0) alone and acts on
`times` of the next (1; 0 is: on all). With `percent` it acts on so many of a
hundred, chosen by `seed`, and `times` is 0 unless given. The first rule that
acts is the only one, but for `record` and `again`, which let others act too.
ACTION:

    refuse       closes the connection, nothing is passed on
    drop         passes the request on and closes without the reply
    reset        resets the connection; with "after": true the request has been
                 passed on
    stall        leaves the client without a word until it gives up; "after" as
                 above
    truncate     passes on, and closes in the middle of the reply
    length       passes on, and says of the reply's body that it were "by" bytes
                 longer (or shorter) than it is, then closes
    garbage      passes on; the reply's body, if it has one, makes no sense
    corrupt      passes on; in the reply's body, if it is a read that went well,
                 a bit is flipped
    shift        passes on; the reply's Date is "seconds" off
    break        ends the lease of the blob, then passes on; "sas" permits that
    again        passes on now, and once more, byte for byte, when "later" more
                 requests have come (0: right behind it)
    status       answers "status" with x-ms-error-code "code", "headers";
                 with "after": true the request has been passed on
    delay        waits "seconds", then passes on
    hold         waits for /_/release, then passes on
    kill         sends SIGKILL to "pid"; with "after": true the request has
                 been passed on; the client never sees a reply
    damage       passes on, with a bit of the body flipped "where" says: in the
                 "request" or in the "reply"
    alter        passes on, and sets "headers" of the reply: an account of
                 another kind than the emulator's
    record       keeps the request under "name" for /_/replay

Kinds: page-put page-clear page-create page-list sequence resize snapshot
lease-acquire lease-renew lease-release lease-break block-put read properties
metadata delete list container-create container-read container-delete account
other.
"""
import fnmatch
import random
import re
import threading
import urllib.parse

LEASE_ACTIONS = {"acquire", "renew", "release", "break", "change"}


def kind_of(method, path, headers):
    """Names the operation, from what the REST API tells them apart by."""
    query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(path).query))
    comp = query.get("comp")
    if query.get("restype") == "account":
        return "account"
    if comp == "list":
        return "list"
    if query.get("restype") == "container":
        return {"PUT": "container-create",
                "DELETE": "container-delete"}.get(method, "container-read")
    if comp == "lease" and headers.get("x-ms-lease-action") in LEASE_ACTIONS:
        return "lease-" + headers["x-ms-lease-action"]
    if method == "PUT":
        if comp == "page":
            return ("page-clear" if headers.get("x-ms-page-write") == "clear"
                    else "page-put")
        if comp == "properties":
            return ("sequence" if "x-ms-sequence-number-action" in headers
                    else "resize")
        if comp in ("snapshot", "metadata"):
            return comp
        if comp is None:
            return {"PageBlob": "page-create",
                    "BlockBlob": "block-put"}.get(
                        headers.get("x-ms-blob-type"), "other")
    if comp == "pagelist":
        return "page-list"
    if comp is None:
        return {"GET": "read", "HEAD": "properties",
                "DELETE": "delete"}.get(method, "other")
    return "other"


class Rule:
    def __init__(self, number, text):
        self.number = number
        self.kind = text.get("kind", "*")
        self.path = re.compile(text.get("path", ""))
        self.header = re.compile(text.get("header", ""), re.IGNORECASE)
        self.skip = text.get("skip", 0)
        self.percent = text.get("percent", 100)
        self.times = text.get("times", 0 if "percent" in text else 1)
        self.chance = random.Random(text.get("seed", 0))
        self.action = text["do"]
        self.text = text
        self.acted = 0

    def matches(self, kind, path, headers):
        if not (fnmatch.fnmatch(kind, self.kind) and self.path.search(path)):
            return False
        return any(self.header.search(name) for name, _ in headers)

    def takes(self, kind, request):
        if self.times and self.acted >= self.times:
            return False
        if not self.matches(kind, request[1], request[2]):
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.chance.random() * 100 >= self.percent:
            return False
        self.acted += 1
        return True


class State:
    """What all connections share; under one lock."""

    def __init__(self, upstream):
        self.upstream = upstream
        self.changed = threading.Condition()
        self.rules = []
        self.rules_made = 0
        self.generation = 0     # of releases
        self.counts = {}
        self.log = []
        self.recorded = {}
        self.again = []         # [requests to wait for, request]
        self.clients = 0        # connections that have asked for something

    def note(self, kind, request, status):
        method, path, headers, body = request
        size = len(body)
        where = [value for name, value in headers
                 if name.lower() in ("x-ms-range", "range")]
        with self.changed:
            count = self.counts.setdefault(kind, {"requests": 0, "bytes": 0})
            count["requests"] += 1
            count["bytes"] += size
            self.log.append({"kind": kind, "method": method, "path": path,
                             "range": where[0] if where else "",
                             "bytes": size, "status": status})

    def choose(self, kind, request):
        """The rule that acts on a request, or None; keeps what is recorded."""
        with self.changed:
            for rule in self.rules:
                if not rule.takes(kind, request):
                    continue
                if rule.action == "record":
                    self.recorded.setdefault(rule.text["name"],
                                             []).append(request)
                if rule.action == "again":
                    self.again.append([rule.text["later"], request])
                self.changed.notify_all()
                if rule.action not in ("record", "again"):
                    return rule
        return None

    def due(self):
        """The requests whose time has come to be sent again."""
        with self.changed:
            due = [request for left, request in self.again if not left]
            self.again = [[left - 1, request] for left, request in self.again
                          if left]
        return due

    def clients_change(self, change):
        with self.changed:
            self.clients += change
            self.changed.notify_all()

    def hold(self):
        with self.changed:
            generation = self.generation
            self.changed.wait_for(lambda: self.generation != generation)

    def release(self):
        with self.changed:
            self.generation += 1
            self.changed.notify_all()
