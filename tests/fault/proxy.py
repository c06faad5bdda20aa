#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""proxy.py - stands between a client and the blob service, and makes trouble

    proxy.py UPSTREAM_PORT PORT_FILE

Listens on a free port of the loopback, which it writes to PORT_FILE, and passes
what comes to 127.0.0.1:UPSTREAM_PORT. It counts, and does what rules tell. It
stands for the network and for the service's front end, for nothing else: every
answer that it passes on is the real service's.

Control, by HTTP on the same port:

    POST /_/rule     adds a rule, JSON, see below; answers its number
    POST /_/clear    removes all rules, lets go of all that is held
    GET  /_/counts   {"KIND": {"requests": n, "bytes": n}, ...} of bodies sent
    POST /_/reset    counts from zero, with an empty log
    GET  /_/log      [{"kind", "method", "path", "bytes", "status"}, ...]
    GET  /_/await?rule=N[&times=N]     answers when rule N has acted that often
    POST /_/release  lets go of all that rules hold
    POST /_/replay?name=NAME[&index=I] sends what was recorded once more, byte
                     for byte, and answers {"status", "code"} of the reply
    GET  /_/recorded?name=NAME         {"count": n, "paths": [...]}
    GET  /_/acted    {"RULE": n, ...}, how often each rule has acted
    GET  /_/idle     answers when no client is connected: what a dead one has
                     sent has had its effect

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
import email.utils
import fnmatch
import http.client
import http.server
import io
import json
import os
import random
import re
import signal
import socket
import struct
import sys
import threading
import time
import urllib.parse

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "te", "trailer",
              "upgrade", "proxy-connection"}
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

    def note(self, kind, method, path, size, status):
        with self.changed:
            count = self.counts.setdefault(kind, {"requests": 0, "bytes": 0})
            count["requests"] += 1
            count["bytes"] += size
            self.log.append({"kind": kind, "method": method, "path": path,
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


def send(connection, request):
    """Passes a request on as it came; the reply with its body."""
    method, path, headers, body = request
    connection.putrequest(method, path, skip_host=True,
                          skip_accept_encoding=True)
    for name, value in headers:
        if name.lower() not in HOP_BY_HOP:
            connection.putheader(name, value)
    connection.endheaders(body if body else None)
    reply = connection.getresponse()
    return reply, reply.read()


def damaged(body):
    """With another bit in its middle."""
    at = len(body) // 2
    return body[:at] + bytes([body[at] ^ 0x10]) + body[at + 1:]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    state = None
    client = False          # not only control came over this connection
    connection_up = None

    def log_message(self, *args):   # pylint: disable=arguments-differ
        pass

    def answer(self, status, body=b"", headers=()):
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def vanish(self):
        """Ends the connection without a word."""
        self.close_connection = True

    def reset(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                   struct.pack("ii", 1, 0))
        self.vanish()

    def stall(self):
        """Until the client closes its end."""
        while self.connection.recv(65536):
            pass
        self.vanish()

    def pass_on(self, request):
        for last in (False, True):
            if self.connection_up is None:
                self.connection_up = http.client.HTTPConnection(
                    "127.0.0.1", self.state.upstream)
            try:
                return send(self.connection_up, request)
            except (http.client.RemoteDisconnected, ConnectionError):
                # A kept connection may have been closed meanwhile; a new
                # one that is closed is the service's doing.
                self.connection_up.close()
                fresh, self.connection_up = last, None
                if fresh:
                    raise
        return None

    def relay(self, request, kind):
        reply, body = self.pass_on(request)
        self.state.note(kind, request[0], request[1], len(request[3]),
                        reply.status)
        return reply, body

    def rendered(self, reply, body, altered=()):
        """The bytes of a reply."""
        out, self.wfile = self.wfile, io.BytesIO()
        try:
            self.render(reply, body, altered)
            return self.wfile.getvalue()
        finally:
            self.wfile = out

    def give_back(self, reply, body, altered=()):
        self.wfile.write(self.rendered(reply, body, altered))

    def render(self, reply, body, altered):
        self.send_response_only(reply.status, reply.reason)
        for name, value in altered:
            self.send_header(name, value)
        gone = HOP_BY_HOP | {name.lower() for name, _ in altered}
        for name, value in reply.getheaders():
            if name.lower() in gone:
                continue
            if name.lower() == "content-length" and self.command != "HEAD":
                continue
            self.send_header(name, value)
        if self.command != "HEAD" and "content-length" not in gone:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def spoil(self, rule, reply, body):
        """Gives back a reply that is not what the service sent."""
        altered = list(rule.text.get("headers", {}).items())
        if rule.action == "truncate":
            whole = self.rendered(reply, body)
            self.wfile.write(whole[:len(whole) // 2 if not body else
                                   len(whole) - (len(body) + 1) // 2])
            self.vanish()
            return
        if rule.action == "length":
            altered.append(("Content-Length",
                            str(max(len(body) + rule.text["by"], 0))))
            self.vanish()
        elif rule.action == "garbage" and body:
            body = b"<?xml version='1.0'?><\xff\x00" + body[:len(body) // 2]
        elif rule.action == "corrupt" and body and reply.status in (200, 206):
            at = rule.chance.randrange(len(body))
            bit = 1 << rule.chance.randrange(8)
            body = body[:at] + bytes([body[at] ^ bit]) + body[at + 1:]
        elif rule.action == "shift":
            date = email.utils.parsedate_to_datetime(reply.getheader("Date"))
            altered.append(("Date", email.utils.formatdate(
                date.timestamp() + rule.text["seconds"], usegmt=True)))
        self.give_back(reply, body, altered)

    def end_lease(self, sas):
        headers = [("x-ms-version", "2020-10-02"), ("Content-Length", "0"),
                   ("x-ms-lease-action", "break"),
                   ("x-ms-lease-break-period", "0")]
        path = self.path.split("?")[0] + "?comp=lease&" + sas
        self.pass_on(("PUT", path, headers, b""))

    def act(self, rule, request, kind):
        """Does what the rule says; True if the request is dealt with."""
        if rule.action == "delay":
            time.sleep(rule.text["seconds"])
            return False
        if rule.action == "hold":
            self.state.hold()
            return False
        if rule.action == "damage":
            if rule.text["where"] == "request":
                request = request[:3] + (damaged(request[3]),)
            reply, body = self.relay(request, kind)
            if rule.text["where"] == "reply":
                body = damaged(body)
            self.give_back(reply, body)
            return True
        if rule.action == "break":
            self.end_lease(rule.text["sas"])
            return False
        if rule.action in ("alter", "truncate", "length", "garbage", "corrupt",
                           "shift"):
            reply, body = self.relay(request, kind)
            self.spoil(rule, reply, body)
            return True
        if rule.action == "drop" or rule.text.get("after"):
            self.relay(request, kind)
        else:
            self.state.note(kind, request[0], request[1], len(request[3]), 0)
        if rule.action == "kill":
            os.kill(int(rule.text["pid"]), signal.SIGKILL)
        if rule.action == "stall":
            self.stall()
        elif rule.action == "reset":
            self.reset()
        elif rule.action == "status":
            headers = [("x-ms-error-code", rule.text.get("code", "Injected")),
                       ("x-ms-request-id",
                        "00000000-0000-4000-8000-000000000000")]
            headers += list(rule.text.get("headers", {}).items())
            self.answer(rule.text["status"], b"", headers)
        else:
            self.vanish()
        return True

    def handle_any(self):
        size = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(size) if size else b""
        if self.path.startswith("/_/"):
            self.control(body)
            return
        if len(body) < size:    # the client has died over it
            self.vanish()
            return
        if not self.client:
            self.client = True
            self.state.clients_change(1)
        self.handle_request(body)
        for request in self.state.due():
            self.pass_on(request)

    def finish(self):
        try:
            super().finish()
        finally:
            if self.client:
                self.state.clients_change(-1)

    def handle_request(self, body):
        request = (self.command, self.path, self.headers.items(), body)
        kind = kind_of(self.command, self.path, self.headers)
        rule = self.state.choose(kind, request)
        if rule and self.act(rule, request, kind):
            return
        try:
            reply, body = self.relay(request, kind)
        except OSError:
            self.vanish()
            return
        self.give_back(reply, body)

    do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = handle_any

    def control(self, body):
        parts = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(parts.query))
        verb = getattr(self, "control_" + parts.path[3:], None)
        if verb is None:
            self.answer(404)
            return
        try:
            result = verb(query, body)
        except (KeyError, ValueError, IndexError) as error:
            self.answer(400, repr(error).encode())
            return
        self.answer(200, json.dumps(result).encode() + b"\n")

    def control_rule(self, _query, body):
        state = self.state
        with state.changed:
            state.rules_made += 1
            state.rules.append(Rule(state.rules_made, json.loads(body)))
            return state.rules_made

    def control_clear(self, _query, _body):
        with self.state.changed:
            self.state.rules = []
        self.state.release()

    def control_release(self, _query, _body):
        self.state.release()

    def control_counts(self, _query, _body):
        with self.state.changed:
            return dict(self.state.counts)

    def control_reset(self, _query, _body):
        with self.state.changed:
            self.state.counts = {}
            self.state.log = []

    def control_log(self, _query, _body):
        with self.state.changed:
            return list(self.state.log)

    def control_acted(self, _query, _body):
        with self.state.changed:
            return {rule.number: rule.acted for rule in self.state.rules}

    def control_idle(self, _query, _body):
        with self.state.changed:
            self.state.changed.wait_for(lambda: not self.state.clients)

    def control_await(self, query, _body):
        state = self.state
        number, times = int(query["rule"]), int(query.get("times", 1))
        with state.changed:
            rule = next((r for r in state.rules if r.number == number), None)
            if rule is None:
                raise KeyError("rule")
            state.changed.wait_for(lambda: rule.acted >= times)
            return rule.acted

    def control_recorded(self, query, _body):
        with self.state.changed:
            kept = self.state.recorded.get(query["name"], [])
            return {"count": len(kept), "paths": [r[1] for r in kept]}

    def control_replay(self, query, _body):
        with self.state.changed:
            kept = self.state.recorded[query["name"]]
            request = kept[int(query.get("index", 0))]
        reply, body = self.pass_on(request)
        code = re.search(rb"<Code>([^<]*)", body)
        return {"status": reply.status,
                "code": reply.getheader("x-ms-error-code") or
                (code.group(1).decode() if code else "")}


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        # Clients that went away are what this is for.
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


def main(handler=Handler):
    handler.state = State(int(sys.argv[1]))
    server = Server(("127.0.0.1", 0), handler)
    with open(sys.argv[2] + ".new", "w", encoding="ascii") as out:
        out.write(str(server.server_address[1]))
    os.rename(sys.argv[2] + ".new", sys.argv[2])
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    server.serve_forever()


if __name__ == "__main__":
    main()
