// SPDX-License-Identifier: MIT
#include "unit.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>

#include "model/config.h"

static int parse(struct tm_config *c, const char *text, struct tm_error *err)
{
	tm_error_clear(err);
	return tm_config_parse(c, text, strlen(text), "t.conf", err);
}

static void defaults(void **state)
{
	struct tm_config c;

	(void)state;
	tm_config_init(&c);
	assert_string_equal(c.url, "");
	assert_string_equal(c.credentials, "/etc/tidemark/credentials");
	assert_string_equal(c.state, "/var/lib/tidemark");
	assert_string_equal(c.run, "/run/tidemark");
	assert_string_equal(c.waagent, "/etc/waagent.conf");
	assert_string_equal(c.proxy_url, "");
	assert_false(c.plain_http);
	assert_string_equal(c.api_version, "2020-10-02");
	assert_int_equal(c.chunk_size, 65536);
	assert_int_equal(c.request_size, 4 << 20);
	assert_int_equal(c.pool, 16 << 20);
	assert_true(c.freeze);
	assert_int_equal(c.close_after, 10);
	assert_int_equal(c.meta_timeout, 10);
	assert_false(c.on_lost_fail);
	assert_false(c.checksum_md5);
	assert_int_equal(c.rate, 0);
	assert_string_equal(c.rate_schedule, "");
	assert_int_equal(c.blob_rate, 60 << 20);
	assert_int_equal(c.blob_requests, 500);
	assert_int_equal(c.connections, 16);
	assert_string_equal(c.metrics, "");
}

/* A rate is any number of bytes, and what no longer holds can be lifted. */
static void rates(void **state)
{
	struct tm_error err = TM_ERROR_INIT;
	struct tm_config c;

	(void)state;
	tm_config_init(&c);
	assert_int_equal(parse(&c,
		"[transfer]\n"
		"rate = 1000001\n"
		"blob_rate = 0\n"
		"rate_schedule = mon-fri 08:00-18:00 5M, sat sun 0 ; slower\n",
		&err), 0);
	assert_int_equal(c.rate, 1000001);
	assert_int_equal(c.blob_rate, 0);
	assert_string_equal(c.rate_schedule,
			    "mon-fri 08:00-18:00 5M, sat sun 0");
	assert_int_equal(parse(&c, "[transfer]\nrate = 0\nrate_schedule =\n",
			       &err), 0);
	assert_int_equal(c.rate, 0);
	assert_string_equal(c.rate_schedule, "");
	assert_string_equal(c.identity, "");
	assert_int_equal(c.credentials_fd, -1);
}

static void where_credentials_are(void **state)
{
	static const struct {
		const char *setting, *value;
		int want;
	} all[] = {
		{ "vault.credentials", "/run/x", 0 },
		{ "vault.credentials", "fd:7", 0 },
		{ "vault.credentials", "", -EINVAL },
		{ "encryption.service_key", "", 0 },
		{ "encryption.service_key", "/key", 0 },
		{ "encryption.service_key", "fd:3", 0 },
		{ "encryption.service_key", "key", -EINVAL },
		{ "encryption.service_key_command", "cat /key", 0 },
		{ "vault.credentials", "fd:", -EINVAL },
		{ "vault.credentials", "fd:-1", -EINVAL },
		{ "vault.credentials", "fd:7x", -EINVAL },
		{ "vault.credentials", "fd:4294967297", -EINVAL },
		{ "vault.credentials", "x", -EINVAL },
		{ "vault.credentials", "", -EINVAL },
		{ "vault.identity", "system", 0 },
		{ "vault.identity", "", 0 },
		{ "vault.identity", "client:x", -EINVAL },
	};
	struct tm_config c;
	size_t i;

	(void)state;
	tm_config_init(&c);
	for (i = 0; i < ARRAY_SIZE(all); i++)
		if (tm_config_set(&c, all[i].setting, all[i].value, NULL) !=
		    all[i].want)
			fail_msg("%s = %s", all[i].setting, all[i].value);
	assert_string_equal(c.credentials, "fd:7");
	assert_string_equal(c.identity, "");
}

