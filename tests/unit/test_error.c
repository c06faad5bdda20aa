// SPDX-License-Identifier: MIT
#include "unit.h"

#include <errno.h>
#include <stdlib.h>

#include "model/error.h"

static void set_fills_everything(void **state)
{
	struct tm_error err = TM_ERROR_INIT;

	(void)state;
	assert_int_equal(tm_error_set(&err, -ENOENT, TM_EXIT_NOT_FOUND, "sda",
				      "cannot find disk '%s'", "sda"), -ENOENT);
	tm_error_action(&err, "protect %s first", "it");
	tm_error_service(&err, 404, "BlobNotFound", "id-1");
	assert_int_equal(err.code, TM_EXIT_NOT_FOUND);
	assert_int_equal(err.errnum, -ENOENT);
	assert_string_equal(err.message, "cannot find disk 'sda'");
	assert_string_equal(err.object, "sda");
	assert_string_equal(err.action, "protect it first");
	assert_int_equal(err.service.status, 404);
	assert_string_equal(err.service.code, "BlobNotFound");

	tm_error_prefix(&err, "cannot back up '%s'", "web");
	assert_string_equal(err.message,
			    "cannot back up 'web': cannot find disk 'sda'");
	assert_int_equal(err.service.status, 404);

	/* A later failure leaves nothing of the earlier. */
	tm_error_set(&err, -EIO, TM_EXIT_DEVICE, NULL, "other");
	assert_string_equal(err.object, "");
	assert_string_equal(err.action, "");
	assert_int_equal(err.service.status, 0);

	tm_error_clear(&err);
	assert_int_equal(err.code, TM_EXIT_DONE);
	assert_string_equal(err.message, "");
}

static void arguments_may_lie_in_the_error(void **state)
{
	struct tm_error err = TM_ERROR_INIT;

	(void)state;
	tm_error_set(&err, -EIO, TM_EXIT_DEVICE, "obj", "inner");
	tm_error_set(&err, -EIO, TM_EXIT_FAILED, err.object, "outer: %s",
		     err.message);
	assert_string_equal(err.message, "outer: inner");
	assert_string_equal(err.object, "obj");
	tm_error_action(&err, "see %s", err.message);
	assert_string_equal(err.action, "see outer: inner");
	tm_error_prefix(&err, "%s", err.object);
	assert_string_equal(err.message, "obj: outer: inner");
}

static void nowhere_to_record_is_fine(void **state)
{
	(void)state;
	assert_int_equal(tm_error_set(NULL, -EIO, TM_EXIT_DEVICE, "x", "y"),
			 -EIO);
	tm_error_action(NULL, "x");
	tm_error_service(NULL, 1, "x", "y");
	tm_error_prefix(NULL, "x");
	tm_error_clear(NULL);
}

/* Never half a character: JSON output would be invalid. */
static void long_texts_end_at_a_character(void **state)
{
	struct tm_error err = TM_ERROR_INIT;
	char text[2048];
	size_t shift, i, len;

	(void)state;
	for (shift = 0; shift < 3; shift++) {
		memset(text, 'x', shift);
		for (i = shift; i + 3 < sizeof(text); i += 3)
			memcpy(text + i, "\xe2\x82\xac", 3);
		text[i] = '\0';
		tm_error_set(&err, -EIO, TM_EXIT_FAILED, text, "%s", text);
		len = strlen(err.message);
		assert_in_range(len, sizeof(err.message) - 4,
				sizeof(err.message) - 1);
		assert_int_equal((len - shift) % 3, 0);
		assert_int_equal((strlen(err.object) - shift) % 3, 0);
		tm_error_prefix(&err, "p");
		assert_int_equal((strlen(err.message) - shift) % 3, 0);
	}
}

/* What a server sends must neither drive the terminal nor break the JSON. */
static void what_is_said_can_be_printed(void **state)
{
	static const struct {
		const char *raw, *said;
	} cases[] = {
		{ "plain", "plain" },
		{ "\x1b[2Jx\r\n\t\x7f", "?[2Jx????" },
		{ "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x9f",
		  "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x9f" },
		{ "\xff\xfe", "??" },
		{ "\xc2\x9b" "2J", "??2J" },		/* a control of 8 bits */
		{ "\xc0\xaf", "??" },			/* longer than needed */
		{ "\xed\xa0\x80", "???" },		/* a surrogate */
		{ "\xf4\x90\x80\x80", "????" },	/* past the end */
		{ "\xe2\x82.", "??." },
	};
	struct tm_error err = TM_ERROR_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		tm_error_set(&err, -EIO, TM_EXIT_FAILED, cases[i].raw, "%s",
			     cases[i].raw);
		tm_error_action(&err, "%s", cases[i].raw);
		tm_error_service(&err, 500, cases[i].raw, cases[i].raw);
		assert_string_equal(err.message, cases[i].said);
		assert_string_equal(err.object, cases[i].said);
		assert_string_equal(err.action, cases[i].said);
		assert_string_equal(err.service.code, cases[i].said);
		assert_string_equal(err.service.request_id, cases[i].said);
	}
}

static void exits_have_names_and_errnos(void **state)
{
	(void)state;
	assert_int_equal(tm_exit_from_errno(0), TM_EXIT_DONE);
	assert_int_equal(tm_exit_from_errno(-ENOENT), TM_EXIT_NOT_FOUND);
	assert_int_equal(tm_exit_from_errno(-EACCES), TM_EXIT_PERMISSION);
	assert_int_equal(tm_exit_from_errno(-ETIMEDOUT), TM_EXIT_UNAVAILABLE);
	assert_int_equal(tm_exit_from_errno(-EBUSY), TM_EXIT_BUSY);
	assert_int_equal(tm_exit_from_errno(-EIO), TM_EXIT_DEVICE);
	assert_int_equal(tm_exit_from_errno(-EBADMSG), TM_EXIT_INTEGRITY);
	assert_int_equal(tm_exit_from_errno(-ENOSPC), TM_EXIT_LIMIT);
	assert_int_equal(tm_exit_from_errno(-ECANCELED), TM_EXIT_CANCELLED);
	assert_int_equal(tm_exit_from_errno(-ENOMEM), TM_EXIT_FAILED);
	assert_string_equal(tm_exit_name(TM_EXIT_REFUSED), "refused");
	assert_string_equal(tm_exit_name(TM_EXIT_CANCELLED), "cancelled");
	assert_string_equal(tm_exit_name((enum tm_exit)99), "failed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_fills_everything),
		cmocka_unit_test(arguments_may_lie_in_the_error),
		cmocka_unit_test(nowhere_to_record_is_fine),
		cmocka_unit_test(long_texts_end_at_a_character),
		cmocka_unit_test(what_is_said_can_be_printed),
		cmocka_unit_test(exits_have_names_and_errnos),
	};

	return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
