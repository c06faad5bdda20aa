# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# middlebox.sh - Debian's HTTP and SOCKS proxies on the loopback; to be sourced
# by sh after tap.sh
#
#	middlebox_install	fetches squid, tinyproxy and microsocks, once
#	squid_start DIR [LINE...]	a squid whose configuration has those
#				lines after its own; each may name @HOME@, where
#				squid lies, and @DIR@, where its files are
#	tinyproxy_start DIR [LINE...]	the same for a tinyproxy
#	microsocks_start DIR [ARG...]	a microsocks with these arguments; what
#				it connects to is in DIR/said
#	middlebox_login DIR USER PASSWORD	files that squid's helpers for
#				Basic and Digest read: DIR/basic, DIR/digest
#	squid_lines DIR PATTERN	how many lines of its log match (grep -E)
#
# A start sets MIDDLEBOX_PORT and MIDDLEBOX_PID; the proxy ends with this shell. Both run as
# nobody when this is root, and keep nothing.
#
# The packages are unpacked in the cache and not installed: then nothing starts
# them, now or when the machine does.

# Prints the directory that they are unpacked in.
middlebox_home() {
	echo "${TIDEMARK_CACHE:-/var/cache/tidemark}/middlebox-squid-tinyproxy-microsocks-$(
		. /etc/os-release && echo "$VERSION_CODENAME")"
}

# Fetches them, with the libraries that are not here, into the directory $1.
middlebox_fetch() {
	apt-get -q -q -y --no-install-recommends --reinstall --download-only \
		-o Dir::Cache::archives="$1" -o APT::Sandbox::User=root \
		install squid squid-common squid-langpack tinyproxy-bin \
		microsocks >&2
}

middlebox_install() {
	middlebox_dir=$(middlebox_home)
	[ ! -x "$middlebox_dir/usr/sbin/squid" ] || return 0
	mkdir -p "${middlebox_dir%/*}" || return 1
	middlebox_new=$(mktemp -d "$middlebox_dir.XXXXXX") || return 1
	mkdir -p "$middlebox_new/deb/partial"
	middlebox_fetch "$middlebox_new/deb" || {
		apt-get -q -q update >&2
		middlebox_fetch "$middlebox_new/deb"
	} || {
		rm -rf "$middlebox_new"
		echo "cannot fetch squid, tinyproxy and microsocks" >&2
		return 1
	}
	for middlebox_deb in "$middlebox_new"/deb/squid*.deb \
		"$middlebox_new"/deb/tinyproxy*.deb \
		"$middlebox_new"/deb/microsocks*.deb \
		"$middlebox_new"/deb/lib[!p]*.deb
	do
		[ ! -e "$middlebox_deb" ] ||
			dpkg-deb -x "$middlebox_deb" "$middlebox_new" || return 1
	done
	rm -rf "$middlebox_new/deb"
	chmod 755 "$middlebox_new"
	# Another test may have been faster: then its copy serves.
	mv -T "$middlebox_new" "$middlebox_dir" 2>/dev/null ||
		rm -rf "$middlebox_new"
	[ -x "$middlebox_dir/usr/sbin/squid" ]
}

