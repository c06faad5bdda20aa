// SPDX-License-Identifier: MIT
#include "unit.h"

#include <stdbool.h>

#include "model/precopy.h"

#define MIB(n) ((uint64_t)(n) << 20)

static const struct tm_precopy rule = { .from = MIB(100), .remainder = MIB(10) };

static void begins(void **state)
{
	const struct tm_precopy never = { .remainder = MIB(10) };
	const struct tm_precopy odd = { .from = MIB(1), .remainder = MIB(10) };

	(void)state;
	assert_int_equal(tm_precopy_next(&rule, 0, 0, MIB(100)), TM_PRECOPY_GO);
	assert_int_equal(tm_precopy_next(&rule, 0, 0, MIB(100) - 1),
			 TM_PRECOPY_NONE);
	assert_int_equal(tm_precopy_next(&rule, 0, 0, UINT64_MAX),
			 TM_PRECOPY_GO);
	assert_int_equal(tm_precopy_next(&never, 0, 0, 0), TM_PRECOPY_NONE);
	assert_int_equal(tm_precopy_next(&never, 0, 0, UINT64_MAX),
			 TM_PRECOPY_NONE);
	/* What is little enough for the cut is left to it. */
	assert_int_equal(tm_precopy_next(&odd, 0, 0, MIB(10)), TM_PRECOPY_NONE);
	assert_int_equal(tm_precopy_next(&odd, 0, 0, MIB(10) + 1),
			 TM_PRECOPY_GO);
}

static void ends(void **state)
{
	(void)state;
	assert_int_equal(tm_precopy_next(&rule, 1, MIB(100), MIB(10)),
			 TM_PRECOPY_DONE);
	assert_int_equal(tm_precopy_next(&rule, 1, MIB(100), 0),
			 TM_PRECOPY_DONE);
	assert_int_equal(tm_precopy_next(&rule, 1, MIB(100), MIB(50)),
			 TM_PRECOPY_GO);
	assert_int_equal(tm_precopy_next(&rule, 1, MIB(100), MIB(50) + 1),
			 TM_PRECOPY_STUCK);
	assert_int_equal(tm_precopy_next(&rule, 1, MIB(100), MIB(300)),
			 TM_PRECOPY_STUCK);
	assert_int_equal(tm_precopy_next(&rule, TM_PRECOPY_ROUNDS - 1, MIB(100),
					 MIB(20)), TM_PRECOPY_GO);
	assert_int_equal(tm_precopy_next(&rule, TM_PRECOPY_ROUNDS, MIB(100),
					 MIB(20)), TM_PRECOPY_LIMIT);
	/* Enough is enough, but little is little in any case. */
	assert_int_equal(tm_precopy_next(&rule, TM_PRECOPY_ROUNDS, MIB(100),
					 MIB(10)), TM_PRECOPY_DONE);
}

/*
 * However a disk is written, there is an end, and no more than twice the first
 * round has been sent.
 */
static void is_bounded(void **state)
{
	unsigned int percent, rounds;

	(void)state;
	for (percent = 0; percent <= 150; percent++) {
		uint64_t before = 0, left = MIB(4 << 20), sent = 0;

		for (rounds = 0; tm_precopy_next(&rule, rounds, before, left) ==
		     TM_PRECOPY_GO; rounds++) {
			before = left;
			sent += left;
			left = left / 100 * percent;
		}
		assert_in_range(rounds, 1, TM_PRECOPY_ROUNDS);
		assert_true(sent <= 2 * MIB(4 << 20));
	}
}

/* A disk that stays out leaves no more than its share of the remainder. */
static void shares(void **state)
{
	const struct tm_precopy none = { .from = 1 };

	(void)state;
	assert_false(tm_precopy_takes_part(&rule, 1, MIB(10)));
	assert_true(tm_precopy_takes_part(&rule, 1, MIB(10) + 1));
	assert_false(tm_precopy_takes_part(&rule, 2, MIB(5)));
	assert_true(tm_precopy_takes_part(&rule, 2, MIB(5) + 1));
	assert_true(tm_precopy_takes_part(&rule, 3, MIB(10) / 3 + 1));
	assert_false(tm_precopy_takes_part(&none, 2, 0));
	assert_true(tm_precopy_takes_part(&none, 2, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(begins),
		cmocka_unit_test(ends),
		cmocka_unit_test(is_bounded),
		cmocka_unit_test(shares),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
