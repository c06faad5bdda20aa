// SPDX-License-Identifier: MIT
#include "unit.h"

#include <errno.h>
#include <stdio.h>

#include "model/schedule.h"

#define MIB UINT64_C(1048576)
#define OTHERWISE UINT64_C(77)

enum { SUN, MON, TUE, WED, THU, FRI, SAT };

static void parse(const char *text, struct tm_schedule *s)
{
	char why[160] = "";

	if (tm_schedule_parse(text, s, why, sizeof(why)))
		fail_msg("'%s' %s", text, why);
}

static uint64_t at(const struct tm_schedule *s, int day, int hour, int minute)
{
	const struct tm local = {
		.tm_wday = day, .tm_hour = hour, .tm_min = minute, .tm_sec = 59,
	};

	return tm_schedule_rate(s, &local, OTHERWISE);
}

static void office_hours(void **state)
{
	struct tm_schedule s;

	(void)state;
	parse("mon-fri 08:00-18:00 5M; sat-sun 20M", &s);
	assert_int_equal(s.n, 2);
	assert_int_equal(at(&s, MON, 7, 59), OTHERWISE);
	assert_int_equal(at(&s, MON, 8, 0), 5 * MIB);
	assert_int_equal(at(&s, WED, 12, 30), 5 * MIB);
	assert_int_equal(at(&s, FRI, 17, 59), 5 * MIB);
	assert_int_equal(at(&s, FRI, 18, 0), OTHERWISE);
	assert_int_equal(at(&s, FRI, 23, 59), OTHERWISE);
	assert_int_equal(at(&s, SAT, 0, 0), 20 * MIB);
	assert_int_equal(at(&s, SUN, 23, 59), 20 * MIB);
	assert_int_equal(at(&s, MON, 0, 0), OTHERWISE);
}

static void over_midnight(void **state)
{
	struct tm_schedule s;

	(void)state;
	parse("fri 22:00-06:00 1M", &s);
	assert_int_equal(at(&s, FRI, 5, 0), OTHERWISE);
	assert_int_equal(at(&s, FRI, 21, 59), OTHERWISE);
	assert_int_equal(at(&s, FRI, 22, 0), MIB);
	assert_int_equal(at(&s, SAT, 5, 59), MIB);
	assert_int_equal(at(&s, SAT, 6, 0), OTHERWISE);
	assert_int_equal(at(&s, SAT, 22, 0), OTHERWISE);
	/* From the last day of the week to the first. */
	parse("sat 22:00-06:00 1M", &s);
	assert_int_equal(at(&s, SUN, 5, 59), MIB);
	assert_int_equal(at(&s, SAT, 5, 59), OTHERWISE);
	/* To the end of a day, and from its beginning. */
	parse("sat 22:00-24:00 1M, sun 00:00-01:00 2M, mon 22:00-00:00 3M", &s);
	assert_int_equal(at(&s, SAT, 23, 59), MIB);
	assert_int_equal(at(&s, SUN, 0, 0), 2 * MIB);
	assert_int_equal(at(&s, SUN, 1, 0), OTHERWISE);
	assert_int_equal(at(&s, MON, 23, 59), 3 * MIB);
	assert_int_equal(at(&s, TUE, 0, 0), OTHERWISE);
}

static void days_in_all_forms(void **state)
{
	struct tm_schedule s;
	int day;

	(void)state;
	parse("FRI-Mon 1M, tue thu-thu 2M", &s);
	assert_int_equal(at(&s, FRI, 9, 0), MIB);
	assert_int_equal(at(&s, SUN, 9, 0), MIB);
	assert_int_equal(at(&s, MON, 9, 0), MIB);
	assert_int_equal(at(&s, TUE, 9, 0), 2 * MIB);
	assert_int_equal(at(&s, WED, 9, 0), OTHERWISE);
	assert_int_equal(at(&s, THU, 9, 0), 2 * MIB);
	parse("sun-sat 08:00-09:00 1M", &s);
	for (day = SUN; day <= SAT; day++)
		assert_int_equal(at(&s, day, 8, 0), MIB);
	parse("08:00-09:00 1M", &s);
	for (day = SUN; day <= SAT; day++)
		assert_int_equal(at(&s, day, 8, 0), MIB);
}

