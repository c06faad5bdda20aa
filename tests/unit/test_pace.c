// SPDX-License-Identifier: MIT
#include "unit.h"

#include "model/pace.h"

#define MIB UINT64_C(1048576)
#define MS UINT64_C(1000000)
#define SECOND UINT64_C(1000000000)

/* What a rate may be exceeded by, as pace.h promises it. */
static uint64_t slack(uint64_t rate, uint64_t largest)
{
	uint64_t whole = rate / 8, half = rate / 16 + largest;

	return whole > half ? whole : half;
}

/*
 * Sends requests of @bytes as soon as they may be, waking up to @late ns late,
 * for @span; returns how many.
 */
static uint64_t drive(struct tm_pace *pace, uint64_t *now, uint64_t span,
		      uint64_t bytes, uint64_t late)
{
	uint64_t end = *now + span, seed = 7, sent = 0, wait;

	while (*now < end) {
		wait = tm_pace_next(pace, *now, bytes);
		if (wait) {
			*now += wait;
			if (late)
				*now += unit_random(&seed) % late;
			continue;
		}
		tm_pace_took(pace, *now, bytes);
		sent++;
	}
	return sent;
}

static void no_limit_no_wait(void **state)
{
	struct tm_pace pace;
	unsigned int i;

	(void)state;
	tm_pace_init(&pace, 5, 0, 0);
	for (i = 0; i < 100000; i++) {
		assert_int_equal(tm_pace_next(&pace, 5, 4 * MIB), 0);
		tm_pace_took(&pace, 5, 4 * MIB);
	}
	assert_int_equal(tm_pace_next(&pace, 5, UINT64_MAX), 0);
}

static void bytes_keep_the_rate(void **state)
{
	static const uint64_t late[] = { 0, 1 * MS, 50 * MS };
	const uint64_t rate = 60 * MIB, size = 4 * MIB;
	struct tm_pace pace;
	uint64_t now, sent;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(late); i++) {
		now = 3;
		tm_pace_init(&pace, now, rate, 0);
		sent = drive(&pace, &now, 100 * SECOND, size, late[i]) * size;
		assert_in_range(sent, 100 * rate - size,
				100 * rate + slack(rate, size));
	}
}

/* Waking up late costs nothing, for small requests as for large ones. */
static void requests_keep_the_rate(void **state)
{
	struct tm_pace pace;
	uint64_t now = 0, sent;

	(void)state;
	tm_pace_init(&pace, now, 0, 500);
	sent = drive(&pace, &now, 100 * SECOND, 512, 50 * MS);
	assert_in_range(sent, 49990, 50000 + slack(500, 1));
}

/* The slower of the two limits decides. */
static void both_limits_hold(void **state)
{
	struct tm_pace pace;
	uint64_t now = 0, sent;

	(void)state;
	tm_pace_init(&pace, now, 60 * MIB, 500);
	sent = drive(&pace, &now, 10 * SECOND, 65536, 0);
	assert_in_range(sent, 5000, 5000 + slack(500, 1));
	tm_pace_init(&pace, now, 60 * MIB, 500);
	sent = drive(&pace, &now, 10 * SECOND, 4 * MIB, 0);
	assert_in_range(sent, 150, 152);
}

static void wait_is_exact(void **state)
{
	struct tm_pace pace;
	uint64_t wait;

	(void)state;
	tm_pace_init(&pace, 0, 3, 0);	/* a third of a second each */
	tm_pace_took(&pace, 0, 1);
	/* owed 1, slack 0.375, of which half is left to a large one: 0.8125 */
	wait = tm_pace_next(&pace, 0, 1);
	assert_int_equal(wait, 270833334);
	assert_int_equal(tm_pace_next(&pace, wait - 1, 1), 1);
	assert_int_equal(tm_pace_next(&pace, wait, 1), 0);
}

