// SPDX-License-Identifier: MIT
/* What keeps a point: marks and holds. */
#include "documents.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/holddoc.h"
#include "model/markdoc.h"

static void marks_and_holds_round_trip(void **state)
{
	struct tm_mark mark = { .name = RUN, .keep_until = TM_KEEP_FOREVER,
				.deleted = 5, .host = "web" }, mark2;
	struct tm_hold hold = { .id = some_id, .point = RUN, .why = "mount",
				.host = "web", .since = 5, .until = 6 }, hold2;
	struct tm_error err = TM_ERROR_INIT;
	char *text, lie[1024];

	(void)state;
	assert_int_equal(tm_mark_text(&mark, &text), 0);
	assert_non_null(strstr(text, "\"forever\""));
	assert_int_equal(tm_mark_parse(text, strlen(text), RUN, &mark2, NULL),
			 0);
	assert_true(mark2.keep_until == TM_KEEP_FOREVER);
	assert_true(tm_mark_keeps(&mark2, INT64_MAX - 1));
	assert_int_equal(tm_mark_due(&mark2), 5 + 86400);
	tm_mark_done(&mark2);
	assert_int_equal(tm_mark_parse(text, strlen(text), EARLIER, &mark2,
				       &err), -EBADMSG);
	snprintf(lie, sizeof(lie), "%s", text);
	replace(lie, sizeof(lie), "forever", "for ever");
	assert_int_equal(tm_mark_parse(lie, strlen(lie), RUN, &mark2, &err),
			 -EBADMSG);
	assert_non_null(strstr(err.message, "keep_until"));
	free(text);

	assert_int_equal(tm_hold_text(&hold, &text), 0);
	assert_int_equal(tm_hold_parse(text, strlen(text), RUN, &hold2, NULL),
			 0);
	assert_true(tm_id_equal(&hold2.id, &some_id));
	assert_int_equal(hold2.until, 6);
	assert_string_equal(hold2.why, "mount");
	tm_hold_done(&hold2);
	assert_int_equal(tm_hold_parse(text, strlen(text), EARLIER, &hold2,
				       &err), -EBADMSG);
	snprintf(lie, sizeof(lie), "%s", text);
	replace(lie, sizeof(lie), "\"until\"", "\"ends\"");
	assert_int_equal(tm_hold_parse(lie, strlen(lie), RUN, &hold2, &err),
			 -EBADMSG);
	free(text);
}

static void points_are_kept_until(void **state)
{
	static const struct {
		const char *text;
		int64_t until;
	} cases[] = {
		{ "forever", TM_KEEP_FOREVER }, { "none", 0 },
		{ "1970-01-01", 86399 }, { "1970-01-02T00:00:01Z", 86401 },
	};
	static const char *const bad[] = {
		"", "never", "2026-02-30", "2026-1-1", "1970-01-01T00:00:00Z",
		"2026-01-01T00:00:00", "tomorrow!!",
	};
	struct tm_error err = TM_ERROR_INIT;
	struct tm_mark mark = { .keep_until = 100 };
	int64_t until;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(tm_keep_parse(cases[i].text, &until, NULL), 0);
		assert_true(until == cases[i].until);
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		if (!tm_keep_parse(bad[i], &until, &err))
			fail_msg("'%s' was taken", bad[i]);
		assert_int_equal(err.code, TM_EXIT_USAGE);
	}
	assert_true(tm_mark_keeps(&mark, 99));
	assert_false(tm_mark_keeps(&mark, 100));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(marks_and_holds_round_trip),
		cmocka_unit_test(points_are_kept_until),
	};

	return cmocka_run_group_tests_name("marks", tests, NULL, NULL);
}
