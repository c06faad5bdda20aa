# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# certs.sh - certificates for servers of a test; to be sourced by sh after
# tap.sh
#
#	authority NAME		NAME.pem, NAME.key in $WORK: one of our own
#	certificate NAME AUTHORITY SAN [FROM TO]	NAME.pem, NAME.key for a
#				server of that name (DNS:...,IP:...), valid for
#				two days or between the times (YYYYMMDDHHMMSSZ)

# certs_request ARG...: `openssl req` with a new key
certs_request() {
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
		"$@" 2>>"$WORK/openssl.log"
}

authority() {
	certs_request -x509 -days 2 -subj "/CN=test authority $1" \
		-keyout "$WORK/$1.key" -out "$WORK/$1.pem"
}

# `openssl x509` of Debian 12 takes no dates, only days from now on.
certificate() {
	cat >"$WORK/ca.conf" <<-END
	[ca]
	default_ca = ours
	[ours]
	database = $WORK/ca.index
	new_certs_dir = $WORK
	rand_serial = yes
	default_md = sha256
	default_days = 2
	policy = any
	x509_extensions = server
	[any]
	commonName = supplied
	[server]
	subjectAltName = $3
	END
	: >"$WORK/ca.index"
	certs_request -subj "/CN=$1" -keyout "$WORK/$1.key" \
		-out "$WORK/$1.csr" || return 1
	openssl ca -batch -notext -config "$WORK/ca.conf" \
		-cert "$WORK/$2.pem" -keyfile "$WORK/$2.key" \
		-in "$WORK/$1.csr" -out "$WORK/$1.pem" \
		${4:+-startdate "$4" -enddate "$5"} 2>>"$WORK/openssl.log"
}
