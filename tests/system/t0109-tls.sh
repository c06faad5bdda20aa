#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The service over TLS, with an authority of our own; and all the ways in which
# a server can fail to be the right one: refused, with what to do about it.

. "$(dirname "$0")/../lib/tap.sh"
. "$TESTS/lib/vault.sh"
. "$TESTS/lib/certs.sh"

HOST=$AZURITE_ACCOUNT.blob.vault.test
authority ours && authority theirs &&
	certificate good ours "DNS:$HOST,IP:127.0.0.1" &&
	certificate old ours IP:127.0.0.1 20200101000000Z 20210101000000Z &&
	certificate early ours IP:127.0.0.1 20990101000000Z 20991231000000Z
ok $? "certificates are made" || { cat "$WORK/openssl.log"; exit 1; }
# shellcheck disable=SC2034 # for azurite_start
AZURITE_CERT=$WORK/good.pem AZURITE_CERT_KEY=$WORK/good.key
azurite_start "$WORK/azurite" || exit 1
machine m1
VAULT=$AZURITE_URL/vault

# trusting FILE [LINE...]: the configuration
trusting() {
	echo "[vault]"
	echo "ca_file = $1"
	shift
	for line; do
		echo "$line"
	done
} >"$TIDEMARK_CONFIG"

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
}

# The right way
trusting "$WORK/ours.pem"
tidemark vault create "$VAULT" --name Main
ok $? "an authority of our own" || cat "$WORK/err"
random_disk "$WORK/a.img" 4
tidemark protect "$VAULT" "$WORK/a.img" --disk a && tidemark backup &&
	tidemark verify && tidemark restore disk a "$WORK/b.img" &&
	cmp "$WORK/a.img" "$WORK/b.img"
ok $? "backup, verification and restore over TLS" || cat "$WORK/err"

# server CERTIFICATE OPTION...: it has nothing to say but about TLS; its URL in
# SERVER
server() {
	server_name=$1
	shift
	# With its parent it goes too, even if that is killed.
	setpriv --pdeathsig TERM openssl s_server -www -accept 127.0.0.1:0 \
		-cert "$WORK/$server_name.pem" \
		-key "$WORK/$server_name.key" "$@" \
		>"$WORK/server" 2>&1 </dev/null &
	server_pid=$!
	at_exit "kill $server_pid; wait $server_pid 2>/dev/null"
	server_port=
	while [ -z "$server_port" ] && kill -0 $server_pid; do
		server_port=$(sed -n 's/^ACCEPT .*:\([0-9]*\)$/\1/p' \
			"$WORK/server")
		sleep 0.05
	done
	SERVER=https://127.0.0.1:$server_port/$AZURITE_ACCOUNT/vault
}

# Not the right server
refused 5 "cannot * certificate is for another name *" \
	"give the vault's URL with the name*" "another name" \
	points --vault "https://localhost:$AZURITE_PORT/$AZURITE_ACCOUNT/vault" \
	--item m1
server old
refused 5 "cannot * certificate has expired *" "check this machine's clock*" \
	"an expired certificate" points --vault "$SERVER" --item m1
server early
refused 5 "cannot * certificate is not valid yet *" \
	"check this machine's clock*" "one from the future" \
	points --vault "$SERVER" --item m1
trusting "$WORK/theirs.pem"
refused 5 "cannot * certificate is not from an authority that is trusted *" \
	"if the authority is your own* ca_file in section \[vault\]" \
	"another authority" points --vault "$VAULT" --item m1
: >"$TIDEMARK_CONFIG"
refused 5 "cannot * certificate is not from an authority that is trusted *" \
	"*ca_file*" "the system's authorities" points --vault "$VAULT" --item m1

# Not TLS as it should be
trusting "$WORK/ours.pem"
server good -tls1_1 -cipher DEFAULT@SECLEVEL=0
refused 5 "cannot * there is no TLS 1.2 or later *" "check host and port*" \
	"TLS 1.1" points --vault "$SERVER" --item m1
server good -tls1_2
tidemark points --vault "$SERVER" --item m1
! grep TLS "$WORK/err"
ok $? "TLS 1.2 is not refused"

# Lists of authorities that are none
trusting "$WORK/none.pem"
refused 4 "cannot read the certificates in '$WORK/none.pem': *" "*ca_file*" \
	"no such list" points --vault "$VAULT" --item m1
echo nonsense >"$WORK/nonsense.pem"
trusting "$WORK/nonsense.pem"
refused 5 "cannot * the certificates to trust cannot be read *" "*PEM" \
	"a list of nonsense" points --vault "$VAULT" --item m1

# Without TLS
: >"$TIDEMARK_CONFIG"
PRIVATE=http://10.255.255.1:1/$AZURITE_ACCOUNT/vault
refused 11 "cannot use vault '$PRIVATE': *in the open" "*plain_http = yes*" \
	"plain HTTP to a private address" points --vault "$PRIVATE" --item m1
refused 2 "cannot use *" "give it as https://*" \
	"plain HTTP to a public one" \
	points --vault "http://192.0.2.1/$AZURITE_ACCOUNT/vault" --item m1
# Nobody listens at this proxy: that is how far it comes.
printf '[vault]\nplain_http = yes\n[proxy]\nurl = 127.0.0.1:1\n' \
	>"$TIDEMARK_CONFIG"
refused 6 "cannot * proxy 'http://127.0.0.1:1' (from proxy.url) does not *" \
	"see that the proxy runs*" "plain HTTP where it is allowed" \
	points --vault "$PRIVATE" --item m1
# Another machine has a loopback of its own. This is ours by another name.
NEAR=http://127.0.0.1:1/$AZURITE_ACCOUNT/vault
for proxy in http://0.0.0.0:1 socks5h://proxy.test:1; do
	printf '[proxy]\nurl = %s\n' "$proxy" >"$TIDEMARK_CONFIG"
	refused 11 "cannot use vault '$NEAR' through '$proxy': *in the open" \
		"*https://*" "plain HTTP by way of $proxy" \
		points --vault "$NEAR" --item m1
done
for proxy in http://127.0.0.1:1 socks5h://localhost:1; do
	printf '[proxy]\nurl = %s\n' "$proxy" >"$TIDEMARK_CONFIG"
	refused 6 "cannot * proxy '$proxy' (from proxy.url) does not *" \
		"see that the proxy runs*" "but not by $proxy" \
		points --vault "$NEAR" --item m1
done
printf '[vault]\nplain_http = yes\n[proxy]\nurl = 127.0.0.1:1\n' \
	>"$TIDEMARK_CONFIG"
refused 2 "cannot use *" "give it as https://*" \
	"never to a public address" \
	points --vault "http://192.0.2.1/$AZURITE_ACCOUNT/vault" --item m1

finish