static void first_match_wins(void **state)
{
	struct tm_schedule s;

	(void)state;
	parse("mon 12:00-13:00 0, mon-fri 08:00-18:00 5M, 20M", &s);
	assert_int_equal(at(&s, MON, 12, 0), 0);
	assert_int_equal(at(&s, MON, 13, 0), 5 * MIB);
	assert_int_equal(at(&s, TUE, 12, 0), 5 * MIB);
	assert_int_equal(at(&s, SUN, 12, 0), 20 * MIB);
	parse("20M, mon 12:00-13:00 0", &s);
	assert_int_equal(at(&s, MON, 12, 0), 20 * MIB);
}

static void empty_says_nothing(void **state)
{
	struct tm_schedule s;

	(void)state;
	parse("", &s);
	assert_int_equal(s.n, 0);
	assert_int_equal(at(&s, MON, 12, 0), OTHERWISE);
	parse(" \t", &s);
	assert_int_equal(s.n, 0);
}

static void errors_name_the_place(void **state)
{
	static const struct {
		const char *text;
		const char *says;
	} bad[] = {
		{ "mon-fir 08:00-18:00 5M", "at 'mon-fir': neither a day" },
		{ "monday 5M", "at 'monday': neither a day" },
		{ "mon,tue 5M", "at 'mon': an entry ends in a rate" },
		{ "mon 08:00-18:00", "at '08:00-18:00': an entry ends in" },
		{ "5M, ", "has an entry without a word" },
		{ "5M,,5M", "has an entry without a word" },
		{ ";5M", "has an entry without a word" },
		{ "mon 8:00-18:00 5M", "at '8:00-18:00': hours are HH:MM" },
		{ "mon 08:00 5M", "at '08:00': hours are" },
		{ "mon 08:00-25:00 5M", "at '08:00-25:00': hours are" },
		{ "mon 08:60-09:00 5M", "at '08:60-09:00': hours are" },
		{ "mon 24:00-06:00 5M", "at '24:00-06:00': hours are" },
		{ "mon 08:00-24:01 5M", "at '08:00-24:01': hours are" },
		{ "mon 08:00-08:00 5M", "end where they begin" },
		{ "08:00-18:00 mon 5M", "at 'mon': days stand before" },
		{ "08:00-09:00 10:00-11:00 5M", "at '10:00-11:00': an entry" },
		{ "mon 5M tue 6M", "at 'tue': the rate ends an entry" },
		{ "5M 6M", "at '6M': the rate ends an entry" },
		{ "5X", "at '5X': neither" },
		{ "-5", "at '-5': neither" },
		{ "18446744073709551616", "neither" },
		{ "1000", "at '1000': a rate is 0" },
		{ "1,2,3", "at '1': a rate is 0" },
		{ "0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0",
		  "has more than 24 entries" },
	};
	struct tm_schedule s, before;
	char why[160];
	size_t i;

	(void)state;
	parse("5M", &s);
	before = s;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(tm_schedule_parse(bad[i].text, &s, why,
						   sizeof(why)), -EINVAL);
		if (!strstr(why, bad[i].says))
			fail_msg("'%s': '%s' does not say '%s'", bad[i].text,
				 why, bad[i].says);
		assert_memory_equal(&s, &before, sizeof(s));
	}
}

/* Of any bytes: taken or refused, never beyond the text. */
static void noise_is_read_safely(void **state)
{
	static const char letters[] = "monfrisatu0123456789:-,; KM\t\x80";
	uint64_t seed = 5;
	struct tm_schedule s;
	char text[48], why[40];
	size_t i, n;
	int round;

	(void)state;
	for (round = 0; round < 20000; round++) {
		n = unit_random(&seed) % sizeof(text);
		for (i = 0; i < n; i++)
			text[i] = letters[unit_random(&seed) %
					  (sizeof(letters) - 1)];
		text[n] = '\0';
		if (tm_schedule_parse(text, &s, why, sizeof(why)))
			assert_true(strlen(why) > 0);
		else
			assert_true(s.n <= TM_SCHEDULE_SPANS);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(office_hours),
		cmocka_unit_test(over_midnight),
		cmocka_unit_test(days_in_all_forms),
		cmocka_unit_test(first_match_wins),
		cmocka_unit_test(empty_says_nothing),
		cmocka_unit_test(errors_name_the_place),
		cmocka_unit_test(noise_is_read_safely),
	};

	return cmocka_run_group_tests_name("schedule", tests, NULL, NULL);
}
