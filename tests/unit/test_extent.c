// SPDX-License-Identifier: MIT
/*
 * The list against a naive map of bytes, and the cases at the ends of the
 * number range, which no map reaches.
 */
#include "unit.h"

#include <errno.h>
#include <stdbool.h>

#include "model/extent.h"

#define LIMIT 96	/* numbers in the naive map */

static void check_order(const struct tm_extents *e)
{
	size_t i;

	for (i = 0; i < e->n; i++) {
		assert_true(e->v[i].len > 0);
		if (i)
			assert_true(e->v[i - 1].start + e->v[i - 1].len <
				    e->v[i].start);
	}
}

static void check_map(const struct tm_extents *e, const bool map[LIMIT])
{
	uint64_t total = 0;
	struct tm_extent x;
	int i, len;

	check_order(e);
	for (i = 0; i < LIMIT; i++) {
		bool all = true, any = false, found;
		int next;

		assert_int_equal(tm_extents_contains(e, (uint64_t)i, 1), map[i]);
		total += map[i];
		for (len = 0; i + len <= LIMIT && len < 12; len++) {
			assert_int_equal(tm_extents_contains(e, (uint64_t)i,
							     (uint64_t)len), all);
			assert_int_equal(tm_extents_overlaps(e, (uint64_t)i,
							     (uint64_t)len), any);
			if (i + len < LIMIT) {
				all = all && map[i + len];
				any = any || map[i + len];
			}
		}
		for (next = i; next < LIMIT && !map[next]; next++)
			;
		found = tm_extents_next(e, (uint64_t)i, &x);
		assert_int_equal(found, next < LIMIT);
		if (found) {
			assert_int_equal(x.start, next);
			for (len = 0; next + len < LIMIT && map[next + len];
			     len++)
				;
			assert_int_equal(x.len, len);
		}
	}
	assert_int_equal(tm_extents_total(e), total);
}

static void random_list(uint64_t *seed, struct tm_extents *e, bool map[LIMIT])
{
	int steps = (int)(unit_random(seed) % 24);

	memset(map, 0, LIMIT * sizeof(map[0]));
	tm_extents_init(e);
	while (steps--) {
		uint64_t start = unit_random(seed) % LIMIT;
		uint64_t len = unit_random(seed) % 14;
		bool add = unit_random(seed) % 3 != 0;
		uint64_t i;

		if (len > LIMIT - start)
			len = LIMIT - start;
		if (add)
			assert_int_equal(tm_extents_add(e, start, len), 0);
		else
			assert_int_equal(tm_extents_remove(e, start, len), 0);
		for (i = start; i < start + len; i++)
			map[i] = add;
	}
	check_map(e, map);
}

static void lists_equal_naive_maps(void **state)
{
	uint64_t seed = 20260101;
	int round, i;

	(void)state;
	for (round = 0; round < 1500; round++) {
		struct tm_extents a, b, r = TM_EXTENTS_INIT;
		bool in_a[LIMIT], in_b[LIMIT], want[LIMIT];
		uint64_t granule = 1 + unit_random(&seed) % 9;
		uint64_t limit = unit_random(&seed) % (LIMIT + 1);

		random_list(&seed, &a, in_a);
		random_list(&seed, &b, in_b);

		for (i = 0; i < LIMIT; i++)
			want[i] = in_a[i] || in_b[i];
		assert_int_equal(tm_extents_union(&r, &a, &b), 0);
		check_map(&r, want);
		for (i = 0; i < LIMIT; i++)
			want[i] = in_a[i] && in_b[i];
		assert_int_equal(tm_extents_intersect(&r, &a, &b), 0);
		check_map(&r, want);
		for (i = 0; i < LIMIT; i++)
			want[i] = in_a[i] && !in_b[i];
		assert_int_equal(tm_extents_subtract(&r, &a, &b), 0);
		check_map(&r, want);
		for (i = 0; i < LIMIT; i++)
			want[i] = !in_a[i] && (uint64_t)i < limit;
		assert_int_equal(tm_extents_complement(&r, &a, limit), 0);
		check_map(&r, want);

		memset(want, 0, sizeof(want));
		for (i = 0; i < LIMIT; i++) {
			uint64_t first = (uint64_t)i - (uint64_t)i % granule, k;

			for (k = first; in_a[i] && k < first + granule; k++)
				if (k < limit)
					want[k] = true;
		}
		assert_int_equal(tm_extents_align(&r, &a, granule, limit), 0);
		check_map(&r, want);

		/* To chunks and back is aligning. */
		assert_int_equal(tm_extents_cover(&r, &a, granule), 0);
		assert_int_equal(tm_extents_scale(&r, &r, granule, limit), 0);
		check_map(&r, want);

		assert_int_equal(tm_extents_copy(&r, &a), 0);
		assert_true(tm_extents_equal(&r, &a));
		tm_extents_clip(&r, limit);
		for (i = 0; i < LIMIT; i++)
			want[i] = in_a[i] && (uint64_t)i < limit;
		check_map(&r, want);

		/* The result may be an input. */
		for (i = 0; i < LIMIT; i++)
			want[i] = in_b[i] && !in_a[i];
		assert_int_equal(tm_extents_subtract(&b, &b, &a), 0);
		check_map(&b, want);

		tm_extents_done(&a);
		tm_extents_done(&b);
		tm_extents_done(&r);
	}
}

