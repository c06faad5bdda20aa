// SPDX-License-Identifier: MIT
/* The documents of checks: what was found of a point. */
#include "documents.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/checkdoc.h"

static void boots_round_trip(void **state)
{
	struct tm_check check = { .name = RUN, .good = true, .boot = {
		.time = 7, .milliseconds = 12345, .sign = "login: " } };
	struct tm_check back;
	struct tm_error err = TM_ERROR_INIT;
	char *text, lie[1024];

	(void)state;
	/* Nobody has read it. */
	assert_int_equal(tm_check_text(&check, &text), 0);
	assert_null(strstr(text, "how"));
	assert_int_equal(tm_check_parse(text, strlen(text), RUN, &back, NULL),
			 0);
	assert_int_equal(back.time, 0);
	assert_int_equal(back.whole, 0);
	assert_true(back.good);
	assert_false(back.boot.good);
	assert_int_equal(back.boot.time, 7);
	assert_int_equal(back.boot.milliseconds, 12345);
	assert_string_equal(back.boot.sign, "login: ");
	tm_check_done(&back);
	snprintf(lie, sizeof(lie), "%s", text);
	replace(lie, sizeof(lie), "\"good\": false", "\"good\": 0");
	assert_int_equal(tm_check_parse(lie, strlen(lie), RUN, &back, &err),
			 -EBADMSG);
	snprintf(lie, sizeof(lie), "%s", text);
	replace(lie, sizeof(lie), "\"boot\"", "\"boat\"");
	assert_int_equal(tm_check_parse(lie, strlen(lie), RUN, &back, &err),
			 -EBADMSG);
	free(text);
}

static void samples_follow_whole_checks(void **state)
{
	struct tm_check was = { .name = RUN, .time = 5, .whole = 4,
				.good = true, .how = TM_CHECK_SAMPLE };
	struct tm_check now = { .name = RUN, .time = 9, .good = true,
				.how = TM_CHECK_SAMPLE };
	struct tm_check_disk *d;

	(void)state;
	assert_int_equal(tm_check_follow(&now, &was), 0);
	assert_true(now.good);
	assert_int_equal(now.whole, 4);
	was.good = false;
	d = tm_check_add_disk(&was, "root");
	assert_non_null(d);
	d->header_bad = true;
	d->footer_bad = true;
	assert_int_equal(tm_extents_add(&d->bad_chunks, 3, 2), 0);
	assert_non_null(tm_check_add_disk(&was, "data"));
	d = tm_check_add_disk(&now, "root");
	assert_non_null(d);
	assert_int_equal(tm_extents_add(&d->bad_chunks, 5, 1), 0);
	assert_int_equal(tm_check_follow(&now, &was), 0);
	assert_false(now.good);
	assert_int_equal(now.n_disks, 2);
	assert_true(now.disks[0].header_bad);
	assert_true(now.disks[0].footer_bad);
	assert_int_equal(tm_extents_total(&now.disks[0].bad_chunks), 3);

	/* Reading says nothing of how the machine starts, nor the other way. */
	was.boot = (struct tm_check_boot){ .time = 3, .milliseconds = 7 };
	now.boot.time = 0;
	assert_int_equal(tm_check_follow(&now, &was), 0);
	assert_int_equal(now.boot.milliseconds, 7);
	now.boot.milliseconds = 8;
	assert_int_equal(tm_check_follow(&now, &was), 0);
	assert_int_equal(now.boot.milliseconds, 8);

	/* All was read again: nothing else counts. */
	now.good = true;
	now.how = TM_CHECK_WHOLE;
	now.whole = 9;
	assert_int_equal(tm_check_follow(&now, &was), 0);
	assert_true(now.good);
	assert_int_equal(now.whole, 9);
	tm_check_done(&was);
	tm_check_done(&now);
}

/* Found by the fuzzer: a time that a document says nothing with. */
static void whole_check_is_its_own_time(void **state)
{
	static const char *const whole[] = {
		"1970-01-01T00:00:00Z", "2026-11-21T18:05:07Z",
	};
	struct tm_error err = TM_ERROR_INIT;
	struct tm_check check;
	char text[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(whole); i++) {
		snprintf(text, sizeof(text),
			 "{\"format\":1,\"name\":\"" RUN "\","
			 "\"time\":\"2026-11-22T18:05:07Z\",\"good\":true,"
			 "\"whole\":\"%s\"}", whole[i]);
		assert_int_equal(tm_check_parse(text, strlen(text), RUN,
						&check, &err), 0);
		assert_int_equal(check.how, TM_CHECK_WHOLE);
		assert_int_equal(check.whole, check.time);
		tm_check_done(&check);
	}
}

static void bad_chunks_have_numbers(void **state)
{
	static const char form[] =
		"{\"format\":1,\"name\":\"" RUN "\",\"good\":false,"
		"\"time\":\"2026-11-22T18:05:07Z\",\"disks\":[{"
		"\"name\":\"root\",\"bad_chunks\":[%s]}]}";
	static const struct {
		const char *ranges;
		int r;
	} cases[] = {
		{ "[0,9223372036854775807]", 0 },
		{ "[1,9223372036854775807]", -EBADMSG },
		{ "[9223372036854775807,1]", -EBADMSG },
		/* Merged they would be longer than a number can say. */
		{ "[0,9223372036854775807],"
		  "[9223372036854775807,9223372036854775807]", -EBADMSG },
	};
	struct tm_error err = TM_ERROR_INIT;
	struct tm_check check;
	char text[512];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		snprintf(text, sizeof(text), form, cases[i].ranges);
		assert_int_equal(tm_check_parse(text, strlen(text), RUN, &check,
						&err), cases[i].r);
		if (cases[i].r)
			assert_non_null(strstr(err.message, "bad_chunks"));
		else
			tm_check_done(&check);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(boots_round_trip),
		cmocka_unit_test(samples_follow_whole_checks),
		cmocka_unit_test(whole_check_is_its_own_time),
		cmocka_unit_test(bad_chunks_have_numbers),
	};

	return cmocka_run_group_tests_name("checks", tests, NULL, NULL);
}