static void files_lie_one_over_another(void **state)
{
	struct tm_error err = TM_ERROR_INIT;
	struct tm_config c;

	(void)state;
	tm_config_init(&c);
	assert_int_equal(parse(&c,
		"# where it goes\n"
		"[vault]\n"
		"url = https://acc.blob.core.windows.net/vault\n"
		"item=web-01\r\n"
		"; a comment\n"
		"\n"
		"[backup]\n"
		"chunk_size = 128k\n"
		"freeze = no\n"
		"[transfer]\n"
		"checksum = md5\n"
		"[tracking]\n"
		"on_lost = fail\n"
		"close_after = 2\n"
		"region_size = 32M\n", &err), 0);
	assert_int_equal(parse(&c, "[backup]\nchunk_size = 4096", &err), 0);
	assert_string_equal(c.url, "https://acc.blob.core.windows.net/vault");
	assert_string_equal(c.item, "web-01");
	assert_int_equal(c.chunk_size, 4096);
	assert_int_equal(c.region_size, 32 << 20);
	assert_int_equal(c.close_after, 2);
	assert_false(c.freeze);
	assert_true(c.on_lost_fail);
	assert_true(c.checksum_md5);
	assert_int_equal(parse(&c, "", &err), 0);
}

static void errors_name_the_line(void **state)
{
	static const struct {
		const char *text;
		const char *says;
	} bad[] = {
		{ "[vault]\nurl = ftp://x\n",
		  "t.conf:2: the value of 'vault.url' is not the URL" },
		{ "[vault]\n\nitem = a b\n", "t.conf:3: the value of" },
		{ "[proxy]\nurl = ftp://x\n",
		  "t.conf:2: the value of 'proxy.url' is not the URL" },
		{ "[proxy]\nurl = http://u:hush@x\n",
		  "t.conf:2: the value of 'proxy.url' holds a user" },
		{ "[backup]\nchunk_size = 65537\n",
		  "t.conf:2: the value of 'backup.chunk_size' is not a power" },
		{ "[backup]\nchunk_size = 64Q\n", "is not a number" },
		{ "[backup]\nchunk_size = \n", "is not a number" },
		{ "[backup]\nchunk_size = -1\n", "is not a number" },
		{ "[transfer]\nrequest_size = 8M\n", "is out of range" },
		{ "[transfer]\nrequest_size = 65537\n", "multiple of 4K" },
		{ "[transfer]\nretries = 99999999999999999999\n",
		  "is not a number" },
		{ "[backup]\nfreeze = maybe\n", "is not yes or no" },
		{ "[tracking]\non_lost = panic\n", "is not fail or pass" },
		{ "[transfer]\nchecksum = none\n", "is not crc64 or md5" },
		{ "[backup]\nspeed = 3\n",
		  "t.conf:2: there is no setting 'speed' in section [backup]" },
		{ "[nowhere]\nspeed = 3\n", "in section [nowhere]" },
		{ "[vault]\nwhat is this\n", "t.conf:2: this is neither" },
		{ "[vault\nitem = a\n", "t.conf:1: this is neither" },
		{ "[vault]\nitem = a\nitem = b\n",
		  "t.conf:3: 'vault.item' is set twice" },
		{ "[vault]\nitem = a\n  url = b\n",
		  "t.conf:3: the line begins with a space" },
		{ "[transfer]\nrate = 1000\n", "is neither 0 nor at least" },
		{ "[transfer]\nblob_rate = fast\n", "is not a number" },
		{ "[transfer]\nconnections = 0\n", "is out of range" },
		{ "[transfer]\nrate_schedule = mon-fir 5M\n",
		  "t.conf:2: the value of 'transfer.rate_schedule' is wrong "
		  "at 'mon-fir': neither a day" },
		{ "[paths]\nmetrics = here\n", "is not an absolute path" },
		{ "[paths]\nstate = here\n", "is not an absolute path" },
		{ "[paths]\nstate =\n", "is not an absolute path" },
	};
	struct tm_error err = TM_ERROR_INIT;
	struct tm_config c, before;
	char text[400] = "[vault]\nca_file = /";
	size_t i;

	(void)state;
	tm_config_init(&c);
	before = c;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(parse(&c, bad[i].text, &err), -EINVAL);
		assert_int_equal(err.code, TM_EXIT_USAGE);
		if (!strstr(err.message, bad[i].says))
			fail_msg("'%s' does not say '%s'", err.message,
				 bad[i].says);
		assert_memory_equal(&c, &before, sizeof(c));
	}
	memset(text + strlen(text), 'x', 300);
	assert_int_equal(parse(&c, text, &err), -EINVAL);
	assert_non_null(strstr(err.message, "t.conf:2: the line is too long"));
	assert_int_equal(tm_config_parse(&c, "[vault]\nitem\0=a\n", 16,
					 "t.conf", &err), -EINVAL);
	assert_non_null(strstr(err.message, "t.conf:2:"));
}

