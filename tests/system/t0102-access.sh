#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Who may: keys, signatures in the URL, certificates; and both styles of URL.

. "$(dirname "$0")/../lib/tap.sh"
. "$TESTS/lib/azurite.sh"

HOST=$AZURITE_ACCOUNT.blob.core.windows.net

# An authority, and a certificate of the service's name and the loopback's.
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=test authority" \
	-keyout "$WORK/ca.key" -out "$WORK/ca.pem" 2>"$WORK/openssl.log" &&
openssl req -newkey rsa:2048 -nodes -subj "/CN=$HOST" \
	-keyout "$WORK/key.pem" -out "$WORK/csr" 2>>"$WORK/openssl.log" &&
echo "subjectAltName=DNS:$HOST,IP:127.0.0.1" >"$WORK/ext" &&
openssl x509 -req -in "$WORK/csr" -CA "$WORK/ca.pem" -CAkey "$WORK/ca.key" \
	-CAcreateserial -days 2 -extfile "$WORK/ext" -out "$WORK/cert.pem" \
	2>>"$WORK/openssl.log"
ok $? "a certificate is made" || { cat "$WORK/openssl.log"; exit 1; }
# shellcheck disable=SC2034 # for azurite_start
AZURITE_CERT=$WORK/cert.pem AZURITE_CERT_KEY=$WORK/key.pem
azurite_start "$WORK/azurite" || exit 1

storage() {
	"$BUILD/tests/storage" "$@"
}

# fails ERROR TEXT ARG...
fails() {
	fails_want=$1
	fails_text=$2
	shift 2
	like "$(storage "$@" | head -n 1)" "error=$fails_want *" "$fails_text"
}

storage --ca "$WORK/ca.pem" container-create box
ok $? "account in the path, over TLS"
fails EKEYREJECTED "an authority not trusted" container-exists box
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=another" \
	-keyout "$WORK/other.key" -out "$WORK/other.pem" 2>/dev/null
fails EKEYREJECTED "nor another" --ca "$WORK/other.pem" container-exists box
fails EINVAL "a file of authorities that is not there" \
	--ca "$WORK/none.pem" container-exists box
# The loopback's other address is not in the certificate.
fails EKEYREJECTED "a certificate of another name" --ca "$WORK/ca.pem" \
	--endpoint "https://localhost:$AZURITE_PORT/$AZURITE_ACCOUNT" \
	container-exists box

# As in the product: the account in the host's name
product() {
	storage --ca "$WORK/ca.pem" --endpoint "https://$HOST" \
		--connect-to "$HOST:443:127.0.0.1:$AZURITE_PORT" "$@"
}
product container-exists box
ok $? "account in the host's name"
product page-create box a.vhd 1048576 0 >/dev/null
ok $? "a request with a body's headers"
head -c 512 /dev/urandom >"$WORK/data"
product page-put box a.vhd 512 <"$WORK/data" >/dev/null
ok $? "and with a body"
product read box a.vhd 512 512 | cmp - "$WORK/data"
ok $? "which is read back"
product list box | grep -q '^a.vhd - 1048576 '
ok $? "and listed"
is "$(product info | sed -n 's/^kind=//p')" StorageV2 "the account is described"

# Where credentials come from
(
	unset AZURE_STORAGE_CONNECTION_STRING
	export AZURE_STORAGE_ACCOUNT="$AZURITE_ACCOUNT"
	export AZURE_STORAGE_KEY="$AZURITE_KEY"
	product container-exists box
)
ok $? "account and key in variables"
sas=$(REQUESTS_CA_BUNDLE=$WORK/ca.pem "$TESTS/lib/sdk.py" sas box rl)
export sas
like "$sas" "*sig=*" "the SDK makes a SAS"
(
	unset AZURE_STORAGE_CONNECTION_STRING
	AZURE_STORAGE_SAS_TOKEN=$sas
	export AZURE_STORAGE_SAS_TOKEN
	product read box a.vhd 512 512 | cmp - "$WORK/data"
)
ok $? "it reads"
(
	unset AZURE_STORAGE_CONNECTION_STRING
	AZURE_STORAGE_SAS_TOKEN=$sas
	export AZURE_STORAGE_SAS_TOKEN
	product page-put box a.vhd 0 <"$WORK/data" >"$WORK/out"
	grep -q '^error=EACCES status=403 ' "$WORK/out" &&
		! grep -q "sig=\|${sas##*sig=}" "$WORK/out"
)
ok $? "it does not write, and the message does not repeat it"
(
	AZURE_STORAGE_CONNECTION_STRING=$(
		echo "$AZURE_STORAGE_CONNECTION_STRING" | sed s/Eby8/Eby9/)
	product container-exists box >"$WORK/out"
	grep -q '^error=EACCES status=403 ' "$WORK/out"
)
ok $? "a wrong key"
(
	unset AZURE_STORAGE_CONNECTION_STRING
	[ "$(product container-exists box)" = "error=ENOENT credentials" ]
)
ok $? "no credentials at all"

# Without TLS
fails EPERM "plain HTTP beyond the loopback is not tried" \
	--endpoint http://192.0.2.1/account container-exists box
fails EPERM "nor to a private address" \
	--endpoint http://10.0.2.100/account container-exists box
fails EPERM "nor elsewhere where it is allowed" --plain \
	--endpoint http://192.0.2.1/account container-exists box
fails EPERM "nor to a name that looks like it" \
	--endpoint http://127.0.0.1.example.net/account container-exists box
fails EPERM "nor to a longer number" --plain \
	--endpoint http://172.32.0.1/account container-exists box
fails EHOSTUNREACH "no one listens" \
	--endpoint http://127.0.0.1:1/account container-exists box

finish
