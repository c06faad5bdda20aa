# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# azurite.sh - a private Azurite for a test; to be sourced by sh
#
#	azurite_start DIR	starts one that keeps its data in DIR, on a free
#				port of the loopback; it ends with this shell
#	azurite_stop		ends it before
#	azurite_install		fetches the emulators that are locked
#				beside this file, once
#
# azurite_start sets AZURITE_PORT, AZURITE_URL and AZURITE_PID and exports
# AZURE_STORAGE_CONNECTION_STRING. AZURITE=3.35 in the environment chooses the
# older release: faster, but it checks no MD5 and refuses a CRC64, so
# transfer.checksum has to be md5. AZURITE_CERT and AZURITE_CERT_KEY, files in
# PEM, make it speak TLS; AZURITE_OAUTH=basic then makes it take tokens too,
# whose signature it does not check. AZURITE_LOOSE=yes has it ignore headers that
# it does not know, such as those of a customer-provided key, and not refuse them.

# The key of the emulator's one account, as its documentation publishes it.
AZURITE_ACCOUNT=devstoreaccount1
AZURITE_KEY='Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=='

# Where this file lies: a shell does not say, so who sources it may.
: "${TESTS:=$(dirname "$0")/..}"

# Prints the directory that holds the emulators' node_modules.
azurite_home() {
	set -- "$TESTS/azurite/package-lock.json"
	echo "${TIDEMARK_CACHE:-/var/cache/tidemark}/azurite-$(
		sha256sum "$1" | cut -c1-16)"
}

azurite_install() {
	azurite_dir=$(azurite_home) || return 1
	[ -d "$azurite_dir/node_modules/azurite" ] && return 0
	mkdir -p "${azurite_dir%/*}" || return 1
	azurite_new=$(mktemp -d "$azurite_dir.XXXXXX") || return 1
	cp "$TESTS/azurite/package.json" "$TESTS/azurite/package-lock.json" \
		"$azurite_new/" || return 1
	(cd "$azurite_new" && npm ci --ignore-scripts --no-audit --no-fund \
		--silent) >&2 || {
		rm -rf "$azurite_new"
		echo "cannot install Azurite in '$azurite_dir'" >&2
		return 1
	}
	# Another test may have been faster: then its copy serves.
	mv -T "$azurite_new" "$azurite_dir" 2>/dev/null ||
		rm -rf "$azurite_new"
	[ -d "$azurite_dir/node_modules/azurite" ]
}

azurite_start() {
	azurite_install || return 1
	case ${AZURITE:-3.37} in
	3.35) azurite_module=azurite-3.35 ;;
	*) azurite_module=azurite ;;
	esac
	azurite_data=$1
	azurite_scheme=http
	set --
	if [ -n "${AZURITE_CERT:-}" ]; then
		azurite_scheme=https
		set -- --cert "$AZURITE_CERT" --key "$AZURITE_CERT_KEY"
	fi
	[ -z "${AZURITE_OAUTH:-}" ] || set -- "$@" --oauth "$AZURITE_OAUTH"
	[ -z "${AZURITE_LOOSE:-}" ] || set -- "$@" --loose
	mkdir -p "$azurite_data" && : >"$azurite_data/azurite.log" || return 1
	# With its parent it goes too, even if that is killed.
	setpriv --pdeathsig TERM node --no-deprecation \
		"$(azurite_home)/node_modules/$azurite_module/dist/src/blob/main.js" \
		--blobHost 127.0.0.1 --blobPort "${AZURITE_PORT_WANTED:-0}" \
		--silent --disableTelemetry --location "$azurite_data" "$@" \
		>"$azurite_data/azurite.log" 2>&1 &
	AZURITE_PID=$!
	! command -v at_exit >/dev/null || at_exit azurite_stop
	AZURITE_PORT=
	azurite_tries=0
	# The line that tells the port may lack its end for a while.
	while [ -z "$AZURITE_PORT" ] && [ $azurite_tries -lt 1200 ] &&
	      kill -0 "$AZURITE_PID" 2>/dev/null; do
		azurite_tries=$((azurite_tries + 1))
		sleep 0.05
		AZURITE_PORT=$(sed -n \
			"s|.*listens on https*://127.0.0.1:||p" \
			"$azurite_data/azurite.log")
	done
	if [ -z "$AZURITE_PORT" ]; then
		echo "cannot start Azurite: it says:" >&2
		cat "$azurite_data/azurite.log" >&2
		azurite_stop
		return 1
	fi
	AZURITE_URL=$azurite_scheme://127.0.0.1:$AZURITE_PORT/$AZURITE_ACCOUNT
	# It is well when it asks who we are.
	azurite_status=$(curl -s -o /dev/null -kw '%{http_code}' --noproxy '*' \
		--max-time 20 "$AZURITE_URL?comp=list")
	if [ "$azurite_status" != 403 ]; then
		echo "Azurite answers $azurite_status, not 403" >&2
		azurite_stop
		return 1
	fi
	AZURE_STORAGE_CONNECTION_STRING="DefaultEndpointsProtocol=$azurite_scheme;AccountName=$AZURITE_ACCOUNT;AccountKey=$AZURITE_KEY;BlobEndpoint=$AZURITE_URL"
	export AZURE_STORAGE_CONNECTION_STRING AZURITE_PORT AZURITE_URL
}

azurite_stop() {
	[ -n "${AZURITE_PID:-}" ] || return 0
	kill "$AZURITE_PID" 2>/dev/null
	wait "$AZURITE_PID" 2>/dev/null
	AZURITE_PID=
}
