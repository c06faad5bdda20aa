#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Data that are damaged on the way: the service refuses what was sent so, we what
# was read so, and it goes once more. By CRC64, and by MD5. The emulator cannot
# answer a read with a CRC64, and is asked for an MD5 then.

. "$(dirname "$0")/../lib/tap.sh"
. "$TESTS/lib/faults.sh"

faults_start

# requests KIND PATH STATUS: how many the service has answered so
requests() {
	proxy_control log | /usr/bin/python3 -c '
import json, sys
print(sum(r["kind"] == sys.argv[1] and sys.argv[2] in r["path"] and
          str(r["status"]) == sys.argv[3] for r in json.load(sys.stdin)))' "$@"
}

# restore: the last point over right.img, and how many reads of pages it takes
restore() {
	proxy_reset
	tidemark restore disk a "$WORK/right.img" --yes --json
	ok $? "$1"
	READS=$(requests read a.vhd 206)
}

# sends WHAT-THE-SERVICE-CALLS-IT
sends() {
	scribble "$A" 2000000 300000
	proxy_reset
	proxy_rule '{"kind":"page-put","path":"a.vhd","times":2,
		"do":"damage","where":"request"}'
	proxy_rule '{"kind":"page-put","path":"a.hash","do":"damage",
		"where":"request"}'
	tidemark backup --json || sed 's/^/# /' "$WORK/err"
	is "$STATUS" 0 "what is damaged on its way there is sent again"
	is "$(requests page-put a.vhd 400) $(requests page-put a.hash 400)" \
		"2 1" "as the service refuses it"
	is "$(json result.counters.total.retries)" 3 "which is counted"
	proxy_clear
	right "and the point is right"

	scribble "$A" 2000000 300000
	echo 'retries = 1' >>"$TIDEMARK_CONFIG"
	proxy_rule '{"kind":"page-put","path":"a.vhd","times":0,
		"do":"damage","where":"request"}'
	tidemark backup --json
	is "$STATUS $(json error.service.code)" "9 $1" \
		"damage without end is reported"
	like "$(json error.message)" \
		"cannot write 'tidemark-*/disks/a.vhd': the data were damaged on the way: *" \
		"by what it is"
	proxy_clear
	sed -i /retries/d "$TIDEMARK_CONFIG"
	tidemark backup && tidemark verify
	ok $? "the next run makes up for it"
}

# reads SKIP: that many requests come before those for pages of the disk
reads() {
	restore "a restore"
	undamaged=$READS
	proxy_rule "{\"kind\":\"read\",\"path\":\"a.vhd\",\"skip\":$1,
		\"times\":2,\"do\":\"damage\",\"where\":\"reply\"}"
	restore "one with damage on its way here"
	is "$READS" $((undamaged + 2)) "reads again"
	cmp "$WORK/right.img" "$A"
	ok $? "and is right"
	proxy_rule '{"kind":"read","path":"/points/","do":"damage",
		"where":"reply"}'
	proxy_reset
	"$TIDEMARK" points >"$WORK/points"
	proxy_await "$PROXY_RULE"
	proxy_clear
	"$TIDEMARK" points | cmp - "$WORK/points"
	ok $? "so are documents"

	echo 'retries = 1' >>"$TIDEMARK_CONFIG"
	proxy_rule "{\"kind\":\"read\",\"path\":\"a.vhd\",\"skip\":$1,
		\"times\":0,\"do\":\"damage\",\"where\":\"reply\"}"
	tidemark restore disk a "$WORK/right.img" --yes --json
	is "$STATUS" 9 "damage without end is reported"
	like "$(json error.message)" \
		"cannot read *'tidemark-*/disks/a.vhd': the data were damaged on the way" \
		"by what it is"
	proxy_clear
	sed -i /retries/d "$TIDEMARK_CONFIG"
	cmp "$WORK/right.img" "$A"
	ok $? "and nothing wrong is left"
}

echo "[transfer]" >"$TIDEMARK_CONFIG"
sends Crc64Mismatch
reads 2
is "$(requests read a.vhd 500)" 1 "the emulator was asked for a CRC64 once"
echo "checksum = md5" >>"$TIDEMARK_CONFIG"
sends Md5Mismatch
reads 1
is "$(requests read a.vhd 500)" 0 "for an MD5 it is asked at first"
finish
