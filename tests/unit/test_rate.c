// SPDX-License-Identifier: MIT
#include "unit.h"

#include <math.h>
#include <stdbool.h>

#include "model/rate.h"

#define SECOND UINT64_C(1000000000)

static void near(double got, double want, double part)
{
	if (fabs(got - want) > fabs(want) * part)
		fail_msg("%f is not near %f", got, want);
}

/* Right from the first step, however large the clock's and the job's numbers. */
static void steady(void **state)
{
	const uint64_t t0 = UINT64_C(1) << 60, d0 = UINT64_C(1) << 50;
	struct tm_rate rate;
	uint64_t left;
	int i;

	(void)state;
	tm_rate_init(&rate, t0, d0);
	near(tm_rate_per_s(&rate), 0, 0);
	assert_false(tm_rate_left(&rate, d0 + 1, &left));
	for (i = 1; i <= 100; i++) {
		tm_rate_step(&rate, t0 + i * SECOND / 4, d0 + 250000u * i);
		near(tm_rate_per_s(&rate), 1e6, 1e-6);
	}
	assert_true(tm_rate_left(&rate, d0 + 25000000 + 7500000, &left));
	assert_in_range(left, 8, 9);
}

/* A change is followed: by 63 % after the time remembered. */
static void follows(void **state)
{
	struct tm_rate rate;
	uint64_t now = 0, done = 0;
	int i;

	(void)state;
	tm_rate_init(&rate, now, done);
	for (i = 0; i < 1000; i++)
		tm_rate_step(&rate, now += SECOND / 10, done += 100);
	near(tm_rate_per_s(&rate), 1000, 1e-3);
	for (i = 0; i < 100; i++)
		tm_rate_step(&rate, now += SECOND / 10, done += 200);
	near(tm_rate_per_s(&rate), 1632, 0.01);
	for (i = 0; i < 1000; i++)
		tm_rate_step(&rate, now += SECOND / 10, done += 200);
	near(tm_rate_per_s(&rate), 2000, 1e-3);
}

/* In how many steps the same time passes makes no difference. */
static void slicing_is_no_matter(void **state)
{
	struct tm_rate one, many;
	uint64_t left;
	int i;

	(void)state;
	tm_rate_init(&one, 0, 0);
	tm_rate_init(&many, 0, 0);
	tm_rate_step(&one, 5 * SECOND, 5000000);
	for (i = 1; i <= 5000; i++)
		tm_rate_step(&many, i * SECOND / 1000, i * 1000u);
	near(tm_rate_per_s(&many), tm_rate_per_s(&one), 1e-9);
	/* Nothing moves: it fades, by each of many steps as by one. */
	tm_rate_step(&one, 25 * SECOND, 5000000);
	for (i = 1; i <= 5000; i++)
		tm_rate_step(&many, 5 * SECOND + i * SECOND / 250, 5000000);
	near(tm_rate_per_s(&many), tm_rate_per_s(&one), 1e-9);
	assert_true(tm_rate_per_s(&one) < 1e6 * 0.2);
	assert_true(tm_rate_left(&one, 6000000, &left));
	/* At last there is no telling when it will be done. */
	tm_rate_step(&one, 100000 * SECOND, 5000000);
	assert_false(tm_rate_left(&one, 6000000, &left));
}

/* Two requests that end at one instant, and clocks and jobs that go back. */
static void odd_steps(void **state)
{
	struct tm_rate rate;
	uint64_t left = 1;

	(void)state;
	tm_rate_init(&rate, SECOND, 0);
	tm_rate_step(&rate, SECOND, 500);
	assert_true(tm_rate_per_s(&rate) == 0);
	tm_rate_step(&rate, 2 * SECOND, 500);
	tm_rate_step(&rate, 2 * SECOND, 700);
	near(tm_rate_per_s(&rate), 500, 1e-9);
	tm_rate_step(&rate, 3 * SECOND, 1000);
	near(tm_rate_per_s(&rate), 500, 1e-9);
	tm_rate_step(&rate, 1 * SECOND, 2000);
	near(tm_rate_per_s(&rate), 500, 1e-9);
	tm_rate_step(&rate, 4 * SECOND, 10);
	assert_true(tm_rate_per_s(&rate) == 0);
	assert_true(tm_rate_left(&rate, 10, &left));
	assert_int_equal(left, 0);
	assert_true(tm_rate_left(&rate, 0, &left));
	assert_int_equal(left, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steady),
		cmocka_unit_test(follows),
		cmocka_unit_test(slicing_is_no_matter),
		cmocka_unit_test(odd_steps),
	};

	return cmocka_run_group_tests_name("rate", tests, NULL, NULL);
}
