#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""secure.py - the fault proxy, before a service that speaks TLS, as it does itself

    secure.py UPSTREAM_PORT PORT_FILE

AZURITE_CERT and AZURITE_CERT_KEY in the environment name the certificate of
both. Clients come by TLS, to the port in PORT_FILE.tls; what tests have to say
goes by plain HTTP to that in PORT_FILE.
"""
import http.client
import os
import ssl
import sys
import threading

import proxy
from rules import State


class Handler(proxy.Handler):
    context = None

    def connect(self, port):
        return http.client.HTTPSConnection("127.0.0.1", port,
                                           context=self.context)


def main():
    Handler.state = State(int(sys.argv[1]))
    # A certificate that signs itself
    Handler.context = ssl.create_default_context(
        cafile=os.environ["AZURITE_CERT"])
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(os.environ["AZURITE_CERT"],
                        os.environ["AZURITE_CERT_KEY"])
    clients = proxy.listen(Handler, sys.argv[2] + ".tls", tls)
    threading.Thread(target=clients.serve_forever, daemon=True).start()
    proxy.main(Handler)


if __name__ == "__main__":
    main()
