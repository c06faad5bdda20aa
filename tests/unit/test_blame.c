// SPDX-License-Identifier: MIT
#include "unit.h"

#include <errno.h>

#include "engine/blame.h"

/* What the blob service or the way to it can do to us: never merely "failed". */
static void has_its_exit_status(void **state)
{
	static const struct {
		int r;
		enum tm_exit code;
	} cases[] = {
		{ -ENOENT, TM_EXIT_NOT_FOUND },
		{ -EACCES, TM_EXIT_PERMISSION },
		{ -EKEYREJECTED, TM_EXIT_PERMISSION },
		{ -EAGAIN, TM_EXIT_UNAVAILABLE },
		{ -EHOSTUNREACH, TM_EXIT_UNAVAILABLE },
		{ -ETIMEDOUT, TM_EXIT_UNAVAILABLE },
		{ -ECONNRESET, TM_EXIT_UNAVAILABLE },
		{ -EPROTO, TM_EXIT_UNAVAILABLE },
		{ -EBUSY, TM_EXIT_BUSY },
		{ -ESTALE, TM_EXIT_BUSY },
		{ -EBADMSG, TM_EXIT_INTEGRITY },
		{ -ECANCELED, TM_EXIT_CANCELLED },
	};
	struct blob_error be = { 0 };
	struct tm_error err;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(blame(&err, cases[i].r, &be, "read", "c/b"),
				 cases[i].r);
		assert_int_equal(err.code, cases[i].code);
		assert_non_null(strstr(err.message, "cannot read 'c/b': "));
	}
}

static void says_what_made_no_sense(void **state)
{
	struct blob_error be = { .status = 200, .cause = "a list of nothing" };
	struct tm_error err;

	(void)state;
	blame(&err, -EPROTO, &be, "list", "c");
	assert_string_equal(err.message, "cannot list 'c': a list of nothing");
	assert_non_null(strstr(err.action, "URL"));
	assert_int_equal(err.service.status, 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(has_its_exit_status),
		cmocka_unit_test(says_what_made_no_sense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
