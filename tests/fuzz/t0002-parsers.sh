#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What comes from the network, from a vault, from a machine's files and from the
# kernel: whatever the bytes, they are read without harm, and what is accepted
# says what it was read as. RUNS (of each), SEED, LIMIT and PARSERS are
# variables; the long form is `make check-fuzz`.

. "$(dirname "$0")/../lib/tap.sh"

if [ "${FORM-}" = full ]; then
	: "${RUNS:=10000000}" "${LIMIT:=0}"
	patience=900
else
	: "${RUNS:=100000}" "${LIMIT:=6}"
	patience=120
fi
: "${SEED:=$(date +%s)}" "${PARSERS:=documents service pages http}"
kept=$BUILD/fuzz/found
here=$TESTS/fuzz

# No large pieces of memory go back to the kernel, only to be asked for again.
export ASAN_OPTIONS=quarantine_size_mb=1:allocator_release_to_os_interval_ms=-1
# What is found is said: a mistake that was planted is to be, too.
export UBSAN_OPTIONS=print_stacktrace=1

# fuzz PROGRAM NAME RUNS SECONDS ARTIFACTS: into $WORK/said.NAME
fuzz() {
	mkdir -p "$WORK/corpus.$2"
	nice -n "${NICE:-0}" "$1" -runs="$3" -max_total_time="$4" \
		-max_len=4096 -verbosity=0 -seed="$SEED" \
		-dict="$here/dictionaries/$2" -artifact_prefix="$5/" \
		"$WORK/corpus.$2" "$here/corpus/$2" >"$WORK/said.$2" 2>&1
}

# number NAME PATTERN: what comes before it in what was said
number() {
	sed -n "s/^fuzz: \([0-9]*\) $2\$/\1/p" "$WORK/said.$1"
}

# looks NAME: one of them finds nothing, and has seen what there is to see
looks() {
	fuzz "$BUILD/fuzz/fuzz_$1" "$1" "$RUNS" "$LIMIT" "$kept"
	ok $? "$1: nothing is found, seed $SEED" || {
		grep -v '# Uses' "$WORK/said.$1" | sed 's/^/# /' | head -n 60
		echo "# what broke it is in $kept"
	}
	sed -n 's/^fuzz: /# /p' "$WORK/said.$1"
	n=$(number "$1" executions)
	[ "${n:-0}" -gt 0 ] && { [ "$LIMIT" -ne 0 ] || [ "$n" -ge "$RUNS" ]; }
	ok $? "$1: ${n:-0} executions"
	# Refusals alone would say little.
	none=$(sed -n 's/^fuzz: 0 accepted: //p' "$WORK/said.$1")
	is "$none" "" "$1: some of each kind were accepted"
	all=$(sed -n 's/^fuzz: \([0-9]*\) accepted: .*/\1/p' "$WORK/said.$1" |
		awk '{ n += $1 } END { print n + 0 }')
	[ "$all" -gt $((${n:-0} / 50)) ]
	ok $? "$1: $all accepted, of all"
}

mkdir -p "$kept"
for parser in $PARSERS; do
	looks "$parser"
done

# The source and what has been compiled of it, for mistakes to be put into.
tree=$WORK/tree
mkdir -p "$tree/tests" "$tree/build/fuzz"
cp -a "$TOP/Makefile" "$TOP/userspace" "$TOP/kmod" "$tree"
cp -a "$here" "$tree/tests"
cp -a "$BUILD/fuzz/led" "$BUILD/fuzz/judges" "$tree/build/fuzz"

# finds PARSER TEXT FILE SED: with this mistake in FILE, something is found
finds() {
	case " $PARSERS " in
	*" $1 "*) ;;
	*) return ;;
	esac
	sed -i "$4" "$tree/$3"
	if cmp -s "$TOP/$3" "$tree/$3"; then
		ok 1 "found: $2" || echo "# nothing was changed"
		return
	fi
	if ! make -s -C "$tree" WARN= "build/fuzz/fuzz_$1" >"$WORK/built" 2>&1
	then
		ok 1 "found: $2" || sed 's/^/# /' "$WORK/built"
		return
	fi
	rm -rf "$WORK/corpus.$1"
	! fuzz "$tree/build/fuzz/fuzz_$1" "$1" 4000000 $patience "$WORK" &&
		grep -qE 'fuzz: broken|runtime error|AddressSanitizer' \
			"$WORK/said.$1"
	ok $? "found: $2" || tail -n 3 "$WORK/said.$1" | sed 's/^/# /'
	# Newer than what was compiled of the mistake.
	cat "$TOP/$3" >"$tree/$3"
}

finds service "a range up to the last byte of all taken for a hole" \
	userspace/port/pageblob.c '/list->end == UINT64_MAX/s/.*/	    0)/'
finds documents "a time that cannot be written again" userspace/model/json.c \
	's/ || (!t && need == TM_JSON_REQUIRED)//'
finds pages "a page loaded past the last entry" userspace/model/hashtable.c \
	's/page <= t->pages && pages <= t->pages - page/1/'
finds http "a header of two lines" userspace/port/httpreply.c \
	"/memchr(line, '.r'/s/.*/	    0)/"
if [ "${FORM-}" = full ]; then
	finds service "more bytes than were asked for" userspace/port/blob.c \
		's/len > b->len - b->have/0/'
	finds service "a page of a proxy's taken for an empty list" \
		userspace/port/pageblob.c 's/ ? -EPROTO : 0;$/ \& 0;/'
	finds service "the name of the container before" \
		userspace/port/bloblist.c '/begin = on_container_begin/d'
	finds service "a snapshot whose time has no end" userspace/port/blob.c \
		's/strlen(time) < BLOB_SNAPSHOT_SIZE/1/'
	finds service "a lease that ends before its time" userspace/port/lease.c \
		's/seconds < UINT_MAX ?/1 ?/'
	finds documents "a field that is lost" userspace/model/rundoc.c \
		'/put_string(&r, obj, "host"/d'
	finds documents "what is unknown is lost" userspace/model/json.c \
		's/ && rest && json_object_update_missing(obj, (json_t \*)rest)/ \&\& !rest/'
	finds documents "a terminal that is driven" userspace/model/error.c \
		's/return c >= .* \&\& c != 0x7f/return 1/'
	finds documents "a tally that is less than its parts" \
		userspace/model/counters.c 's/parts > value(&t.other, i)/0/'
	finds documents "a log of XFS past the end" \
		userspace/model/mark.c 's/len > end - place->start - off/0/'
	finds pages "a footer that does not check" userspace/model/vhd.c \
		's/get_be(footer + AT_CHECKSUM, 4) != checksum(footer)/0/'
	finds pages "a page forgotten though it is to be written" \
		userspace/model/hashtable.c 's/if (!page_dirty(\*b, page))/if (1)/'
	finds pages "ranges that touch and are not merged" \
		userspace/model/extent.c 's/e->v\[j\].start <= end/e->v[j].start < end/'
	finds pages "a cut without an id" userspace/port/dmstatus.c \
		's/    !st->frozen\[0\])/    0)/'
fi
finish
