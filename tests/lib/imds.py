#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""imds.py - stands for Azure's Instance Metadata Service, as far as it is asked

    imds.py PORT_FILE LOG RULES

Listens on a free port of the loopback, which it writes to PORT_FILE, and answers
GET /metadata/identity/oauth2/token as the service does: 400 without the header
`Metadata: true`, with a header X-Forwarded-For, or for another resource than
storage. It stands for 169.254.169.254 of a virtual machine, and for the
directory that signs the tokens: those it gives out are unsigned, with the claims
that Azurite's `--oauth basic` looks at (issuer, audience, times). What it cannot
show is whether the real service accepts a token. GET /metadata/instance gives
what the rules say.

RULES is a file of JSON, read anew for each request:

    life        seconds that a token holds, default 3600
    says        seconds that it is said to hold, default `life`; numbers are
                sent as strings, as the service does
    identities  who is assigned: "system", or the value that the client asks
                for; default ["system"]
    instance    what the machine is; default: nobody knows, 404
    answers     statuses to answer first, in turn, across changes of the file

LOG gets a line for each request: STATUS QUERY. A token's `jti` is the number of
the request, so that no two are equal.
"""
import base64
import http.server
import json
import os
import sys
import time
import urllib.parse

PORT_FILE, LOG, RULES = sys.argv[1:4]
PATH = "/metadata/identity/oauth2/token"
INSTANCE = "/metadata/instance"
AUDIENCE = "https://storage.azure.com/"


def encode(part):
    text = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def token(number, life):
    now = int(time.time())
    claims = {"aud": AUDIENCE.rstrip("/"), "iat": now, "nbf": now - 5,
              "exp": now + life, "jti": str(number),
              "iss": "https://sts.windows.net/00000000-0000-0000-0000-000000000000/"}
    return ".".join([encode({"alg": "none", "typ": "JWT"}), encode(claims),
                     encode(b"stand-in")])


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    asked = 0
    answered = 0

    def log_message(self, *args):
        pass

    def decide(self, url):
        """Status and body for a request."""
        with open(RULES) as file:
            rules = json.load(file)
        query = dict(urllib.parse.parse_qsl(url.query))
        if (url.path == INSTANCE and "instance" in rules and
                self.headers.get("Metadata") == "true" and
                query.get("api-version") == "2021-02-01"):
            return 200, rules["instance"]
        if url.path != PATH:
            return 404, {"error": "not_found", "error_description": url.path}
        if (self.headers.get("Metadata") != "true" or
                "X-Forwarded-For" in self.headers or
                query.get("api-version") != "2018-02-01"):
            return 400, {"error": "invalid_request",
                         "error_description": "Required metadata header not specified"}
        if query.get("resource") != AUDIENCE:
            return 400, {"error": "invalid_resource",
                         "error_description": "AADSTS500011"}
        answers = rules.get("answers", [])
        if Handler.answered < len(answers):
            Handler.answered += 1
            return answers[Handler.answered - 1], {
                "error": "temporarily", "error_description": "come again"}
        who = [query[key] for key in ("client_id", "object_id", "msi_res_id")
               if key in query] or ["system"]
        if who[0] not in rules.get("identities", ["system"]):
            return 400, {"error": "invalid_request",
                         "error_description": "Identity not found"}
        life = rules.get("life", 3600)
        says = rules.get("says", life)
        return 200, {"access_token": token(Handler.asked, life),
                     "client_id": who[0], "expires_in": str(says),
                     "expires_on": str(int(time.time()) + says),
                     "resource": AUDIENCE, "token_type": "Bearer"}

    def do_GET(self):
        Handler.asked += 1
        url = urllib.parse.urlsplit(self.path)
        status, answer = self.decide(url)
        with open(LOG, "a") as log:
            print(status, url.query, file=log)
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with open(PORT_FILE + ".new", "w") as file:
        file.write(str(server.server_address[1]))
    os.rename(PORT_FILE + ".new", PORT_FILE)
    server.serve_forever()


if __name__ == "__main__":
    main()
