#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Credentials that do not do, each refused with what is missing; and those that
# do: a SAS for a single container, secrets by descriptor and from systemd.

. "$(dirname "$0")/../lib/tap.sh"
. "$TESTS/lib/vault.sh"

vault_start
ADMIN=$AZURE_STORAGE_CONNECTION_STRING
SDK_CREDENTIALS=$DIRECT_CONNECTION_STRING
A=$WORK/a.img
random_disk "$A" 2
vault_make Main
tidemark protect "$VAULT" "$A" --disk a --item m1
tidemark backup || exit 1
DATA=$(container)
unset AZURE_STORAGE_CONNECTION_STRING

# The signatures, all at once; sas NAME prints one.
AZURE_STORAGE_CONNECTION_STRING=$SDK_CREDENTIALS /usr/bin/python3 - \
	"$TESTS/lib" "$WORK" "$DATA" <<'END' || exit 1
import contextlib, sys
lib, work, data = sys.argv[1:]
sys.path.insert(0, lib)
import sdk
for name, function, *arguments in [
        ("machine", sdk.sas, data, "rcwl"),
        ("see", sdk.sas, data, "rl"),
        ("unlisted", sdk.sas, data, "rw"),
        ("unread", sdk.sas, data, "wcl"),
        ("over", sdk.sas, data, "rcwl", "-2", "-1"),
        ("early", sdk.sas, data, "rcwl", "1", "2"),
        ("vault", sdk.sas, "vault", "racwdl"),
        ("other", sdk.sas, "other", "racwdl"),
        ("queues", sdk.account_sas, "rcwl", "sco", "q"),
        ("no-blobs", sdk.account_sas, "rcwl", "sc"),
        ("account", sdk.account_sas, "rcwl", "sco")]:
    with open(f"{work}/sas.{name}", "w") as file:
        with contextlib.redirect_stdout(file):
            function(*arguments)
END
sas() {
	cat "$WORK/sas.$1"
}

# secret TEXT: with this as the credentials, and nothing else
secret() {
	SECRET=$(echo "$1" | sed 's/.*sig=\([^&;]*\).*/\1/')
	(umask 077 && echo "$1" >"$WORK/credentials")
	printf '[vault]\ncredentials = %s\n' "$WORK/credentials" \
		>"$TIDEMARK_CONFIG"
}

# refused STATUS PATTERN TEXT ARG...: message and action match, without secrets
refused() {
	refused_status=$1 refused_pattern=$2 refused_text=$3
	shift 3
	tidemark "$@" --json
	is "$STATUS" "$refused_status" "$refused_text: exit $refused_status"
	like "$(sed -n 's/.*"error"://p' "$WORK/out")" "$refused_pattern" \
		"and says so"
	! grep -qF -e "sig=" -e "$SECRET" "$WORK/out" "$WORK/err"
	ok $? "without the signature"
}

# Signatures for the machine's container alone. To read a snapshot they do too,
# but not for Azurite, which has the snapshot's time signed as well.
secret "?$(sas machine)"
tidemark backup
ok "$STATUS" "a SAS for the machine's container is enough to back up" ||
	sed 's/^/# /' "$WORK/err"
tidemark points
ok "$STATUS" "and to list" || sed 's/^/# /' "$WORK/err"
refused 5 "*cannot read 'vault/vault.json': *for another container or account*" \
	"it is not for the vault's container" points --vault "$VAULT" --item m1
secret "sas.$DATA = $(sas see)
sas.vault = $(sas vault)"
tidemark points --vault "$VAULT" --item m1
ok "$STATUS" "one for each container reads from elsewhere" ||
	sed 's/^/# /' "$WORK/err"
refused 5 "*lacks permission w (write) (it has sp=rl)*make a shared*" \
	"one that only reads" backup
refused 5 "*no shared access signature for*" \
	"none for that container" vault create "$PROXY_URL/other" --name Other
secret "?$(sas unlisted)"
refused 5 "*lacks permission l (list) (it has sp=*" "one that cannot list" \
	points
secret "?$(sas unread)"
refused 5 "*lacks permission r (read) (it has sp=*" \
	"one that cannot read" restore disk a "$WORK/out.img" --yes
random_disk "$WORK/b.img" 1
machine m2
secret "?$(sas vault)"
refused 5 "*for what is in a container (sr=c); this needs one for the account*" \
	"one that cannot make a container" \
	protect "$VAULT" "$WORK/b.img" --disk b --item m2
machine m1
secret "?$(sas vault)"
refused 5 "*for another container or account*" "one for another container" \
	backup
secret "sas.other = $(sas other)"
AZURE_STORAGE_CONNECTION_STRING=$SDK_CREDENTIALS \
	"$BUILD/tests/storage" container-create other
tidemark vault create "$PROXY_URL/other" --name Other
ok "$STATUS" "one for a container that is there makes it a vault" ||
	sed 's/^/# /' "$WORK/err"
secret "?$(sas over)"
refused 5 "*has expired, at 20*Z*" "one that has expired" backup
secret "?$(sas early)"
refused 5 "*not valid yet, but from 20*Z on*" "one that is yet to come" backup
secret "?$(sas queues)"
refused 5 "*for other services than blobs (ss=q, without b)*" \
	"one for another service" backup
secret "?$(sas no-blobs)"
refused 5 "*not for blobs (srt=sc, without o)*" "one without blobs" backup
secret "?$(sas account | sed 's/sig=..../sig=AAAA/')"
refused 5 "*for another account, or was made with a key that is not valid*" \
	"one with another signature" backup