middlebox_free_port() {
	/usr/bin/python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# A directory that nobody can write and, through it, the test's own.
middlebox_directory() {
	middlebox_install || exit 1
	MIDDLEBOX_PORT=$(middlebox_free_port) || exit 1
	mkdir -p "$1" || exit 1
	[ "$(id -u)" -ne 0 ] || { chmod 711 "$WORK" && chown 65534:65534 "$1"; }
}

middlebox_configure() {
	middlebox_file=$1
	shift
	for middlebox_line; do
		echo "$middlebox_line"
	done | sed "s|@HOME@|$(middlebox_home)|g
		s|@DIR@|${middlebox_file%/*}|g" >>"$middlebox_file"
}

# middlebox_run DIR COMMAND...: until it accepts connections. TERM, when the test
# is killed, lets squid remove the memory that it shares with itself.
middlebox_run() {
	middlebox_log=$1/said
	shift
	middlebox_libs=$(find "$(middlebox_home)/usr/lib" -maxdepth 1 \
		-name '*-linux-gnu')
	[ "$(id -u)" -ne 0 ] ||
		set -- setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
	LD_LIBRARY_PATH=$middlebox_libs setpriv --pdeathsig TERM "$@" \
		>"$middlebox_log" 2>&1 </dev/null &
	MIDDLEBOX_PID=$!
	at_exit "kill -KILL $MIDDLEBOX_PID; wait $MIDDLEBOX_PID 2>/dev/null"
	middlebox_tries=0
	until /usr/bin/python3 -c "import socket
socket.create_connection(('127.0.0.1', $MIDDLEBOX_PORT))" 2>/dev/null; do
		middlebox_tries=$((middlebox_tries + 1))
		if [ $middlebox_tries -gt 200 ] ||
		   ! kill -0 "$MIDDLEBOX_PID" 2>/dev/null; then
			echo "cannot start $1: it says:" >&2
			cat "$middlebox_log" >&2
			exit 1
		fi
		sleep 0.1
	done
}

squid_start() {
	squid_dir=$1
	shift
	middlebox_directory "$squid_dir"
	middlebox_configure "$squid_dir/squid.conf" \
		"http_port 127.0.0.1:$MIDDLEBOX_PORT" \
		"visible_hostname localhost" \
		"hosts_file @DIR@/hosts" \
		"cache deny all" \
		"pid_filename none" \
		"pinger_enable off" \
		"netdb_filename none" \
		"unlinkd_program @HOME@/usr/lib/squid/unlinkd" \
		"coredump_dir @DIR@" \
		"error_directory @HOME@/usr/share/squid-langpack/templates" \
		"icon_directory @HOME@/usr/share/squid/icons" \
		"mime_table @HOME@/usr/share/squid/mime.conf" \
		"cache_log @DIR@/cache.log" \
		"logformat test %rm %ru %>Hs %un %<st" \
		"access_log stdio:@DIR@/access.log test" \
		"shutdown_lifetime 0 seconds" \
		"$@"
	[ -e "$squid_dir/hosts" ] || : >"$squid_dir/hosts"
	# A name of its own: that memory is called after it.
	at_exit "rm -f /dev/shm/test$MIDDLEBOX_PORT-*"
	middlebox_run "$squid_dir" "$(middlebox_home)/usr/sbin/squid" -N \
		-n "test$MIDDLEBOX_PORT" -f "$squid_dir/squid.conf"
}

squid_lines() {
	grep -cE "$2" "$1/access.log"
}

middlebox_login() {
	mkdir -p "$1"
	echo "$2:$(openssl passwd -apr1 "$3")" >"$1/basic"
	echo "$2:test:$(printf '%s:test:%s' "$2" "$3" | md5sum |
		cut -c1-32)" >"$1/digest"
}

tinyproxy_start() {
	tinyproxy_dir=$1
	shift
	middlebox_directory "$tinyproxy_dir"
	middlebox_configure "$tinyproxy_dir/tinyproxy.conf" \
		"Port $MIDDLEBOX_PORT" \
		"Listen 127.0.0.1" \
		"LogLevel Connect" \
		"LogFile \"@DIR@/access.log\"" \
		"MaxClients 20" \
		"$@"
	middlebox_run "$tinyproxy_dir" "$(middlebox_home)/usr/bin/tinyproxy" -d \
		-c "$tinyproxy_dir/tinyproxy.conf"
}

microsocks_start() {
	microsocks_dir=$1
	shift
	middlebox_directory "$microsocks_dir"
	middlebox_run "$microsocks_dir" "$(middlebox_home)/usr/bin/microsocks" \
		-i 127.0.0.1 -p "$MIDDLEBOX_PORT" "$@"
}
