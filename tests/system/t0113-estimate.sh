#!/bin/sh
# SPDX-License-Identifier: MIT
#
# tidemark estimate: the truth about the next backup, and nothing is touched.

. "$(dirname "$0")/../lib/tap.sh"
. "$TESTS/lib/faults.sh"

# estimate DISK MEMBER...: of the last estimate in $WORK/estimate; "total" too
estimate() {
	/usr/bin/python3 -c '
import json, sys
result = json.load(open(sys.argv[1]))["result"]
of = (result["total"] if sys.argv[2] == "total" else
      next(d for d in result["disks"] if d["name"] == sys.argv[2]))
print(*(of[m] for m in sys.argv[3:]))' "$WORK/estimate" "$@"
}

# look: makes one; nothing but reading may come of it
look() {
	look_before=$(vault_state; find "$WORK/m1" -type f -exec sha256sum {} +)
	proxy_reset
	tidemark estimate --json "$@"
	cp "$WORK/out" "$WORK/estimate"
	look_wrote=$(proxy_control log | grep -cE '"method": "(PUT|DELETE|POST)')
	[ "$STATUS" -eq 0 ] && [ "$look_wrote" -eq 0 ] && [ "$look_before" = \
		"$(vault_state; find "$WORK/m1" -type f -exec sha256sum {} +)" ]
	ok $? "an estimate changes nothing${1:+, of $*}"
}

# holds TEXT: a backup takes what was estimated, and not much less of requests
holds() {
	tidemark backup --json
	cp "$WORK/out" "$WORK/backup"
	/usr/bin/python3 -c '
import json, sys
e = json.load(open(sys.argv[1]))["result"]
b = json.load(open(sys.argv[2]))["result"]
c = b["counters"]["total"]
assert b["modes"] == {d["name"]: d["mode"] for d in e["disks"]}, b["modes"]
t = e["total"]
print("#", c["bytes_read"], t["bytes_read"], c["bytes_uploaded"],
      t["bytes_sent_max"], c["requests"], t["requests"])
assert c["bytes_read"] == t["bytes_read"]
assert c["bytes_uploaded"] <= t["bytes_sent_max"]
assert c["requests"] <= t["requests"]
assert t["requests"] - c["requests"] <= t["page_puts"] + \
    t["table_requests"] + 24 * len(e["disks"]) + 16
' "$WORK/estimate" "$WORK/backup"
	ok $? "$1"
}

vault_start
tidemark estimate
is "$STATUS" 4 "nothing is protected: exit 4"
vault_make Main
A=$WORK/a.img B=$WORK/b.img
random_disk "$A" 40
tidemark protect "$VAULT" "$A" --disk a --item m1
tidemark estimate "$A"
is "$STATUS" 4 "a disk that is not: exit 4"
like "$(cat "$WORK/err")" "*cannot find disk '$A' among the protected ones*" \
	"and a clear message"

# The first: all is sent, as far as can be known
look a
is "$(estimate a mode why)" "full it has no recovery point yet" \
	"before the first backup all is sent"
is "$(estimate a bytes tracked bytes_read bytes_sent_max page_puts)" \
	"41943040 False 41943040 41943040 10" "its size, in puts of 4 MiB"
# 640 entries of 16 bytes, and the footer
is "$(estimate a seconds_max store_bytes_max bytes_added_max)" \
	"1 0 41953792" "time, no store, storage"
is "$(estimate total gb_months_max)" "$(estimate a gb_months_max)" \
	"one disk is the total"
tidemark estimate
is "$(head -n 1 "$WORK/out")" \
	"Disk a, 40.0 MiB: full, for it has no recovery point yet" "in words"
holds "the first backup is as estimated"

# Later ones: all is compared, for nothing records the changes of a file
random_disk "$B" 8
tidemark protect "$VAULT" "$B" --disk b
scribble "$A" 1000000 3000000
look
is "$(estimate a mode why)" "compare nothing records its changes" \
	"afterwards all is compared"
is "$(estimate b mode)" full "of a new disk all is sent"
is "$(estimate total bytes_read page_puts)" "50331648 12" "together"
holds "a backup of both is as estimated"
look b
is "$(/usr/bin/python3 -c 'import json, sys
print(len(json.load(open(sys.argv[1]))["result"]["disks"]))' \
	"$WORK/estimate")" 1 "one of them alone"

# A disk that has grown, puts of another size, a blob that has gone
truncate -s 45M "$A"
printf '[transfer]\nrequest_size = 1M\n' >"$TIDEMARK_CONFIG"
look
is "$(estimate a bytes bytes_read page_puts mode)" \
	"47185920 47185920 45 compare" "grown, in puts of 1 MiB"
holds "and so is its backup"
: >"$TIDEMARK_CONFIG"
"$BUILD/tests/storage" delete "$(container)" disks/b.vhd snapshots >"$WORK/log"
look
is "$(estimate b mode why)" "full its blob is not there" \
	"a blob that is gone is sent anew"

# Who may only read can estimate, also while a backup is under way
background
CREDENTIALS="BlobEndpoint=$PROXY_URL;SharedAccessSignature=$(
	"$TESTS/lib/sdk.py" account-sases rl:co:1)"
look a
unset CREDENTIALS
proxy_clear
ended
is "$STATUS" 0 "the backup is not disturbed"
CREDENTIALS=$(echo "$AZURE_STORAGE_CONNECTION_STRING" | sed s/Eby8/Eby9/)
tidemark estimate
is "$STATUS" 5 "a wrong key: exit 5"
unset CREDENTIALS
rm "$A"
tidemark estimate a
is "$STATUS" 4 "a disk that is not there: exit 4"
finish
