#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Whatever the bytes of a metadata device: the decoder, the same source file as
# the kernel's, and `tidemark meta` do no harm, and say what the format says of
# them. RUNS, SEED and JOBS are variables; the long form is `make check-fuzz`.

. "$(dirname "$0")/../lib/tap.sh"

if [ "${FORM-}" = full ]; then
	: "${RUNS:=10000000}" "${LIMIT:=0}"
else
	: "${RUNS:=200000}" "${LIMIT:=20}"
fi
: "${SEED:=$(date +%s)}" "${JOBS:=1}"
kept=$BUILD/fuzz/found

# No large pieces of memory go back to the kernel, only to be asked for again.
export ASAN_OPTIONS=quarantine_size_mb=1:allocator_release_to_os_interval_ms=-1
# What is found is said: a mistake that was planted is to be, too.
export UBSAN_OPTIONS=print_stacktrace=1

# fuzz PROGRAM JOB RUNS SECONDS: into $WORK/said.JOB
fuzz() {
	mkdir -p "$WORK/corpus"
	"$1" -runs="$3" -max_total_time="$4" -max_len=8192 -verbosity=0 \
		-seed=$((SEED + $2)) -artifact_prefix="$kept/" \
		"$WORK/corpus" >"$WORK/said.$2" 2>&1
}

# sum PATTERN: the numbers that come before it in what was said, added up
sum() {
	cat "$WORK"/said.* | sed -n "s/^fuzz_meta:.*[ ]\([0-9]*\) $1.*/\1/p" |
		awk '{ n += $1 } END { print n + 0 }'
}

found_nothing() {
	mkdir -p "$kept"
	pids=
	for job in $(seq "$JOBS"); do
		fuzz "$BUILD/fuzz/fuzz_meta" "$job" $((RUNS / JOBS)) \
			"$LIMIT" &
		pids="$pids $!"
	done
	bad=0
	for pid in $pids; do
		wait "$pid" || bad=1
	done
	return "$bad"
}

found_nothing
ok $? "nothing is found, seed $SEED" || {
	sed 's/^/# /' "$WORK"/said.* | head -n 60
	echo "# what broke it is in $kept"
}
sed -n 's/^fuzz_meta: /# /p' "$WORK"/said.*
runs=$(sum executions)
[ "$LIMIT" -ne 0 ] || [ "$runs" -ge "$RUNS" ]
ok $? "$runs executions"
# Half of the inputs, or so, are meant to; were it few, the rest would say little.
rule=$(sum 'sets with one that rules')
[ "$rule" -gt $((runs / 5)) ]
ok $? "$rule of them with a superblock that is believed"
for what in valid empty bad newer; do
	n=$(sum "$what")
	[ "$n" -gt $((runs / 20)) ]
	ok $? "$n sectors of areas that are $what"
done
n=$(sum 'in part')
[ "$n" -gt $((runs / 100)) ]
ok $? "$n devices that say that a part has changed"

# finds TEXT FILE SED: with this mistake in a copy of FILE, something is found
finds() {
	copy=$WORK/$(basename "$2")
	sed "$3" "$TOP/$2" >"$copy"
	if cmp -s "$copy" "$TOP/$2"; then
		ok 1 "found: $1" || echo "# nothing was changed"
		return
	fi
	sources=
	for file in kmod/format.c userspace/model/meta.c \
		userspace/model/extent.c userspace/model/error.c; do
		[ "$file" != "$2" ] || file=$copy
		sources="$sources $file"
	done
	rm -rf "$WORK/planted" "$WORK/corpus"
	if ! make -s -C "$TOP" B="$WORK/planted" WARN= FUZZED="$sources" \
		"$WORK/planted/fuzz/fuzz_meta" >"$WORK/built" 2>&1; then
		ok 1 "found: $1" || sed 's/^/# /' "$WORK/built"
		return
	fi
	kept=$WORK
	! fuzz "$WORK/planted/fuzz/fuzz_meta" 0 300000 60 &&
		grep -qE 'fuzz_meta: broken|runtime error|AddressSanitizer' \
			"$WORK/said.0"
	ok $? "found: $1" || tail -n 3 "$WORK/said.0" | sed 's/^/# /'
}

finds "a sector newer than the superblock taken for an old one" kmod/format.c \
	's/return TM_BITS_NEWER/return TM_BITS_EMPTY/'
finds "more merged cuts than there is room for" kmod/format.c \
	's/ || s.nr_merged > TM_MERGED_MAX//'
if [ "${FORM-}" = full ]; then
	finds "a sector of another place" kmod/format.c \
		's/le32_to_cpu(disk->index) != index/false/'
	finds "a sector of the other area" kmod/format.c \
		's/(epoch & 1) != number/false/'
	finds "a sector of another set" kmod/format.c \
		's/tm_crc32c(~0U, setid, sizeof(\*setid))/~0U/'
	finds "areas that are not where the disk puts them" kmod/format.c \
		's/if (!super_areas_ok(disk, &s.geo))/if (!super_areas_ok(disk, \&s.geo) \&\& 0)/'
	finds "areas that are lost when it is written" kmod/format.c \
		's/disk.chunk_area\[i\] = cpu_to_le64.*/;/'
	finds "a superblock that rules though it is older" kmod/format.c \
		's/super\[1\].seq > super\[0\].seq/super[1].seq < super[0].seq/'
	finds "a newer sector that the program forgets" \
		userspace/model/meta.c 's/report->area\[2\].newer ||/0 ||/'
	finds "regions past the end of the disk" userspace/model/meta.c \
		's/if (n > in->super->geo.nr_regions - first)/if (0)/'
	finds "a bad sector that counts for nothing" userspace/model/meta.c \
		's/if (what == TM_BITS_BAD)/if (0)/'
fi
finish
