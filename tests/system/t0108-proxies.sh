#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Through Debian's squid, tinyproxy and microsocks: who names the proxy, what goes
# through it and what does not, who we are to it, and what it can refuse.
#
# The vault's name is known to squid alone, so what arrives has been through it.

. "$(dirname "$0")/../lib/tap.sh"
. "$TESTS/lib/vault.sh"
. "$TESTS/lib/certs.sh"
. "$TESTS/lib/middlebox.sh"

unset http_proxy https_proxy HTTPS_PROXY all_proxy ALL_PROXY no_proxy NO_PROXY
HOST=$AZURITE_ACCOUNT.blob.vault.test
authority ours && certificate good ours "DNS:$HOST,IP:127.0.0.1" &&
	authority theirs && certificate alien theirs IP:127.0.0.1
ok $? "a certificate is made" || { cat "$WORK/openssl.log"; exit 1; }
# shellcheck disable=SC2034 # for azurite_start
AZURITE_CERT=$WORK/good.pem AZURITE_CERT_KEY=$WORK/good.key
azurite_start "$WORK/azurite" || exit 1
machine m1
VAULT=https://$HOST:$AZURITE_PORT/vault
NEAR=$AZURITE_URL/vault		# the same at a loopback address
DENIED=$AZURITE_ACCOUNT.blob.denied.test
SECRET=hush-42

mkdir "$WORK/squid" "$WORK/login"
echo "127.0.0.1 $HOST $DENIED" >"$WORK/squid/hosts"
cp "$WORK/squid/hosts" "$WORK/login/hosts"
squid_start "$WORK/squid" "acl denied dstdomain $DENIED" \
	"http_access deny denied" "http_access allow all"
SQUID=http://127.0.0.1:$MIDDLEBOX_PORT
middlebox_login "$WORK/login" harbour "$SECRET"
squid_start "$WORK/login" \
	"auth_param basic program @HOME@/usr/lib/squid/basic_ncsa_auth @DIR@/basic" \
	"acl users proxy_auth REQUIRED" \
	"http_access allow users" "http_access deny all"
LOGIN=http://127.0.0.1:$MIDDLEBOX_PORT

# configured [LINE...]: the configuration, after what every one has
configured() {
	echo "[vault]"
	echo "ca_file = $WORK/ours.pem"
	echo "[paths]"
	echo "waagent = $WORK/waagent.conf"
	echo "[transfer]"
	echo "retries = 1"
	for line; do
		echo "$line"
	done
} >"$TIDEMARK_CONFIG"

# through N TEXT DIR: N tunnels more in the log of the squid there, or with +
# some. It writes a line when a tunnel has ended.
through() {
	through_tries=0
	until through_now=$(squid_lines "$3" '^CONNECT .* 200 ') &&
	      [ "$through_now" -gt "${through_before:-0}" ] ||
	      [ "$1" = 0 ] || [ $through_tries -gt 100 ]; do
		through_tries=$((through_tries + 1))
		sleep 0.05
	done
	through_n=$((through_now - ${through_before:-0}))
	[ "$1" = + ] && [ $through_n -gt 0 ] && through_n=+
	is "$through_n" "$1" "$2"
	through_before=$through_now
}

# reached TEXT DIR [VAR=VALUE...]: the vault answers, through the squid there
reached() {
	reached_text=$1 reached_dir=$2
	shift 2
	through_before=$(squid_lines "$reached_dir" '^CONNECT .* 200 ')
	(
		for variable; do
			export "${variable?}"
		done
		tidemark points --vault "$VAULT" --item m1
	)
	ok $? "$reached_text" || cat "$WORK/err"
	through + "$reached_text: through the proxy" "$reached_dir"
}

# refused STATUS MESSAGE ACTION TEXT ARG...
refused() {
	refused_status=$1 refused_message=$2 refused_action=$3 refused_text=$4
	shift 4
	tidemark "$@" --json
	is "$STATUS" "$refused_status" "$refused_text: exit $refused_status"
	like "$(json error.message)" "$refused_message" \
		"$refused_text: a clear message"
	like "$(json error.action)" "$refused_action" \
		"$refused_text: what to do"
	! grep -q "$SECRET\|wrong-pass" "$WORK/out" "$WORK/err"
	ok $? "$refused_text: without secrets"
}

