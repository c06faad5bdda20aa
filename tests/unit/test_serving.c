// SPDX-License-Identifier: MIT
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/serving.h"

static struct tm_serving serving(void)
{
	struct tm_serving s = {
		.with_parent = true,
		.vault = "https://acme.blob.core.windows.net/vault",
		.container = "tidemark-0123456789abcdef0123456789abcdef",
		.point = "20260102T030405Z-0123456789abcdef0123456789abcdef",
		.disk = "root",
		.socket = "/run/tidemark/root.nbd",
		.why = "mount",
		.faults = "/tmp/tidemark-boot.XXXXXX/0.faults",
	};

	tm_config_init(&s.config);
	return s;
}

static void comes_back_as_it_was(void **state)
{
	struct tm_serving s = serving(), got;
	struct tm_error err = TM_ERROR_INIT;
	char *text;

	(void)state;
	assert_int_equal(tm_config_set(&s.config, "transfer.retries", "3",
				       NULL), 0);
	assert_int_equal(tm_config_set(&s.config, "restore.cache_size", "64M",
				       NULL), 0);
	assert_int_equal(tm_config_set(&s.config, "transfer.rate_schedule",
				       "mon-fri 08:00-18:00 5M", NULL), 0);
	assert_int_equal(tm_config_set(&s.config, "encryption.service_key",
				       "fd:9", NULL), 0);
	s.config.credentials_fd = 7;
	s.config.accept_rollback = true;
	assert_int_equal(tm_serving_text(&s, &text), 0);
	assert_int_equal(tm_serving_parse(text, strlen(text), &got, &err), 0);
	free(text);
	assert_string_equal(got.vault, s.vault);
	assert_string_equal(got.container, s.container);
	assert_string_equal(got.point, s.point);
	assert_string_equal(got.disk, s.disk);
	assert_string_equal(got.socket, s.socket);
	assert_string_equal(got.why, s.why);
	assert_string_equal(got.faults, s.faults);
	assert_true(got.with_parent);
	assert_int_equal(got.config.credentials_fd, 7);
	assert_true(got.config.accept_rollback);
	assert_int_equal(got.config.retries, 3);
	assert_string_equal(got.config.service_key, "fd:9");
	assert_int_equal(got.config.cache_size, 64 << 20);
	assert_string_equal(got.config.rate_schedule,
			    "mon-fri 08:00-18:00 5M");
	assert_string_equal(got.config.cache, s.config.cache);
}

static void needs_no_descriptor(void **state)
{
	struct tm_serving s = serving(), got;
	char *text;

	(void)state;
	*s.faults = '\0';
	assert_int_equal(tm_serving_text(&s, &text), 0);
	assert_int_equal(tm_serving_parse(text, strlen(text), &got, NULL), 0);
	free(text);
	assert_int_equal(got.config.credentials_fd, -1);
	assert_false(got.config.accept_rollback);
	assert_string_equal(got.faults, "");
}

/* @text with @what in it replaced by @with. */
static int parse_with(const char *what, const char *with)
{
	struct tm_error err = TM_ERROR_INIT;
	struct tm_serving s = serving(), got;
	char *text, *at, changed[65536];
	int r;

	assert_int_equal(tm_serving_text(&s, &text), 0);
	at = strstr(text, what);
	assert_non_null(at);
	snprintf(changed, sizeof(changed), "%.*s%s%s", (int)(at - text), text,
		 with, at + strlen(what));
	free(text);
	r = tm_serving_parse(changed, strlen(changed), &got, &err);
	if (r)
		assert_true(*err.message);
	return r;
}

static void believes_no_nonsense(void **state)
{
	(void)state;
	assert_int_equal(parse_with("\"root\"", "\"root\""), 0);
	assert_int_equal(parse_with("\"root\"", "\"../root\""), -EBADMSG);
	assert_int_equal(parse_with("20260102T", "2026T"), -EBADMSG);
	assert_int_equal(parse_with("\"disk\"", "\"dusk\""), -EBADMSG);
	assert_int_equal(parse_with("transfer.retries", "transfer.returns"),
			 -EINVAL);
	assert_int_equal(parse_with("\"crc64\"", "64"), -EBADMSG);
	assert_int_equal(parse_with("\"format\": 1", "\"format\": 2"),
			 -EPROTONOSUPPORT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_back_as_it_was),
		cmocka_unit_test(needs_no_descriptor),
		cmocka_unit_test(believes_no_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
