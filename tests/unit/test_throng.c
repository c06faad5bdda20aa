// SPDX-License-Identifier: MIT
#include "unit.h"

#include "model/throng.h"

#define MS UINT64_C(1000000)
#define SECOND UINT64_C(1000000000)

static void succeed(struct tm_throng *t, unsigned int times)
{
	while (times--)
		tm_throng_succeeded(t);
}

static void grows_to_the_most(void **state)
{
	struct tm_throng t;
	uint64_t wait = 1;

	(void)state;
	tm_throng_init(&t, 16);
	assert_int_equal(tm_throng_room(&t, 0, 0, &wait), 4);
	assert_int_equal(wait, 0);
	assert_int_equal(tm_throng_room(&t, 0, 3, &wait), 1);
	assert_int_equal(tm_throng_room(&t, 0, 4, &wait), 0);
	assert_int_equal(wait, 0);
	succeed(&t, 12);
	assert_int_equal(t.limit, 16);
	succeed(&t, 1000);
	assert_int_equal(t.limit, 16);
	tm_throng_init(&t, 2);
	assert_int_equal(t.limit, 2);
	tm_throng_init(&t, 0);
	assert_int_equal(t.limit, 1);
}

/* More may be under way than is allowed by now: none are added. */
static void halves_when_refused(void **state)
{
	struct tm_throng t;
	uint64_t wait;

	(void)state;
	tm_throng_init(&t, 16);
	succeed(&t, 12);
	tm_throng_refused(&t, 10 * SECOND, 9 * SECOND, 0);
	assert_int_equal(t.limit, 8);
	assert_int_equal(tm_throng_room(&t, 10 * SECOND, 15, &wait), 0);
	assert_int_equal(wait, 0);
	/* Additive now: one for as many successes as are allowed at once. */
	succeed(&t, 7);
	assert_int_equal(t.limit, 8);
	succeed(&t, 1);
	assert_int_equal(t.limit, 9);
	succeed(&t, 8);
	assert_int_equal(t.limit, 9);
	succeed(&t, 1);
	assert_int_equal(t.limit, 10);
	succeed(&t, 1000);
	assert_int_equal(t.limit, 16);
}

static void one_wave_counts_once(void **state)
{
	struct tm_throng t;
	unsigned int i;

	(void)state;
	tm_throng_init(&t, 16);
	succeed(&t, 12);
	for (i = 0; i < 16; i++)
		tm_throng_refused(&t, 10 * SECOND + i, 9 * SECOND + i, 0);
	assert_int_equal(t.limit, 8);
	/* One that was sent after it is a new refusal. */
	tm_throng_refused(&t, 12 * SECOND, 11 * SECOND, 0);
	assert_int_equal(t.limit, 4);
}

static void retry_after_holds_all(void **state)
{
	struct tm_throng t;
	uint64_t wait;

	(void)state;
	tm_throng_init(&t, 16);
	tm_throng_refused(&t, 10 * SECOND, 9 * SECOND, 7 * SECOND);
	assert_int_equal(tm_throng_room(&t, 10 * SECOND, 0, &wait), 0);
	assert_int_equal(wait, 7 * SECOND);
	/* Of the same wave: no other halving, but the longer wait holds. */
	tm_throng_refused(&t, 11 * SECOND, 9 * SECOND, 9 * SECOND);
	tm_throng_refused(&t, 11 * SECOND, 9 * SECOND, 1 * SECOND);
	assert_int_equal(t.limit, 2);
	assert_int_equal(tm_throng_room(&t, 12 * SECOND, 0, &wait), 0);
	assert_int_equal(wait, 8 * SECOND);
	assert_int_equal(tm_throng_room(&t, 20 * SECOND - 1, 0, &wait), 0);
	assert_int_equal(wait, 1);
	assert_int_equal(tm_throng_room(&t, 20 * SECOND, 0, &wait), 2);
	assert_int_equal(wait, 0);
	/* A service that asks for days does not get them. */
	tm_throng_refused(&t, 30 * SECOND, 29 * SECOND, UINT64_MAX);
	assert_int_equal(tm_throng_room(&t, 30 * SECOND, 0, &wait), 0);
	assert_int_equal(wait, TM_THRONG_HOLD_MAX_NS);
}

/* One at a time, refused again and again: ever longer pauses, to an end. */
static void last_one_pauses(void **state)
{
	uint64_t wait, now = SECOND, last = 0, total = 0;
	struct tm_throng t;
	unsigned int i;

	(void)state;
	tm_throng_init(&t, 1);
	for (i = 0; i < 20; i++) {
		tm_throng_refused(&t, now + 2, now + 1, 0);
		now += 2;
		assert_int_equal(t.limit, 1);
		assert_int_equal(tm_throng_room(&t, now, 0, &wait), 0);
		assert_in_range(wait, 250 * MS, 30 * SECOND);
		assert_true(wait == 2 * last || !last || wait == 30 * SECOND);
		last = wait;
		now += wait;
		total += wait;
		assert_int_equal(tm_throng_room(&t, now, 0, &wait), 1);
	}
	assert_int_equal(last, 30 * SECOND);
	assert_true(total > 300 * SECOND);
	/* Success ends it: the next pause is a short one. */
	succeed(&t, 1);
	tm_throng_refused(&t, now + 2, now + 1, 0);
	tm_throng_room(&t, now + 2, 0, &wait);
	assert_int_equal(wait, 250 * MS);
}

/*
 * A service that bears 6 at once and refuses what is above: the limit keeps
 * near to that, and few are refused.
 */
static void settles_at_what_is_borne(void **state)
{
	unsigned int round, i, limit, sum = 0, refused = 0, sent = 0;
	struct tm_throng t;
	uint64_t now = 0;

	(void)state;
	tm_throng_init(&t, 16);
	for (round = 0; round < 1000; round++) {
		limit = t.limit;
		sum += limit;
		for (i = 0; i < limit; i++) {
			if (i < 6)
				tm_throng_succeeded(&t);
			else
				tm_throng_refused(&t, now + 90 * MS, now + 1,
						  0);
			refused += i >= 6;
			sent++;
		}
		now += 100 * MS;
	}
	assert_in_range(sum / 1000, 3, 6);
	assert_true(refused * 20 < sent);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows_to_the_most),
		cmocka_unit_test(halves_when_refused),
		cmocka_unit_test(one_wave_counts_once),
		cmocka_unit_test(retry_after_holds_all),
		cmocka_unit_test(last_one_pauses),
		cmocka_unit_test(settles_at_what_is_borne),
	};

	return cmocka_run_group_tests_name("throng", tests, NULL, NULL);
}
