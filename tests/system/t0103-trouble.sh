#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Replies that are lost, refused or late: what is sent again, what is not, and
# what is known of the outcome.

. "$(dirname "$0")/../lib/tap.sh"
. "$TESTS/lib/azurite.sh"
. "$TESTS/lib/proxy.sh"

azurite_start "$WORK/azurite" || exit 1
proxy_start "$WORK" || exit 1

storage() {
	"$BUILD/tests/storage" "$@"
}

storage container-create box && storage page-create box a.vhd 1048576 0 \
	>/dev/null
ok $? "everything works through the proxy"
head -c 4096 /dev/urandom >"$WORK/data"

# Retries
proxy_rule '{"kind":"properties","do":"status","status":503,"times":2}'
is "$(storage retry box a.vhd 20)" "retries=2" "503 is tried again"
proxy_rule '{"kind":"properties","do":"drop","times":3}'
is "$(storage retry box a.vhd 20)" "retries=3" "so is a lost reply"
proxy_rule '{"kind":"properties","do":"refuse","times":1}'
is "$(storage retry box a.vhd 20)" "retries=1" "and a connection broken off"
proxy_rule '{"kind":"properties","do":"status","status":429,"headers":{"Retry-After":"2"}}'
start=$(date +%s)
is "$(storage retry box a.vhd 20)" "retries=1" "429 is tried again"
[ $(($(date +%s) - start)) -ge 2 ]
ok $? "when the service wants it to"
proxy_rule '{"kind":"properties","do":"status","status":503,"times":0}'
like "$(storage retry box a.vhd 1)" "retries=*error=EAGAIN status=503*" \
	"it ends"
proxy_clear
proxy_rule '{"kind":"properties","do":"status","status":403}'
like "$(storage retry box a.vhd 20)" "retries=0*error=EACCES status=403*" \
	"a refusal is final"
proxy_rule '{"kind":"properties","do":"status","status":302,"headers":{"Location":"http://192.0.2.1/"}}'
like "$(storage retry box a.vhd 20)" "retries=0*error=EPROTO status=302*" \
	"redirects are not followed"

# Outcomes that are not known
proxy_rule '{"kind":"block-put","do":"drop"}'
proxy_reset
like "$(echo '{}' | storage --warm --if-none-match '*' block-put box points/x)" \
	"error=ECONNRESET status=0 code= ambiguous=1*" \
	"a create whose reply was lost may have been"
is "$(proxy_requests block-put)" 1 "it was sent once, by libcurl too"
is "$(storage block-get box points/x)" "{}" "and it was"
proxy_rule '{"kind":"block-put","do":"refuse"}'
like "$(echo '{}' | storage --if-none-match '*' block-put box points/y)" \
	"error=ECONNRESET status=0 code= ambiguous=1*" \
	"nor is it known of one that was not"
proxy_rule '{"kind":"snapshot","do":"drop"}'
proxy_reset
like "$(storage --warm snapshot box a.vhd)" \
	"error=ECONNRESET status=0 code= ambiguous=1*" \
	"a snapshot whose time was lost"
is "$(proxy_requests snapshot)" 1 "is not taken twice"
is "$(storage list box a.vhd | grep -c -v ' - ')" 1 "but is there"
proxy_rule '{"kind":"page-*","do":"drop","times":2}'
proxy_reset
like "$(storage --warm page-put box a.vhd 0 <"$WORK/data")" \
	"error=ECONNRESET status=0 code= ambiguous=1*" \
	"a write whose reply was lost"
like "$(storage --warm page-clear box a.vhd 0 4096)" \
	"error=ECONNRESET status=0 code= ambiguous=1*" "and a clear"
is "$(proxy_requests 'page-*')" 2 "are sent once, too"
proxy_rule '{"kind":"page-put","do":"status","status":500,"code":"OperationTimedOut","after":true}'
like "$(storage page-put box a.vhd 0 <"$WORK/data")" \
	"error=EAGAIN status=500 code=OperationTimedOut ambiguous=1*" \
	"a time-out of the service's"
storage read box a.vhd 0 4096 | cmp - "$WORK/data"
ok $? "its write was done all the same"

# A service that does not answer
proxy_rule '{"kind":"page-put","do":"hold"}'
like "$(storage --timeout 1 page-put box a.vhd 0 <"$WORK/data")" \
	"error=ETIMEDOUT status=0 code= ambiguous=1*" \
	"a request without an answer ends"
proxy_release

# A late duplicate
storage page-sequence box a.vhd max 1 >/dev/null
proxy_rule '{"kind":"page-put","do":"record","name":"late"}'
storage --sequence 1 page-put box a.vhd 4096 <"$WORK/data" >/dev/null
is "$(proxy_replay late)" "201 " "a request sent again does it again"
storage page-sequence box a.vhd max 2 >/dev/null
is "$(proxy_replay late)" "412 SequenceNumberConditionNotMet" \
	"but not after the number was raised"

# Accounts that do not suit
against() {
	proxy_clear
	proxy_rule "{\"kind\":\"account\",\"do\":\"alter\",\"headers\":{$1}}"
	storage info | sed -n 's/^against=//p'
}
is "$(against '"x-ms-is-hns-enabled":"true"')" \
	"it has a hierarchical namespace" "a hierarchical namespace is noticed"
is "$(against '"x-ms-sku-name":"Premium_LRS"')" \
	"its page blobs are premium ones" "premium page blobs are"
is "$(against '"x-ms-account-kind":"BlockBlobStorage"')" \
	"it holds block blobs only" "and an account without any"
is "$(against '"x-ms-other":"1"')" "" "another is fine"
proxy_clear
proxy_rule '{"kind":"block-put","do":"alter","headers":{"x-ms-version-id":"2026-01-01T00:00:00.0000000Z"}}'
is "$(echo '{}' | storage block-put box doc | sed -n 's/^versioned=//p')" 1 \
	"versions show in a write"

# What is counted
proxy_clear
proxy_reset
storage page-put box a.vhd 0 <"$WORK/data" >/dev/null
storage page-clear box a.vhd 0 4096 >/dev/null
is "$(proxy_requests 'page-*') $(proxy_bytes 'page-*')" "2 4096" \
	"the proxy counts requests and bytes of bodies"

finish
