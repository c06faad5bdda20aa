#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""keyed.py - the fault proxy, before a service that takes customer-provided keys

    keyed.py UPSTREAM_PORT PORT_FILE

Azurite does not: it refuses their headers, or ignores them when it is told to
(--loose). So this stands for the service where it does: it keeps the SHA-256 of
the key that each blob was made with, and answers as the service does, with its
codes, when a request comes without the key, with another one, or with one for a
blob that has none; and when an operation is given a key that takes none. It
encrypts nothing. What passes goes to Azurite, headers and signature as they are.

What it knows of the service is from "Provide an encryption key on a request to
Blob storage" (operations, headers, 409), from the REST API's published
specification (Set Blob Properties takes a key where it resizes), and from the
replies recorded in the tests of Microsoft's libraries (codes, Metadata
Encrypted="true" in lists). That the service refuses a key where it takes none is
this file's own strictness.

    GET /_/keyed     [{"kind", "path", "key": SHA-256 or null}, ...] of all
                     requests for blobs so far, in order; null: it came without
    POST /_/forget   the blobs are as if made without a key: another service's
    POST /_/remember takes that back
"""
import base64
import binascii
import hashlib
import re
import threading
import urllib.parse

import proxy
from rules import kind_of

KEY = "x-ms-encryption-key"
TAKE = {"page-create", "block-put", "page-put", "page-clear", "resize", "read",
        "properties", "metadata", "snapshot"}
WRITE = TAKE - {"read", "properties"}
MAKE = {"page-create", "block-put"}
USES = (409, "BlobUsesCustomerSpecifiedEncryption")
USES_NOT = (409, "BlobDoesNotUseCustomerSpecifiedEncryption")
MISMATCH = (409, "BlobCustomerSpecifiedEncryptionMismatch")
BAD_VALUE = (400, "InvalidHeaderValue")
MISSING = (400, "MissingRequiredHeader")
UNSUPPORTED = (400, "UnsupportedHeader")
CANNOT_COPY = (409, "CannotVerifyCopySource")


class Keys:
    """Which blob is under which key; by container and name."""

    def __init__(self):
        self.lock = threading.Lock()
        self.of = {}
        self.set_aside = None
        self.seen = []


def blob_of(path):
    return urllib.parse.unquote(urllib.parse.urlsplit(path).path)


def sent(headers, kind):
    """The SHA-256 of the key that came, None; or what is wrong with it."""
    given = {name.lower(): value for name, value in headers
             if name.lower().startswith("x-ms-encryption-")}
    if not given:
        return None, None
    if kind not in TAKE:
        return None, UNSUPPORTED
    key, said = given.get(KEY), given.get(KEY + "-sha256")
    algorithm = given.get("x-ms-encryption-algorithm")
    if key is None or said is None or (kind in WRITE and algorithm is None):
        return None, MISSING
    try:
        key = base64.b64decode(key, validate=True)
    except binascii.Error:
        return None, BAD_VALUE
    right = base64.b64encode(hashlib.sha256(key).digest()).decode()
    if len(key) != 32 or said != right or algorithm not in (None, "AES256"):
        return None, BAD_VALUE
    return said, None


class Handler(proxy.Handler):
    keys = Keys()

    def judge(self, kind, request):
        """What the service answers instead of acting, or None."""
        _, path, headers, _ = request
        said, wrong = sent(headers, kind)
        with self.keys.lock:
            self.keys.seen.append({"kind": kind, "path": path, "key": said})
            there = blob_of(path) in self.keys.of
            known = self.keys.of.get(blob_of(path))
        if wrong:
            return wrong
        source = dict((n.lower(), v) for n, v in headers).get(
            "x-ms-copy-source")
        if source and self.keys.of.get(blob_of(source)):
            return CANNOT_COPY
        if kind not in TAKE or kind in MAKE or not there or said == known:
            return None
        return MISMATCH if said and known else USES if known else USES_NOT

    def handle_request(self, body):
        request = (self.command, self.path, self.headers.items(), body)
        kind = kind_of(self.command, self.path, self.headers)
        verdict = self.judge(kind, request)
        if verdict is None:
            super().handle_request(body)
            return
        status, code = verdict
        self.state.note(kind, request, status)
        text = f"<?xml version='1.0'?><Error><Code>{code}</Code></Error>"
        self.answer(status, text.encode(), [
            ("x-ms-error-code", code), ("Content-Type", "application/xml"),
            ("x-ms-request-id", "00000000-0000-4000-8000-000000000000")])

    def relay(self, request, kind):
        reply, body = super().relay(request, kind)
        if kind in MAKE and reply.status == 201:
            with self.keys.lock:
                self.keys.of[blob_of(request[1])] = sent(request[2], kind)[0]
        if kind == "list" and reply.status == 200:
            body = self.hide(urllib.parse.urlsplit(request[1]).path, body)
        return reply, body

    def hide(self, container, body):
        """A list does not tell the metadata of what is under a key."""
        def one(match):
            name = re.search(rb"<Name>([^<]*)", match.group(0)).group(1)
            if not self.keys.of.get(f"{container}/{name.decode()}"):
                return match.group(0)
            return re.sub(rb"<Metadata>.*?</Metadata>|<Metadata/>",
                          b'<Metadata Encrypted="true"/>', match.group(0),
                          flags=re.DOTALL)
        return re.sub(rb"<Blob>.*?</Blob>", one, body, flags=re.DOTALL)

    def do_CONNECT(self):
        """As a proxy would, for an address that is not here: it is."""
        self.send_response_only(200)
        self.end_headers()

    def control_keyed(self, _query, _body):
        with self.keys.lock:
            return list(self.keys.seen)

    def control_forget(self, _query, _body):
        with self.keys.lock:
            self.keys.set_aside = self.keys.of
            self.keys.of = dict.fromkeys(self.keys.of)

    def control_remember(self, _query, _body):
        with self.keys.lock:
            self.keys.of = self.keys.set_aside


if __name__ == "__main__":
    proxy.main(Handler)