/* Over every stretch of time, whatever is asked and however late. */
static void never_more_than_promised(void **state)
{
	const uint64_t rate = 5 * MIB, largest = 4 * MIB;
	uint64_t seed = 11, now = 0, bytes, wait;
	uint64_t at[2000], sum[2001] = { 0 };
	struct tm_pace pace;
	size_t n = 0, i, j;

	(void)state;
	tm_pace_init(&pace, now, rate, 0);
	while (n < ARRAY_SIZE(at)) {
		bytes = 512 + unit_random(&seed) % (largest - 511);
		if (unit_random(&seed) % 50 == 0)
			now += unit_random(&seed) % (10 * SECOND);
		while ((wait = tm_pace_next(&pace, now, bytes)))
			now += wait + unit_random(&seed) % (3 * MS);
		tm_pace_took(&pace, now, bytes);
		at[n] = now;
		sum[n + 1] = sum[n] + bytes;
		n++;
	}
	for (i = 0; i < n; i += 7)
		for (j = i; j < n; j++)
			assert_true(sum[j + 1] - sum[i] <=
				    (uint64_t)((double)rate *
					       (double)(at[j] - at[i]) / 1e9) +
				    slack(rate, largest) + 1);
}

/* What must not wait is counted, and those after it pay. */
static void what_did_not_wait_counts(void **state)
{
	struct tm_pace pace;
	unsigned int i;

	(void)state;
	tm_pace_init(&pace, 0, 0, 10);
	for (i = 0; i < 20; i++)
		tm_pace_took(&pace, 0, 0);
	assert_in_range(tm_pace_next(&pace, 0, 0), 19 * SECOND / 10,
			20 * SECOND / 10);
}

static void rate_changes(void **state)
{
	struct tm_pace pace;
	uint64_t now = 0, sent;

	(void)state;
	tm_pace_init(&pace, now, 1 * MIB, 0);
	tm_pace_took(&pace, now, 11 * MIB);
	assert_in_range(tm_pace_next(&pace, now, MIB), 10 * SECOND,
			11 * SECOND);
	/* A second was paid at the old rate, what is left is at the new one. */
	now = SECOND;
	tm_pace_set(&pace, now, 10 * MIB, 0);
	assert_in_range(tm_pace_next(&pace, now, MIB), 900 * MS, SECOND);
	sent = drive(&pace, &now, 10 * SECOND, MIB, 0);
	assert_in_range(sent, 90, 92);
	/* A limit that is lifted lets go at once, and leaves no debt. */
	tm_pace_took(&pace, now, 1000 * MIB);
	tm_pace_set(&pace, now, 0, 0);
	assert_int_equal(tm_pace_next(&pace, now, MIB), 0);
	tm_pace_set(&pace, now, MIB, 0);
	assert_int_equal(tm_pace_next(&pace, now, MIB), 0);
	/* To set what is set already changes nothing, however often. */
	tm_pace_took(&pace, now, 3 * MIB);
	sent = tm_pace_next(&pace, now, MIB);
	tm_pace_set(&pace, now, MIB, 0);
	assert_int_equal(tm_pace_next(&pace, now, MIB), sent);
}

static void extremes_do_not_wrap(void **state)
{
	struct tm_pace pace;

	(void)state;
	tm_pace_init(&pace, 0, UINT64_MAX, UINT64_MAX);
	assert_int_equal(tm_pace_next(&pace, UINT64_MAX, UINT64_MAX), 0);
	tm_pace_took(&pace, UINT64_MAX, UINT64_MAX);
	tm_pace_took(&pace, UINT64_MAX, UINT64_MAX);
	assert_true(tm_pace_next(&pace, UINT64_MAX, 1) > 0);
	/* A clock that goes back pays nothing and takes nothing away. */
	tm_pace_init(&pace, 10 * SECOND, MIB, 0);
	tm_pace_took(&pace, 10 * SECOND, 2 * MIB);
	assert_int_equal(tm_pace_next(&pace, 0, MIB),
			 tm_pace_next(&pace, 10 * SECOND, MIB));
	tm_pace_took(&pace, 0, 0);
	assert_int_equal(tm_pace_next(&pace, 0, MIB),
			 tm_pace_next(&pace, 10 * SECOND, MIB));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_limit_no_wait),
		cmocka_unit_test(bytes_keep_the_rate),
		cmocka_unit_test(requests_keep_the_rate),
		cmocka_unit_test(both_limits_hold),
		cmocka_unit_test(wait_is_exact),
		cmocka_unit_test(never_more_than_promised),
		cmocka_unit_test(what_did_not_wait_counts),
		cmocka_unit_test(rate_changes),
		cmocka_unit_test(extremes_do_not_wrap),
	};

	return cmocka_run_group_tests_name("pace", tests, NULL, NULL);
}