secret "?$(sas account)"
tidemark backup
ok "$STATUS" "one for the account does"

# Keys
secret "$(echo "$ADMIN" | sed 's/AccountKey=[^;]*/AccountKey=d3Jvbmcgd3Jvbmc=/')"
SECRET=d3Jvbmcgd3Jvbmc
refused 5 "*key is not one of account '$AZURITE_ACCOUNT'*" "a wrong key" backup
secret "$ADMIN"
SECRET=${AZURITE_KEY%%/*}
proxy_rule '{"times":0,"do":"status","status":403,
	"code":"KeyBasedAuthenticationNotPermitted"}'
refused 5 "*account does not permit access by key*vault.identity*" \
	"an account that takes no keys" backup
proxy_clear

# Clocks: the server's is told by the proxy
date_of() {
	date -u -d "$1" '+%a, %d %b %Y %H:%M:%S GMT'
}
proxy_rule "{\"times\":0,\"do\":\"status\",\"status\":403,
	\"code\":\"AuthenticationFailed\",
	\"headers\":{\"Date\":\"$(date_of '-40 minutes')\"}}"
refused 5 "*clock is 40 minutes ahead of the service's*set the clock*" \
	"a clock that is too far off" backup
proxy_clear
proxy_rule "{\"times\":0,\"do\":\"alter\",
	\"headers\":{\"Date\":\"$(date_of '+8 minutes')\"}}"
tidemark verify latest
is "$STATUS" 3 "a clock that is somewhat off: a warning"
is "$(grep -c "clock is 8 minutes behind the storage service's" "$WORK/err")" \
	1 "said once"
proxy_clear
tidemark verify latest
is "$STATUS" 0 "none when it is right"

# Other ways for a secret to come
: >"$TIDEMARK_CONFIG"
"$TIDEMARK" points --credentials-fd 7 7<"$WORK/credentials" >/dev/null
ok $? "a descriptor of a file"
"$TIDEMARK" points --vault "$VAULT" --item m1 --credentials-fd 0 \
	>"$WORK/out" 2>"$WORK/err" <<END
$ADMIN
END
ok $? "a pipe, or what the shell makes of it" || sed 's/^/# /' "$WORK/err"
echo "$ADMIN" | "$TIDEMARK" status --credentials-fd 0 \
	>/dev/null 2>"$WORK/err"
ok $? "a pipe" || sed 's/^/# /' "$WORK/err"
printf '[vault]\ncredentials = fd:6\n' >"$TIDEMARK_CONFIG"
"$TIDEMARK" points 6<"$WORK/credentials" >/dev/null
ok $? "a descriptor that the configuration names"
refused 5 "*descriptor 6': it is not open*" "one that is not open" points
refused 2 "*descriptor 'x': it is not a number*" "none at all" \
	points --credentials-fd x
printf '[vault]\ncredentials = fd:x\n' >"$TIDEMARK_CONFIG"
refused 2 "*neither an absolute path nor fd:N*" "nonsense" points
: >"$TIDEMARK_CONFIG"
mkdir "$WORK/loaded"
cp "$WORK/credentials" "$WORK/loaded/tidemark.credentials"
chmod 400 "$WORK/loaded/tidemark.credentials"
CREDENTIALS_DIRECTORY=$WORK/loaded tidemark points
ok "$STATUS" "what systemd has loaded" || sed 's/^/# /' "$WORK/err"
AZURE_STORAGE_ACCOUNT=$AZURITE_ACCOUNT
export AZURE_STORAGE_ACCOUNT
refused 5 "*cannot use AZURE_STORAGE_ACCOUNT: *neither AZURE_STORAGE_KEY nor*" \
	"an account alone" points
unset AZURE_STORAGE_ACCOUNT
secret "account = $AZURITE_ACCOUNT
kye = SECRETSECRET"
SECRET=SECRETSECRET
refused 5 "*/credentials': line 2 has a name that is not known*" \
	"a line that is not understood" points

# A process that knows one
printf '[vault]\ncredentials = %s\n' "$WORK/credentials" >"$TIDEMARK_CONFIG"
(umask 077 && echo "$ADMIN" >"$WORK/credentials")
cp "$TIDEMARK" "$WORK/tidemark"
chmod 755 "$WORK" "$WORK/tidemark"
proxy_rule '{"kind":"read","path":"vault.json","do":"hold"}'
# A user's process that may not be looked into belongs to root in /proc.
TIDEMARK_CONFIG='' TIDEMARK_STATE_DIR=/nonexistent setpriv --reuid 65534 \
	--clear-groups "$WORK/tidemark" points --vault "$VAULT" --item m1 \
	--credentials-fd 7 7<"$WORK/credentials" >"$WORK/out" 2>"$WORK/err" &
client=$!
proxy_await "$PROXY_RULE"
is "$(stat -c %u "/proc/$client/environ" "/proc/$client/mem" | xargs)" "0 0" \
	"its own user's debuggers cannot look into it"
is "$(awk '/^Max core file size/ { print $5 }' "/proc/$client/limits")" 0 \
	"it leaves no core file"
! tr '\0' ' ' <"/proc/$client/cmdline" | grep -qF "${AZURITE_KEY%%/*}"
ok $? "it has nothing in its arguments"
proxy_release
wait "$client"
is $? 0 "and does its work" || sed 's/^/# /' "$WORK/err"
finish
