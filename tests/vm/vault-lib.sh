# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# vault-lib.sh - tests whose guests back up into an Azurite of the host
#
# Sourced after lib.sh. Guests are started with `vault_guest`, which is `guest`
# with the way to the vault, and tests/vm/host-truth.sh to answer `host`.

TESTS=$TOP/tests
# shellcheck source=tests/lib/azurite.sh
. "$TESTS/lib/azurite.sh"
trap 'azurite_stop; rm -rf "$WORK"' EXIT
azurite_start "$WORK/azurite"
export WORK TOP AZURITE_URL AZURE_STORAGE_CONNECTION_STRING

sed "s|BlobEndpoint=http://127.0.0.1:$AZURITE_PORT|BlobEndpoint=http://10.0.2.100:10000|
	s|^|AZURE_STORAGE_CONNECTION_STRING='|; s|\$|'|" >"$WORK/vault.env" <<END
$AZURE_STORAGE_CONNECTION_STRING
END
"$TOP/build/tidemark" vault create "$AZURITE_URL/vault" --name Tests --quiet

# vault_guest TEXT ARG...: with one processor: two that are emulated cost more
vault_guest()
{
	vault_text=$1
	shift
	guest "$vault_text" --smp 1 --forward "$AZURITE_PORT" \
		--host "$TOP/tests/vm/host-truth.sh" \
		--add "$WORK/vault.env:/etc/vault" \
		--add "$TOP/tests/vm/guest/vault.sh:/usr/lib/vault.sh" "$@"
}
