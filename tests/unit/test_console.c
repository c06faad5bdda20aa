// SPDX-License-Identifier: MIT
#include "unit.h"

#include <string.h>

#include "model/console.h"

static bool take(struct tm_console *c, const char *text, const char *sign)
{
	return tm_console_take(c, text, strlen(text), sign);
}

static void line_is(const struct tm_console *c, size_t most, size_t i,
		    size_t n, const char *wanted)
{
	json_t *lines = tm_console_lines(c, most);

	assert_non_null(lines);
	assert_int_equal(json_array_size(lines), n);
	if (n)
		assert_string_equal(json_string_value(json_array_get(lines, i)),
				    wanted);
	json_decref(lines);
}

static void sees_a_sign_however_it_comes(void **state)
{
	const char *text = "Debian\r\n\r\nweb login: ";
	struct tm_console c = { .len = 0 };
	size_t i;

	(void)state;
	assert_true(take(&c, text, "login: "));
	c = (struct tm_console){ .len = 0 };
	for (i = 0; i < strlen(text) - 1; i++)
		assert_false(tm_console_take(&c, text + i, 1, "login: "));
	assert_true(tm_console_take(&c, text + i, 1, "login: "));
	/* Once only. */
	assert_false(take(&c, "root\r\n", "login: "));
	assert_false(take(&c, "logi", "login: "));
	assert_false(take(&c, "m: ", "login: "));
}

static void leaves_out_what_is_for_terminals(void **state)
{
	struct tm_console c = { .len = 0 };

	(void)state;
	assert_true(take(&c, "\033[1;32mweb\033[0m lo\033[Kgin:\033(B \033M",
			 "web login: "));
	assert_true(take(&c, "\033]0;a login: title\aB", "B"));
	assert_true(take(&c, "\033P1;2|login: \033\\end", "end"));
	line_is(&c, 5, 0, 1, "web login: Bend");
	assert_false(take(&c, "\033]0;login: ", "login: "));
}

static void keeps_the_end(void **state)
{
	struct tm_console c = { .len = 0 };
	size_t i;

	(void)state;
	line_is(&c, 3, 0, 0, NULL);
	for (i = 0; i < 10000; i++)
		assert_false(take(&c, "0123456789\r\n", "login: "));
	assert_true(c.len <= TM_CONSOLE_KEPT);
	assert_true(take(&c, "last login: \n\n\n", "login: "));
	line_is(&c, 1, 0, 1, "last login: ");
	line_is(&c, 3, 0, 3, "0123456789");
	/* A line as long as all that is kept. */
	for (i = 0; i < 3 * TM_CONSOLE_KEPT; i++)
		take(&c, "x", "login: ");
	assert_true(take(&c, "login: ", "login: "));
}

static void is_not_troubled_by_what_is_no_text(void **state)
{
	struct tm_console c = { .len = 0 };

	(void)state;
	assert_false(tm_console_take(&c, "a\xff\0\x7f\x01" "b\n", 7, "ab"));
	line_is(&c, 3, 0, 1, "a?b");
	assert_true(take(&c, "\xc3\xa4 ready\n", "\xc3\xa4 ready"));
	line_is(&c, 1, 0, 1, "\xc3\xa4 ready");
	/* Controls of two bytes, however they come. */
	assert_false(take(&c, "\xc2\x9b" "2J\xc2\xa0\xc2", "?2J\xc2\x80"));
	assert_false(take(&c, "\033[m\x80", "login"));
	assert_true(take(&c, "\xc3\x9b", "\xc3\x9b"));
	line_is(&c, 1, 0, 1, "?2J\xc2\xa0?\xc3\x9b");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sees_a_sign_however_it_comes),
		cmocka_unit_test(leaves_out_what_is_for_terminals),
		cmocka_unit_test(keeps_the_end),
		cmocka_unit_test(is_not_troubled_by_what_is_no_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
