# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# proxy.sh - the fault proxy before a test's Azurite; to be sourced by sh,
# after azurite.sh and azurite_start
#
#	proxy_start DIR		starts it; credentials now lead through it
#	proxy_stop
#	proxy_rule JSON		adds a rule (see tests/fault/rules.py), its
#				number in PROXY_RULE
#	proxy_await RULE [TIMES]	waits until it has acted
#	proxy_release		lets go of what is held
#	proxy_clear		removes the rules
#	proxy_reset		counts from zero
#	proxy_requests KIND	prints how many requests of a kind came (a
#				pattern, default all); proxy_bytes likewise
#	proxy_replay NAME [INDEX]	sends a recorded request again, prints
#				"STATUS CODE"
#
# PROXY_PROGRAM=keyed.py has it stand for a service that takes keys; secure.py
# speaks TLS, to an Azurite that does, on the port in DIR/proxy.port.tls.
# proxy_start sets PROXY_PORT, PROXY_URL and PROXY_PID, and
# DIRECT_CONNECTION_STRING, which goes round it.

proxy_start() {
	rm -f "$1/proxy.port"
	setpriv --pdeathsig TERM /usr/bin/python3 \
		"$TESTS/fault/${PROXY_PROGRAM:-proxy.py}" \
		"$AZURITE_PORT" "$1/proxy.port" 2>"$1/proxy.err" &
	PROXY_PID=$!
	! command -v at_exit >/dev/null || at_exit proxy_stop
	proxy_tries=0
	while [ ! -e "$1/proxy.port" ] && [ $proxy_tries -lt 600 ] &&
	      kill -0 "$PROXY_PID" 2>/dev/null; do
		proxy_tries=$((proxy_tries + 1))
		sleep 0.05
	done
	PROXY_PORT=$(cat "$1/proxy.port") || return 1
	PROXY_URL=http://127.0.0.1:$PROXY_PORT/$AZURITE_ACCOUNT
	DIRECT_CONNECTION_STRING=$AZURE_STORAGE_CONNECTION_STRING
	AZURE_STORAGE_CONNECTION_STRING="DefaultEndpointsProtocol=http;AccountName=$AZURITE_ACCOUNT;AccountKey=$AZURITE_KEY;BlobEndpoint=$PROXY_URL"
	export AZURE_STORAGE_CONNECTION_STRING PROXY_PORT PROXY_URL
}

proxy_stop() {
	[ -n "${PROXY_PID:-}" ] || return 0
	kill "$PROXY_PID" 2>/dev/null
	wait "$PROXY_PID" 2>/dev/null
	PROXY_PID=
	AZURE_STORAGE_CONNECTION_STRING=$DIRECT_CONNECTION_STRING
}

# proxy_control VERB [CURL-ARG...]
proxy_control() {
	proxy_verb=$1
	shift
	curl -sS --fail-with-body --noproxy '*' --max-time 120 "$@" \
		"http://127.0.0.1:$PROXY_PORT/_/$proxy_verb"
}

proxy_rule() {
	# shellcheck disable=SC2034 # for the test
	PROXY_RULE=$(proxy_control rule --data "$1")
}

proxy_await() {
	proxy_control "await?rule=$1&times=${2:-1}" >/dev/null
}

proxy_release() {
	proxy_control release --data '' >/dev/null
}

proxy_clear() {
	proxy_control clear --data '' >/dev/null
}

proxy_reset() {
	proxy_control reset --data '' >/dev/null
}

# proxy_sum FIELD PATTERN
proxy_sum() {
	proxy_control counts | /usr/bin/python3 -c '
import fnmatch, json, sys
print(sum(count[sys.argv[1]] for kind, count in json.load(sys.stdin).items()
          if fnmatch.fnmatch(kind, sys.argv[2])))' "$1" "$2"
}

proxy_requests() {
	proxy_sum requests "${1:-*}"
}

proxy_bytes() {
	proxy_sum bytes "${1:-*}"
}

proxy_replay() {
	proxy_control "replay?name=$1&index=${2:-0}" --data '' |
		/usr/bin/python3 -c 'import json, sys
r = json.load(sys.stdin)
print(r["status"], r["code"])'
}