/* What value prints, set takes, for every setting. */
static void settings_round_trip(void **state)
{
	char value[TM_URL_SIZE], setting[64];
	const struct tm_setting *settings;
	struct tm_error err = TM_ERROR_INIT;
	struct tm_config c, d;
	size_t n, i;

	(void)state;
	tm_config_init(&c);
	tm_config_init(&d);
	settings = tm_config_settings(&n);
	assert_true(n > 20);
	for (i = 0; i < n; i++) {
		assert_true(strlen(settings[i].help) > 5);
		tm_config_value(&c, i, value, sizeof(value));
		snprintf(setting, sizeof(setting), "%s.%s",
			 settings[i].section, settings[i].name);
		assert_int_equal(tm_config_set(&d, setting, value, &err), 0);
	}
	assert_memory_equal(&c, &d, sizeof(c));

	assert_int_equal(tm_config_set(&c, "transfer.retries", "3", NULL), 0);
	assert_int_equal(c.retries, 3);
	assert_int_equal(tm_config_set(&c, "retries", "3", &err), -EINVAL);
	assert_int_equal(tm_config_set(&c, "transfer.retries", "x", &err),
			 -EINVAL);
	assert_int_equal(c.retries, 3);
	/* It would be taken for the default. */
	assert_int_equal(tm_config_set(&c, "transfer.retry_time", "0", &err),
			 -EINVAL);
}

static void sizes_parse(void **state)
{
	uint64_t n;

	(void)state;
	assert_int_equal(tm_size_parse("0", &n), 0);
	assert_int_equal(tm_size_parse("64K", &n), 0);
	assert_int_equal(n, 65536);
	assert_int_equal(tm_size_parse("8t", &n), 0);
	assert_int_equal(n, UINT64_C(8) << 40);
	assert_int_equal(tm_size_parse("18446744073709551615", &n), 0);
	assert_int_equal(tm_size_parse("18446744073709551616", &n), -EINVAL);
	assert_int_equal(tm_size_parse("18446744073709551615K", &n), -EINVAL);
	assert_int_equal(tm_size_parse("", &n), -EINVAL);
	assert_int_equal(tm_size_parse("K", &n), -EINVAL);
	assert_int_equal(tm_size_parse("1KB", &n), -EINVAL);
	assert_int_equal(tm_size_parse("+1", &n), -EINVAL);
	assert_int_equal(tm_size_parse(" 1", &n), -EINVAL);
	assert_int_equal(tm_size_parse("1 ", &n), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(rates),
		cmocka_unit_test(where_credentials_are),
		cmocka_unit_test(files_lie_one_over_another),
		cmocka_unit_test(errors_name_the_line),
		cmocka_unit_test(settings_round_trip),
		cmocka_unit_test(sizes_parse),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