static void numbers_end(void **state)
{
	struct tm_extents e = TM_EXTENTS_INIT, r = TM_EXTENTS_INIT;

	(void)state;
	assert_int_equal(tm_extents_add(&e, UINT64_MAX, 1), -EOVERFLOW);
	assert_int_equal(tm_extents_add(&e, 1, UINT64_MAX), -EOVERFLOW);
	assert_int_equal(e.n, 0);
	assert_int_equal(tm_extents_add(&e, UINT64_MAX - 4, 4), 0);
	assert_true(tm_extents_contains(&e, UINT64_MAX - 4, 4));
	assert_false(tm_extents_contains(&e, UINT64_MAX - 4, UINT64_MAX));
	assert_true(tm_extents_overlaps(&e, 0, UINT64_MAX));
	assert_int_equal(tm_extents_remove(&e, 5, UINT64_MAX), -EOVERFLOW);

	/* Aligning outwards has nowhere to go but the end. */
	assert_int_equal(tm_extents_align(&r, &e, 4096, UINT64_MAX), 0);
	assert_int_equal(r.n, 1);
	assert_int_equal(r.v[0].start, UINT64_MAX - 4095);
	assert_int_equal(r.v[0].start + r.v[0].len, UINT64_MAX);

	/* A result that cannot be had leaves the target as it was. */
	assert_int_equal(tm_extents_scale(&r, &e, 2, UINT64_MAX), -EOVERFLOW);
	assert_int_equal(r.v[0].start, UINT64_MAX - 4095);

	assert_int_equal(tm_extents_complement(&r, &r, 0), 0);
	assert_int_equal(r.n, 0);
	tm_extents_done(&e);
	tm_extents_done(&r);
	tm_extents_done(&r);
}

/* The last chunk of a disk is partial. */
static void scaling_clips_to_the_disk(void **state)
{
	struct tm_extents e = TM_EXTENTS_INIT;

	(void)state;
	assert_int_equal(tm_extents_add(&e, 2, 3), 0);
	assert_int_equal(tm_extents_scale(&e, &e, 65536, 4 * 65536 + 512), 0);
	assert_int_equal(e.n, 1);
	assert_int_equal(e.v[0].start, 2 * 65536);
	assert_int_equal(e.v[0].len, 2 * 65536 + 512);
	tm_extents_done(&e);
}

/* Every second one of a million chunks, as a hostile disk would have it. */
static void many_ranges_in_order(void **state)
{
	struct tm_extents e = TM_EXTENTS_INIT, r = TM_EXTENTS_INIT;
	uint64_t i, top = UINT64_C(1) << 31;

	(void)state;
	for (i = 0; i < 1000000; i++)
		assert_int_equal(tm_extents_add(&e, top - 2000000 + 2 * i, 1), 0);
	assert_int_equal(e.n, 1000000);
	assert_int_equal(tm_extents_complement(&r, &e, top), 0);
	assert_int_equal(tm_extents_total(&r), top - 1000000);
	assert_int_equal(tm_extents_union(&r, &r, &e), 0);
	assert_int_equal(r.n, 1);
	tm_extents_done(&e);
	tm_extents_done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_equal_naive_maps),
		cmocka_unit_test(numbers_end),
		cmocka_unit_test(scaling_clips_to_the_disk),
		cmocka_unit_test(many_ranges_in_order),
	};

	return cmocka_run_group_tests_name("extent", tests, NULL, NULL);
}
