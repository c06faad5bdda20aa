#!/bin/sh
# SPDX-License-Identifier: MIT
#
# tidemark check: says what is missing, names it, and leaves nothing behind.

. "$(dirname "$0")/../lib/tap.sh"
. "$TESTS/lib/faults.sh"

# check ARG...: its outcomes, "ok" left out, in RESULT: "NAME=OUTCOME ..."; the
# list, a line each with tabs between, in $WORK/list
check() {
	tidemark check --json "$@"
	/usr/bin/python3 -c '
import json, sys
top = json.load(open(sys.argv[1]))
assert top["ok"] == (top["exit"] in (0, 3)) == ("error" not in top)
assert top["exit"] == int(sys.argv[2])
for c in top["result"]["checks"]:
    print(c["name"], c["outcome"], c["message"], c.get("action"),
          c.get("service_code"), sep="\t")' "$WORK/out" "$STATUS" \
		>"$WORK/list" || STATUS=json
	RESULT=$(awk -F '\t' '$2 != "ok" { print $1 "=" $2 }' "$WORK/list" |
		xargs)
}

# of CHECK MEMBER: of the last list
of() {
	awk -F '\t' -v name="$1" -v member="$2" '
		BEGIN { at["outcome"] = 2; at["message"] = 3; at["action"] = 4
			at["service_code"] = 5 }
		$1 == name { print $at[member] }' "$WORK/list"
}

# finds EXIT RESULT TEXT [ARG...]
finds() {
	finds_exit=$1 finds_result=$2 finds_text=$3
	shift 3
	check "$@"
	is "$STATUS $RESULT" "$finds_exit $finds_result" "$finds_text"
}

# with SAS COMMAND...
with() {
	CREDENTIALS="BlobEndpoint=$PROXY_URL;SharedAccessSignature=$1"
	shift
	"$@"
	unset CREDENTIALS
}

containers() {
	"$BUILD/tests/storage" containers
}

vault_start
"$TESTS/lib/sdk.py" account-sases rwcdl:co:1 rwcl:co:1 rcdl:co:1 rl:co:1 \
	wcdl:co:1 rwcd:co:1 rwcdl:o:1 rwcdl:co:-1 >"$WORK/sas"
{
	read -r sas_rwcdl
	read -r sas_rwcl
	read -r sas_rcdl
	read -r sas_rl
	read -r sas_wcdl
	read -r sas_rwcd
	read -r sas_blobs
	read -r sas_over
} <"$WORK/sas"
right_credentials=$AZURE_STORAGE_CONNECTION_STRING
no_blob="versions=skipped lease=skipped sequence=skipped write=skipped"
no_blob="$no_blob guard=skipped clear=skipped snapshot=skipped read=skipped"

# A machine that is not protected
tidemark check
is "$STATUS" 4 "no vault is known of"
finds 4 "vault=failed" "there is no vault yet" --url "$VAULT"
like "$(of vault action)" "*tidemark vault create*" "which can be made"
vault_make Main
before=$(containers)
finds 0 "" "a vault and all permissions" --url "$VAULT"
is "$(containers)" "$before" "the container made for it is gone"
is "$(of credentials message | grep -c "key of account")" 1 \
	"the key is known for what it is"
with "$sas_blobs" \
	finds 5 "container=failed create=skipped $no_blob list=skipped delete=skipped" \
	"a signature that cannot make containers" --url "$VAULT"
like "$(of container action)" "*create (c) of containers*" "says so"

# A machine that is
A=$WORK/a.img
random_disk "$A" 1
tidemark protect "$VAULT" "$A" --disk a --item m1
before=$(vault_state)
finds 0 "" "a protected machine"
is "$(cut -f 1 "$WORK/list" | xargs)" "connect tls clock credentials account vault container create\
 versions lease sequence write guard clear snapshot read list delete" \
	"everything is tried, in order"
tidemark check
is "$STATUS $(awk '{ print $1 }' "$WORK/out" | sort -u) $(wc -l <"$WORK/out")" \
	"0 ok 18" "in words a line for each"
is "$(vault_state)" "$before" "and nothing is left of it"

# Signatures that permit less. Who can neither create nor write makes no blob.
writes="lease=failed sequence=failed write=failed guard=failed clear=failed"
with "$sas_rwcl" \
	finds 3 "delete=warning" "to delete is only for administrators"
