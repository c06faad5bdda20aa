# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# sink.sh - a store that takes pages as fast as they come; to be sourced by sh
# after tests/lib/azurite.sh and azurite_start
#
#	sink_install		fetches it, once
#	sink_start DIR		an nginx before Azurite, over HTTP and TLS; it
#				ends with this shell
#	sink_stop		ends it before
#
# sink_start sets SINK_HTTP and SINK_TLS, the account's URLs, and SINK_CA, the
# certificate to trust. What is put to pages of blobs whose path matches
# SINK_DISCARD (all in disks/) is read to its end, answered and forgotten. What
# is read of the snapshot of a *.vhd comes from the file SINK_SERVED. All else
# goes to Azurite and comes from there. DIR/requests has a line for each:
# when it ended, seconds, status, bytes in, bytes out, the request.
#
# The packages are unpacked in the cache and not installed: then nothing starts
# them, now or when the machine does.

# What is set is for who sources it, and the cache is where it was.
# shellcheck disable=SC2031,SC2034

# shellcheck source=scripts/lib/cache.sh
. "$TOP/scripts/lib/cache.sh"

sink_home()
{
	echo "nginx-$(. /etc/os-release && echo "$VERSION_CODENAME")"
}

# fetch_package DIR PACKAGE...: unpacked there
fetch_package()
{
	fetch_into=$1
	shift
	mkdir "$fetch_into/deb"
	(
		cd "$fetch_into/deb" || exit 1
		set -- -q -q -o APT::Sandbox::User=root download "$@"
		apt-get "$@" || { apt-get -q -q update && apt-get "$@"; }
	) || return 1
	for fetch_deb in "$fetch_into"/deb/*.deb; do
		dpkg-deb -x "$fetch_deb" "$fetch_into" || return 1
	done
	rm -r "$fetch_into/deb"
}

# nginx, and the module that can change a request's headers
sink_fetch()
{
	fetch_package "$1" nginx libnginx-mod-http-headers-more-filter
}

sink_install()
{
	cached "$(sink_home)" sink_fetch
}

sink_port()
{
	/usr/bin/python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# sink_certificate DIR: an authority, and what it says of 127.0.0.1
sink_certificate()
{
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=sink CA" \
		-keyout "$1/ca.key" -out "$1/ca.pem" 2>/dev/null &&
	openssl req -newkey rsa:2048 -nodes -subj "/CN=sink" \
		-keyout "$1/sink.key" -out "$1/sink.csr" 2>/dev/null &&
	echo "subjectAltName=IP:127.0.0.1" >"$1/sink.ext" &&
	openssl x509 -req -days 2 -in "$1/sink.csr" -CA "$1/ca.pem" \
		-CAkey "$1/ca.key" -set_serial 1 -extfile "$1/sink.ext" \
		-out "$1/sink.pem" 2>/dev/null
}

# sink_configuration DIR HTTP-PORT TLS-PORT
#
# nginx's own handler of files refuses a PUT, after the mirror has read its
# body; the refusal is turned into the answer of a store.
sink_configuration()
{
	cat <<-END
	load_module $TIDEMARK_CACHE/$(sink_home)/usr/lib/nginx/modules/ngx_http_headers_more_filter_module.so;
	user root;
	worker_processes 1;
	daemon off;
	pid $1/nginx.pid;
	error_log $1/error.log;
	events { worker_connections 512; }
	http {
		log_format requests "\$msec \$request_time \$status \$request_length \$bytes_sent \$request";
		access_log $1/requests requests;
		client_body_temp_path $1/body;
		proxy_temp_path $1/proxy;
		fastcgi_temp_path $1/fastcgi;
		uwsgi_temp_path $1/uwsgi;
		scgi_temp_path $1/scgi;
		client_max_body_size 0;
		client_body_buffer_size 5m;
		keepalive_requests 10000000;
		keepalive_timeout 600s;
		sendfile on;
		tcp_nopush on;
		upstream azurite {
			server 127.0.0.1:$AZURITE_PORT;
			keepalive 32;
		}
		map "\$request_method:\$arg_comp:\$uri" \$page {
			default "";
			"~^PUT:page:.*${SINK_DISCARD:-/disks/}" put;
			"~^GET::.*\.vhd\$" \$from_snapshot;
		}
		map \$arg_snapshot \$from_snapshot {
			default get;
			"" "";
		}
		server {
			listen 127.0.0.1:$2;
			listen 127.0.0.1:$3 ssl;
			ssl_certificate $1/sink.pem;
			ssl_certificate_key $1/sink.key;
			root $1/root;
			if (\$page = put) { rewrite ^ /put last; }
			if (\$page = get) { rewrite ^ /served break; }
			location / {
				proxy_pass http://azurite;
				proxy_http_version 1.1;
				proxy_set_header Connection "";
				proxy_set_header Host \$http_host;
				proxy_request_buffering off;
			}
			location = /put {
				internal;
				mirror /nowhere;
				error_page 405 =201 /created;
			}
			location = /nowhere { internal; return 204; }
			location = /created { internal; return 201; }
			location = /served {
				more_set_input_headers "Range: \$http_x_ms_range";
			}
		}
	}
	END
}

sink_start()
{
	sink_install || return 1
	mkdir -p "$1/root"
	: >"$1/root/put"
	sink_certificate "$1" || return 1
	sink_http=$(sink_port) && sink_tls=$(sink_port) || return 1
	sink_configuration "$1" "$sink_http" "$sink_tls" >"$1/nginx.conf"
	setpriv --pdeathsig TERM \
		"$TIDEMARK_CACHE/$(sink_home)/usr/sbin/nginx" -p "$1" \
		-e "$1/error.log" -c "$1/nginx.conf" 2>"$1/said" &
	SINK_PID=$!
	! command -v at_exit >/dev/null || at_exit sink_stop
	SINK_HTTP=http://127.0.0.1:$sink_http/$AZURITE_ACCOUNT
	SINK_TLS=https://127.0.0.1:$sink_tls/$AZURITE_ACCOUNT
	SINK_CA=$1/ca.pem
	SINK_SERVED=$1/root/served
	sink_tries=0
	until [ "$(curl -s -o "$1/check" -w '%{http_code}' --noproxy '*' \
		  "$SINK_HTTP?comp=list")" = 403 ]; do
		sink_tries=$((sink_tries + 1))
		if [ $sink_tries -gt 200 ] || ! kill -0 $SINK_PID 2>/dev/null
		then
			echo "cannot start nginx: it says:" >&2
			cat "$1/said" "$1/error.log" >&2
			return 1
		fi
		sleep 0.05
	done
}

sink_stop()
{
	[ -n "${SINK_PID-}" ] || return 0
	kill "$SINK_PID" 2>/dev/null
	wait "$SINK_PID" 2>/dev/null || :
	SINK_PID=
}
