#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""proxy.py - stands between a client and the blob service, and makes trouble

    proxy.py UPSTREAM_PORT PORT_FILE

Listens on a free port of the loopback, which it writes to PORT_FILE, and passes
what comes to 127.0.0.1:UPSTREAM_PORT. It counts, and does what rules tell. It
stands for the network and for the service's front end, for nothing else: every
answer that it passes on is the real service's.

Tests tell it what to do by HTTP on the same port, see control.py; rules.py says
what a rule is.
"""
import email.utils
import http.client
import http.server
import io
import os
import signal
import socket
import struct
import sys
import time

from control import Control
from rules import State, kind_of

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "te", "trailer",
              "upgrade", "proxy-connection"}


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


class Handler(Control, http.server.BaseHTTPRequestHandler):
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

    def connect(self, port):
        return http.client.HTTPConnection("127.0.0.1", port)

    def pass_on(self, request):
        for last in (False, True):
            if self.connection_up is None:
                self.connection_up = self.connect(self.state.upstream)
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
        self.state.note(kind, request, reply.status)
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
            self.state.note(kind, request, 0)
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

class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        # Clients that went away are what this is for.
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


def listen(handler, port_file, tls=None):
    """A server on a port of its own; TLS, a context, if it is to speak that."""
    server = Server(("127.0.0.1", 0), handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True,
                                        do_handshake_on_connect=False)
    with open(port_file + ".new", "w", encoding="ascii") as out:
        out.write(str(server.server_address[1]))
    os.rename(port_file + ".new", port_file)
    return server


def main(handler=Handler):
    handler.state = handler.state or State(int(sys.argv[1]))
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    listen(handler, sys.argv[2]).serve_forever()


if __name__ == "__main__":
    main()
