#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A machine that has a token of its identity, which the service refuses now and
# then as it refuses one that has expired: backups and restores, see server.py.
# SEED, which is printed, chooses all that is random, ROUNDS how many there are.

. "$(dirname "$0")/../lib/tap.sh"
. "$TESTS/lib/vault.sh"
. "$TESTS/lib/imds.sh"

[ "${FORM-}" = full ] && : "${ROUNDS:=100}"
: "${ROUNDS:=3}" "${PERCENT:=5}"
. "$TESTS/lib/server.sh"

# Azurite takes tokens over TLS alone, as we send them.
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=127.0.0.1" \
	-addext "subjectAltName=IP:127.0.0.1" -keyout "$WORK/key.pem" \
	-out "$WORK/cert.pem" 2>/dev/null || exit 1
export AZURITE_CERT="$WORK/cert.pem" AZURITE_CERT_KEY="$WORK/key.pem"
export REQUESTS_CA_BUNDLE="$WORK/cert.pem"
# shellcheck disable=SC2034 # for vault_start
AZURITE_OAUTH=basic PROXY_PROGRAM=secure.py
vault_start
VAULT=https://127.0.0.1:$(cat "$WORK/proxy.port.tls")/$AZURITE_ACCOUNT/vault
imds_start "$WORK" || exit 1
# The SDK, which judges, has the key; the program has not.
unset AZURE_STORAGE_CONNECTION_STRING
printf '%s\n' "[vault]" "ca_file = $WORK/cert.pem" "identity = system" \
	"[transfer]" "retry_wait = 20" >"$TIDEMARK_CONFIG"

server_disks "two disks and their first point, with a token"

# refused TIMES: the next request is refused so often
refused() {
	proxy_rule "{\"do\":\"status\",\"status\":401,\"times\":$1,
		\"code\":\"InvalidAuthenticationInfo\"}"
}

refused 3
tidemark points
ok $? "three tokens are refused, not the fourth"
asked=$(imds_asked '200 *')
refused 4
tidemark points
is "$STATUS $(($(imds_asked '200 *') - asked))" "5 4" "more are not asked for"
proxy_clear

asked=$(imds_asked '200 *')
server_run "tokens are refused: what ends well is right, and all do" - token
[ "$(imds_asked '200 *')" -gt $((asked + 2 * ROUNDS)) ]
ok $? "another token is asked for each time"
finish
