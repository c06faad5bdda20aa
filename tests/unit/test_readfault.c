// SPDX-License-Identifier: MIT
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "model/readfault.h"

static char text[65536];

static void say(int r, enum tm_exit code, const char *message,
		const char *action)
{
	struct tm_error err = TM_ERROR_INIT;
	char line[TM_READFAULT_SIZE];
	size_t len;

	tm_error_set(&err, r, code, "root", "%s", message);
	tm_error_action(&err, "%s", action);
	len = tm_readfault_line(&err, line);
	assert_true(len < sizeof(line));
	assert_int_equal(line[len - 1], '\n');
	snprintf(text + strlen(text), sizeof(text) - strlen(text), "%.*s",
		 (int)len, line);
}

static void keeps_what_was_said(void **state)
{
	struct tm_readfaults f = { .n_damage = 0 };

	(void)state;
	*text = '\0';
	tm_readfaults_take(&f, text);
	assert_int_equal(f.n_damage, 0);
	assert_int_equal(f.other.errnum, 0);
	say(-ETIMEDOUT, TM_EXIT_UNAVAILABLE, "no answer", "look\tthere");
	say(-EBADMSG, TM_EXIT_INTEGRITY, "chunk 7\nis bad", "");
	say(-EACCES, TM_EXIT_PERMISSION, "no more", "");
	say(-EBADMSG, TM_EXIT_INTEGRITY, "chunk 7\nis bad", "");
	say(-EBADMSG, TM_EXIT_INTEGRITY, "chunk 9 is bad", "");
	tm_readfaults_take(&f, text);
	assert_int_equal(f.n_damage, 2);
	assert_string_equal(f.damage[0].message, "chunk 7?is bad");
	assert_string_equal(f.damage[1].message, "chunk 9 is bad");
	assert_int_equal(f.other.code, TM_EXIT_UNAVAILABLE);
	assert_int_equal(f.other.errnum, -ETIMEDOUT);
	assert_string_equal(f.other.message, "no answer");
	assert_string_equal(f.other.action, "look?there");
}

static void has_room_for_the_longest(void **state)
{
	struct tm_readfaults f = { .n_damage = 0 };
	char longest[2000], message[32];
	int i;

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	*text = '\0';
	say(-EIO, TM_EXIT_FAILED, longest, longest);
	for (i = 0; i < 20; i++) {
		snprintf(message, sizeof(message), "chunk %d", i);
		say(-EBADMSG, TM_EXIT_INTEGRITY, message, "");
	}
	tm_readfaults_take(&f, text);
	assert_int_equal(strlen(f.other.message), sizeof(f.other.message) - 1);
	assert_int_equal(f.n_damage, TM_READFAULTS_DAMAGE);
	assert_string_equal(f.damage[TM_READFAULTS_DAMAGE - 1].message,
			    "chunk 7");
}

static void leaves_out_what_is_no_line(void **state)
{
	static const char *const wrong[] = {
		"", "\n\n", "9", "9\t-74\tcut off", "9\t-74\tcut off\t",
		"x\ty\n", "0\t0\tfine\t\n", "9\t74\tpositive\t\n",
		"9\t-74\tno action\n", "9\n",
	};
	struct tm_readfaults f = { .n_damage = 0 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		strcpy(text, wrong[i]);
		tm_readfaults_take(&f, text);
		assert_int_equal(f.n_damage, 0);
		assert_int_equal(f.other.errnum, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_what_was_said),
		cmocka_unit_test(has_room_for_the_longest),
		cmocka_unit_test(leaves_out_what_is_no_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
