# SPDX-License-Identifier: MIT
"""slowline.py RATE PORT-FILE - a proxy that lets RATE bytes a second through

In all, of what clients send; replies are not held back. It understands CONNECT
alone, and connects to the loopback, whatever it is asked for.
"""
import os
import socket
import sys
import threading
import time

PIECE = 16384


class Line:
    def __init__(self, rate):
        self.rate = rate
        self.lock = threading.Lock()
        self.free = 0.0         # when what has been let through is through

    def wait(self, size):
        with self.lock:
            begin = max(self.free, time.monotonic())
            self.free = begin + size / self.rate
        time.sleep(max(0, self.free - time.monotonic()))


def carry(source, to, line=None):
    try:
        while data := source.recv(PIECE):
            if line:
                line.wait(len(data))
            to.sendall(data)
        to.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def serve(client, line):
    head = b""
    while b"\r\n\r\n" not in head:
        head += client.recv(PIECE)
    port = int(head.split()[1].rpartition(b":")[2])
    server = socket.create_connection(("127.0.0.1", port))
    client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    threading.Thread(target=carry, args=(server, client), daemon=True).start()
    carry(client, server, line)


def main():
    line = Line(float(sys.argv[1]))
    listener = socket.socket()
    # Little is under way in buffers, where it looks as if it were sent.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * PIECE)
    listener.bind(("127.0.0.1", 0))
    listener.listen(64)
    with open(sys.argv[2] + ".new", "w", encoding="ascii") as out:
        out.write(str(listener.getsockname()[1]))
    os.rename(sys.argv[2] + ".new", sys.argv[2])
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0], line),
                         daemon=True).start()


main()
