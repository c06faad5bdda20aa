# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# imds.sh - a stand-in for Azure's metadata service; to be sourced by sh after
# tap.sh
#
#	imds_start DIR		starts one (see imds.py), which ends with this
#				shell; the program is led to it
#	imds_rules JSON		what it does from now on
#	imds_asked [PATTERN]	prints how many requests came whose line in the
#				log, STATUS QUERY, matches (shell pattern)

imds_start() {
	imds_dir=$1
	rm -f "$imds_dir/imds.port"
	: >"$imds_dir/imds.log"
	imds_rules '{}'
	setpriv --pdeathsig TERM /usr/bin/python3 "$TESTS/lib/imds.py" \
		"$imds_dir/imds.port" "$imds_dir/imds.log" \
		"$imds_dir/imds.rules" 2>"$imds_dir/imds.err" &
	IMDS_PID=$!
	at_exit imds_stop
	imds_tries=0
	while [ ! -e "$imds_dir/imds.port" ] && [ $imds_tries -lt 600 ] &&
	      kill -0 "$IMDS_PID" 2>/dev/null; do
		imds_tries=$((imds_tries + 1))
		sleep 0.05
	done
	AZURE_POD_IDENTITY_AUTHORITY_HOST=http://127.0.0.1:$(
		cat "$imds_dir/imds.port") || return 1
	export AZURE_POD_IDENTITY_AUTHORITY_HOST
}

imds_stop() {
	[ -n "${IMDS_PID:-}" ] || return 0
	kill "$IMDS_PID" 2>/dev/null
	wait "$IMDS_PID" 2>/dev/null
	IMDS_PID=
}

imds_rules() {
	echo "$1" >"$imds_dir/imds.rules.new"
	mv "$imds_dir/imds.rules.new" "$imds_dir/imds.rules"
}

imds_asked() {
	imds_count=0
	while read -r imds_line; do
		# shellcheck disable=SC2254 # a pattern it is
		case $imds_line in
		${1:-*}) imds_count=$((imds_count + 1)) ;;
		esac
	done <"$imds_dir/imds.log"
	echo $imds_count
}