like "$(of delete message)" "cannot delete '$(container)/probes/*" \
	"what stays is named"
is "$("$BUILD/tests/storage" list "$(container)" probes/ | wc -l)" 2 \
	"a blob and its snapshot"
with "$sas_rcdl" \
	finds 5 "$writes" "no permission to write"
like "$(of write action)" "use a signature that permits write (w) in *$(container)*" \
	"is asked for by name, and where"
is "$(of write service_code)" AuthorizationPermissionMismatch \
	"with the service's answer"
with "$sas_rl" \
	finds 5 "create=failed $no_blob delete=skipped" "only reading"
like "$(of create action)" "*create (c) or write (w)*" "create is asked for"
with "$sas_wcdl" \
	finds 5 "vault=warning container=failed read=failed" "no permission to read"
like "$(of read action)" "*read (r)*" "is asked for"
with "$sas_rwcd" \
	finds 5 "list=failed" "no permission to list"
like "$(of list action)" "*list (l)*" "is asked for"
# The emulator, unlike the service, cannot read a snapshot with one of these.
with "$("$TESTS/lib/sdk.py" sas "$(container)" rwcdl)" \
	finds 5 "account=warning vault=warning read=failed" \
	"a signature for the machine's container alone"
with "$sas_over" \
	finds 5 "credentials=failed" "one that has expired"
CREDENTIALS=$(echo "$right_credentials" | sed s/Eby8/Eby9/)
finds 5 "credentials=failed" "a wrong key"
unset CREDENTIALS
is "$(grep -c "sig=\|Eby9" "$WORK/out" "$WORK/err" | cut -d : -f 2 | xargs)" \
	"0 0" "and no secret is said"

# Accounts that do not suit: the real answers, but for their kind
# suits_not TEXT RULE-HEADERS PATTERN
suits_not() {
	proxy_rule "{\"kind\":\"account\",\"times\":0,\"do\":\"alter\",
		\"headers\":{$2}}"
	finds 11 "account=failed" "$1"
	like "$(of account message)" "$3" "is named"
	tidemark vault create "$PROXY_URL/other" --name Other
	is "$STATUS" 11 "no vault is made there"
	like "$(head -n 1 "$WORK/err")" "*cannot make a vault in account *${3#*: }" \
		"for the same reason"
	proxy_clear
}
before=$(containers)
suits_not "a hierarchical namespace" '"x-ms-is-hns-enabled":"true"' \
	"*: it has a hierarchical namespace"
suits_not "premium page blobs" '"x-ms-sku-name":"Premium_LRS"' \
	"*: its page blobs are premium ones"
suits_not "premium block blobs" '"x-ms-account-kind":"BlockBlobStorage"' \
	"*: it holds block blobs only"
suits_not "an old account for block blobs" '"x-ms-account-kind":"BlobStorage"' \
	"*: it holds block blobs only"
suits_not "a file share's account" '"x-ms-account-kind":"FileStorage"' \
	"*: it holds files only"
proxy_rule '{"kind":"page-create","times":0,"do":"alter",
	"headers":{"x-ms-version-id":"2026-01-01T00:00:00.0000000Z"}}'
finds 11 "versions=failed" "an account that keeps versions"
proxy_clear
is "$(containers)" "$before" "no container was made"