# A whole life of a point, with a user and a password
(umask 077 && echo "$SECRET" >"$WORK/password")
with_login() {
	configured "[proxy]" "url = $LOGIN" "user = harbour" \
		"password_file = $WORK/password"
}
with_login
random_disk "$WORK/a.img" 8
tidemark vault create "$VAULT" --name Main && tidemark protect "$VAULT" \
	"$WORK/a.img" --disk a --item m1 && tidemark backup
ok $? "a backup through squid, with Basic authentication" || cat "$WORK/err"
scribble "$WORK/a.img" 65536 65536
tidemark backup && tidemark verify && tidemark restore disk a "$WORK/b.img" &&
	cmp "$WORK/a.img" "$WORK/b.img"
ok $? "another, verification and restore" || cat "$WORK/err"
through + "squid's log shows the tunnels" "$WORK/login"
[ "$(awk '$1 == "CONNECT" && $3 == 200 && $4 == "harbour" { n += $5 }
	END { print n + 0 }' "$WORK/login/access.log")" -gt $((8 << 20)) ]
ok $? "and that what was verified and restored came through them" ||
	cat "$WORK/login/access.log"
is "$(squid_lines "$WORK/login" '^(GET|PUT|HEAD|POST) ')" 0 \
	"it has seen no request of ours"
! grep -r "$SECRET" "$TIDEMARK_STATE_DIR" "$TIDEMARK_RUN_DIR"
ok $? "the password is kept nowhere"

# Who names the proxy
echo "HttpProxy.Host=None" >"$WORK/waagent.conf"
configured
refused 6 "cannot * Could not resolve host: $HOST*" "check the address*" \
	"no proxy is named" points --vault "$VAULT" --item m1
reached "https_proxy" "$WORK/squid" "https_proxy=$SQUID"
reached "HTTPS_PROXY" "$WORK/squid" "HTTPS_PROXY=$SQUID"
reached "all_proxy" "$WORK/squid" "all_proxy=${SQUID#http://}"
printf 'HttpProxy.Host=127.0.0.1\nHttpProxy.Port=%s\n' "${SQUID##*:}" \
	>"$WORK/waagent.conf"
reached "waagent.conf" "$WORK/squid"
printf 'HttpProxy.Host=127.0.0.1\nHttpProxy.Port=1\n' >"$WORK/waagent.conf"
reached "the environment before waagent.conf" "$WORK/squid" \
	"https_proxy=$SQUID"
configured "[proxy]" "url = $SQUID"
reached "the configuration before both" "$WORK/squid" \
	"https_proxy=http://127.0.0.1:1"
configured "[proxy]" "url = none"
refused 6 "cannot * Could not resolve host: $HOST*" "*" "none is none" \
	points --vault "$VAULT" --item m1

# What does not go through it
direct() {
	through_before=$(squid_lines "$WORK/squid" '^CONNECT .* 200 ')
	tidemark points --vault "$NEAR" --item m1
	ok $? "$1" || cat "$WORK/err"
	through 0 "$1: past the proxy" "$WORK/squid"
}
configured
https_proxy=$SQUID
export https_proxy
direct "a loopback address"
NO_PROXY=other.test,.vault.test
export NO_PROXY
refused 6 "cannot * Could not resolve host: $HOST*" "*" "NO_PROXY" \
	points --vault "$VAULT" --item m1
unset NO_PROXY https_proxy
configured "[proxy]" "url = $SQUID" "no_proxy = 10.0.0.0/8,127.0.0.0/8"
direct "a network in no_proxy"
configured "[proxy]" "url = $SQUID"
tidemark points --vault "$NEAR" --item m1
ok $? "a loopback address, with a proxy of the configuration's" ||
	cat "$WORK/err"
through + "goes through that" "$WORK/squid"

# Who we are to it
configured "[proxy]" "url = $LOGIN"
refused 5 "cannot * proxy '$LOGIN' (from proxy.url) wants authentication (Basic), and there is no user for it" \
	"put user and password_file *mode 0600* \[proxy\] *" "no user" \
	points --vault "$VAULT" --item m1
echo wrong-pass >"$WORK/password"
with_login
refused 5 "cannot * proxy '$LOGIN' (from proxy.url) * (Basic) and does not accept user and password from proxy.user" \
	"correct the user *" "a wrong password" \
	points --vault "$VAULT" --item m1
through_before=$(squid_lines "$WORK/login" ' 407 ')
tidemark points --vault "$VAULT" --item m1
[ $(($(squid_lines "$WORK/login" ' 407 ') - through_before)) -le 2 ]
ok $? "which is not tried again and again"
echo "$SECRET" >"$WORK/password"
with_login
reached "the right one" "$WORK/login"
chmod 644 "$WORK/password"
refused 5 "cannot use the proxy's password from '$WORK/password': others *" \
	"chown root *; chmod 600 *" "a password that all may read" \
	points --vault "$VAULT" --item m1
configured
https_proxy=http://harbour:wrong-pass@${LOGIN#http://}
export https_proxy
refused 5 "cannot * proxy '$LOGIN' (from https_proxy) * from https_proxy" \
	"*" "a wrong password in a variable" points --vault "$VAULT" --item m1
https_proxy="http://harbour:$SECRET@127.0.0.1:nonsense"
refused 2 "cannot use the proxy in 'https_proxy': *" "write it as *" \
	"nonsense in a variable" points --vault "$VAULT" --item m1
unset https_proxy
reached "the right one in a variable" "$WORK/login" \
	"https_proxy=http://harbour:$SECRET@${LOGIN#http://}"

# A proxy that fails
configured "[proxy]" "url = http://127.0.0.1:1"
refused 6 "cannot * proxy 'http://127.0.0.1:1' (from proxy.url) does not *" \
	"see that the proxy runs*" "nobody listens" \
	points --vault "$VAULT" --item m1
configured "[proxy]" "url = $SQUID"
refused 5 "cannot * proxy '$SQUID' (from proxy.url) refuses * status 403" \
	"ask those who run the proxy to permit CONNECT*no_proxy" \
	"a host that it refuses" points --item m1 --vault \
	"https://$DENIED:$AZURITE_PORT/vault"
refused 6 "cannot * proxy '$SQUID' (from proxy.url) cannot * status 503" \
	"try again later*" "a host that it cannot reach" points --item m1 \
	--vault "https://127.0.0.1:1/$AZURITE_ACCOUNT/vault"

# Digest, where the proxy has that alone
mkdir "$WORK/digest"
middlebox_login "$WORK/digest" harbour "$SECRET"
cp "$WORK/squid/hosts" "$WORK/digest/hosts"
squid_start "$WORK/digest" \
	"auth_param digest program @HOME@/usr/lib/squid/digest_file_auth -c @DIR@/digest" \
	"auth_param digest realm test" "acl users proxy_auth REQUIRED" \
	"http_access allow users" "http_access deny all"
configured
reached "Digest" "$WORK/digest" \
	"https_proxy=http://harbour:$SECRET@127.0.0.1:$MIDDLEBOX_PORT"

# tinyproxy
tinyproxy_start "$WORK/tiny"
configured "[proxy]" "url = 127.0.0.1:$MIDDLEBOX_PORT"
tidemark verify --vault "$NEAR" --item m1
ok $? "through tinyproxy" || cat "$WORK/err"
grep -q "CONNECT 127.0.0.1:$AZURITE_PORT " "$WORK/tiny/access.log"
ok $? "its log shows the tunnel"

# A service, by plain HTTP, that answers as the number in its container's name
# says: as a proxy would that opens what passes through it. 000: not at all.
cat >"$WORK/impostor.py" <<END
import http.server, re, threading
class Impostor(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        status = int(re.search("vault-([0-9]+)", self.path).group(1))
        if not status:
            threading.Event().wait()
        self.send_error(status)
    def log_message(self, *args):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Impostor)
print(server.server_port, flush=True)
server.serve_forever()
END
setpriv --pdeathsig TERM /usr/bin/python3 "$WORK/impostor.py" >"$WORK/impostor" &
impostor=$!
at_exit "kill $impostor; wait $impostor 2>/dev/null"
until [ -s "$WORK/impostor" ]; do
	kill -0 "$impostor" || exit 1
	sleep 0.05
done
IMPOSTOR=http://127.0.0.1:$(cat "$WORK/impostor")/$AZURITE_ACCOUNT/vault
refused 5 "cannot * or what is behind it, answers in *place: status 403" \
	"ask those who run the proxy*" "403 that is not the service's" \
	points --vault "$IMPOSTOR-403" --item m1
refused 6 "cannot * or what is behind it, answers in *place: status 503" \
	"try again later*" "503 that is not the service's" \
	points --vault "$IMPOSTOR-503" --item m1
printf '[transfer]\ntimeout = 1\n' >>"$TIDEMARK_CONFIG"
tidemark points --vault "$IMPOSTOR-000" --item m1
[ "$STATUS" -eq 6 ] && ! grep proxy "$WORK/err"
ok $? "a silent service is not the proxy's fault" || cat "$WORK/err"
kill -STOP "$MIDDLEBOX_PID"
refused 6 "cannot * proxy 'http://127.0.0.1:$MIDDLEBOX_PORT' * does not *" \
	"see that the proxy runs*" "a silent proxy" \
	points --vault "$NEAR" --item m1

tinyproxy_start "$WORK/tiny-login" "BasicAuth harbour $SECRET"
configured "[proxy]" "url = 127.0.0.1:$MIDDLEBOX_PORT"
refused 5 "cannot * wants authentication (Basic), *" "put user and *" \
	"tinyproxy wants a user" points --vault "$NEAR" --item m1
chmod 600 "$WORK/password"
configured "[proxy]" "url = 127.0.0.1:$MIDDLEBOX_PORT" "user = harbour" \
	"password_file = $WORK/password"
tidemark points --vault "$NEAR" --item m1
ok $? "and lets the right one in" || cat "$WORK/err"

# SOCKS
microsocks_start "$WORK/socks"
for scheme in socks5 socks5h; do
	configured "[proxy]" "url = $scheme://127.0.0.1:$MIDDLEBOX_PORT"
	tidemark verify --vault "$NEAR" --item m1
	ok $? "through a SOCKS proxy, $scheme" || cat "$WORK/err"
done
grep -q "connected to 127.0.0.1:$AZURITE_PORT" "$WORK/socks/said"
ok $? "its log shows the connection"
refused 6 "cannot * proxy 'socks5h://127.0.0.1:$MIDDLEBOX_PORT' (from proxy.url) does not connect to it: *" \
	"try again later*" "SOCKS to where nobody listens" points --item m1 \
	--vault "https://127.0.0.1:1/$AZURITE_ACCOUNT/vault"
microsocks_start "$WORK/socks-login" -u harbour -P "$SECRET"
configured "[proxy]" "url = socks5://127.0.0.1:$MIDDLEBOX_PORT" \
	"user = harbour" "password_file = $WORK/password"
chmod 600 "$WORK/password"
tidemark points --vault "$NEAR" --item m1
ok $? "SOCKS with a user and a password" || cat "$WORK/err"
echo wrong-pass >"$WORK/password"
refused 5 "cannot * proxy 'socks5://127.0.0.1:$MIDDLEBOX_PORT' (from proxy.url) does not accept user and password from proxy.user" \
	"correct the user *" "a wrong password for SOCKS" \
	points --vault "$NEAR" --item m1
configured "[proxy]" "url = socks5://127.0.0.1:$MIDDLEBOX_PORT"
refused 5 "cannot * proxy 'socks5://127.0.0.1:$MIDDLEBOX_PORT' (from proxy.url) wants authentication*" \
	"put user and password_file *" "SOCKS wants a user" \
	points --vault "$NEAR" --item m1
echo "$SECRET" >"$WORK/password"

# TLS to the proxy itself
mkdir "$WORK/tls"
for name in good alien; do
	cp "$WORK/$name.pem" "$WORK/$name.key" "$WORK/tls/"
done
chmod 644 "$WORK"/tls/*.key
TLS_PORT=$(middlebox_free_port)
ALIEN_PORT=$(middlebox_free_port)
squid_start "$WORK/tls" \
	"https_port 127.0.0.1:$TLS_PORT tls-cert=@DIR@/good.pem tls-key=@DIR@/good.key" \
	"https_port 127.0.0.1:$ALIEN_PORT tls-cert=@DIR@/alien.pem tls-key=@DIR@/alien.key" \
	"http_access allow all"
configured "[proxy]" "url = https://127.0.0.1:$TLS_PORT"
through_before=$(squid_lines "$WORK/tls" '^CONNECT .* 200 ')
tidemark verify --vault "$NEAR" --item m1
ok $? "through an https:// proxy" || cat "$WORK/err"
through + "whose log shows the tunnels" "$WORK/tls"
configured "[proxy]" "url = https://127.0.0.1:$ALIEN_PORT"
refused 5 "cannot * there is no TLS with proxy 'https://127.0.0.1:$ALIEN_PORT' (from proxy.url): *" \
	"if the proxy's certificate *ca_file*" "an https:// proxy of another authority" \
	points --vault "$NEAR" --item m1

finish
