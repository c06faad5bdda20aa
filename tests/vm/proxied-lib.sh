# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# proxied-lib.sh - guests that reach their vault through the fault proxy
#
# Sourced after lib.sh and vault-lib.sh. `proxied_guest` is `vault_guest` with
# the proxy in between, and tests/vm/host-proxied.sh to answer `host`. What the
# host itself asks of the vault goes round the proxy and is not counted.

# shellcheck source=tests/lib/proxy.sh
. "$TESTS/lib/proxy.sh"
trap 'proxy_stop; azurite_stop; rm -rf "$WORK"' EXIT
proxy_start "$WORK"
AZURE_STORAGE_CONNECTION_STRING=$DIRECT_CONNECTION_STRING
export TESTS PROXY_PORT

# proxied_guest TEXT ARG...: with one processor, as vault_guest
proxied_guest()
{
	proxied_text=$1
	shift
	guest "$proxied_text" --smp 1 --forward "$PROXY_PORT" \
		--host "$TOP/tests/vm/host-proxied.sh" \
		--add "$WORK/vault.env:/etc/vault" \
		--add "$TOP/tests/vm/guest/vault.sh:/usr/lib/vault.sh" \
		--add "$TOP/tests/vm/guest/proxied.sh:/usr/lib/proxied.sh" "$@"
}