# Clocks
date_off() {
	proxy_rule "{\"kind\":\"*\",\"times\":0,\"do\":\"alter\",\"headers\":
		{\"Date\":\"$(LC_ALL=C date -u -d "$1" '+%a, %d %b %Y %T GMT')\"}}"
}
date_off '20 minutes'
finds 5 "clock=failed" "a clock 20 minutes behind the server's"
like "$(of clock message)" "*s behind the server's" "is said to be"
with "$sas_rwcdl" \
	finds 3 "clock=warning" "a signature in the URL works nevertheless"
proxy_clear
date_off '-3 minutes'
finds 3 "clock=warning" "3 minutes are worth a warning"
proxy_clear

# A service that is not what it should be
proxy_rule '{"kind":"page-put","skip":1,"do":"status","status":201}'
finds 11 "guard=failed" "it lets late writes pass"
proxy_clear
proxy_rule '{"kind":"page-put","do":"status","status":201}'
finds 9 "read=failed" "it forgets what it has acknowledged"
proxy_clear
left=$("$BUILD/tests/storage" list "$(container)" probes/)
proxy_rule '{"kind":"page-create","do":"drop"}'
proxy_rule '{"kind":"snapshot","do":"drop"}'
finds 0 "" "replies that get lost"
proxy_clear
proxy_rule '{"kind":"lease-acquire","do":"hold"}'
env --default-signal=INT "$TIDEMARK" check >"$WORK/client.out" \
	2>"$WORK/client.err" </dev/null &
CLIENT=$!
proxy_await "$PROXY_RULE"
kill -s INT "$CLIENT"
ended
proxy_clear
is "$STATUS" 12 "a check can be cancelled"
is "$("$BUILD/tests/storage" list "$(container)" probes/)" "$left" \
	"nothing is left of these"

# Nobody there, or somebody else
gone=$(/usr/bin/python3 -c 'import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])')
CREDENTIALS=$(echo "$right_credentials" | sed "s/:$PROXY_PORT/:$gone/")
finds 6 "connect=failed" "nobody listens" \
	--url "http://127.0.0.1:$gone/$AZURITE_ACCOUNT/vault"

# A server of TLS, and a proxy that leads to it whatever it is asked for
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=acme.blob.test" \
	-addext "subjectAltName=DNS:acme.blob.test" -keyout "$WORK/key.pem" \
	-out "$WORK/cert.pem" 2>"$WORK/openssl.log"
cat >"$WORK/tunnel.py" <<'END'
import http.server, os, select, socket, ssl, sys, threading

context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1] + "/cert.pem", sys.argv[1] + "/key.pem")


class Origin(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(403)
        self.send_header("x-ms-error-code", "AuthorizationPermissionMismatch")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_PUT = do_GET

    def log_message(self, *args):
        pass


class Proxy(http.server.BaseHTTPRequestHandler):
    def do_CONNECT(self):
        up = socket.create_connection(origin.server_address)
        self.wfile.write(b"HTTP/1.1 200 Tunnel\r\n\r\n")
        ends = {self.connection: up, up: self.connection}
        while True:
            for end in select.select(list(ends), [], [])[0]:
                data = end.recv(65536)
                if not data:
                    return
                ends[end].sendall(data)

    def log_message(self, *args):
        pass


origin = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Origin)
origin.socket = context.wrap_socket(origin.socket, server_side=True)
threading.Thread(target=origin.serve_forever, daemon=True).start()
proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
with open(sys.argv[1] + "/tunnel.new", "w") as out:
    print(origin.server_address[1], proxy.server_address[1], file=out)
os.rename(sys.argv[1] + "/tunnel.new", sys.argv[1] + "/tunnel")
proxy.serve_forever()
END
setpriv --pdeathsig TERM /usr/bin/python3 "$WORK/tunnel.py" "$WORK" \
	2>"$WORK/tunnel.err" &
at_exit "kill $!"
tries=0
while [ ! -e "$WORK/tunnel" ] && [ $tries -lt 600 ]; do
	tries=$((tries + 1))
	sleep 0.05
done
read -r tls_port tunnel_port <"$WORK/tunnel"
CREDENTIALS="AccountName=$AZURITE_ACCOUNT;AccountKey=$AZURITE_KEY"
finds 5 "tls=failed" "a certificate that nobody vouches for" \
	--url "https://127.0.0.1:$tls_port/$AZURITE_ACCOUNT/vault"
printf '[vault]\nca_file = %s\n' "$WORK/cert.pem" >"$TIDEMARK_CONFIG"
finds 5 "tls=failed" "or that is another's" \
	--url "https://127.0.0.1:$tls_port/$AZURITE_ACCOUNT/vault"
CREDENTIALS="AccountName=acme;AccountKey=$AZURITE_KEY"
export https_proxy="http://127.0.0.1:$tunnel_port"
check --url https://acme.blob.test/vault
is "$(of connect outcome) $(of tls outcome)" "ok ok" "through a proxy"
is "$(of connect message)" "acme.blob.test answers, through the proxy at\
 127.0.0.1 port $tunnel_port" "which is named"
is "$(of tls message)" "the certificate is right, by the authorities of\
 $WORK/cert.pem" "and so is who vouches"
is "$STATUS $(of credentials outcome) $(of vault outcome)" "5 ok failed" \
	"credentials are known, and permit nothing"
finish
