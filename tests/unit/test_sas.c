// SPDX-License-Identifier: MIT
#include "unit.h"

#include <errno.h>
#include <stdio.h>

#include "model/sas.h"

#define NOON INT64_C(1767268800)	/* 2026-01-01T12:00:00Z */

static void parsed(void **state)
{
	struct tm_sas sas;

	(void)state;
	tm_sas_parse("sp=rcwl&st=2026-01-01T00%3A00%3A00Z&se=2026-01-02&sr=c"
		     "&spr=https&sip=10.0.0.1-10.0.0.9&si=a+b&sig=sp%3Dd&xsp=d",
		     &sas);
	assert_string_equal(sas.permissions, "rcwl");
	assert_string_equal(sas.starts, "2026-01-01T00:00:00Z");
	assert_string_equal(sas.ends, "2026-01-02");
	assert_string_equal(sas.resource, "c");
	assert_string_equal(sas.protocol, "https");
	assert_string_equal(sas.address, "10.0.0.1-10.0.0.9");
	assert_string_equal(sas.policy, "a+b");
	assert_string_equal(sas.services, "");
	/* Not to be told on: it may be anything. */
	tm_sas_parse("sp=r%0d%0aX&sr=container-name&ss&srt=&&se=%zz&st=%", &sas);
	assert_string_equal(sas.permissions, "");
	assert_string_equal(sas.resource, "");
	assert_string_equal(sas.services, "");
	assert_string_equal(sas.types, "");
	assert_string_equal(sas.ends, "%zz");
	assert_string_equal(sas.starts, "%");
	tm_sas_parse("", &sas);
	assert_string_equal(sas.permissions, "");
}

static void times(void **state)
{
	static const char *const bad[] = {
		"", "x", "2026", "2026-13-01", "2026-01-01T12:00:00+01:00",
		"2026-01-01T12:00:00Zx", "2026-01-01 12:00:00",
	};
	int64_t when;
	size_t i;

	(void)state;
	assert_int_equal(tm_sas_time("2026-01-01T12:00:00Z", &when), 0);
	assert_int_equal(when, NOON);
	assert_int_equal(tm_sas_time("2026-01-01T12:00:00.1234567Z", &when), 0);
	assert_int_equal(when, NOON);
	assert_int_equal(tm_sas_time("2026-01-01T12:00Z", &when), 0);
	assert_int_equal(when, NOON);
	assert_int_equal(tm_sas_time("2026-01-01", &when), 0);
	assert_int_equal(when, NOON - 12 * 3600);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		if (tm_sas_time(bad[i], &when) != -EINVAL)
			fail_msg("accepted: %s", bad[i]);
}

/* @want "": there is nothing to be seen; else it is in the words. */
static void check(const char *text, const struct tm_sas_use *use,
		  const char *want)
{
	struct tm_sas sas;
	char why[256] = "";
	bool seen;

	tm_sas_parse(text, &sas);
	seen = tm_sas_explain(&sas, use, why, sizeof(why));
	assert_int_equal(seen, *want != '\0');
	if (!strstr(why, want))
		fail_msg("%s: '%s', not '%s'", text, why, want);
	assert_null(strstr(why, "SECRET"));
}

#define GOOD "sp=rcwl&sr=c&se=2026-01-02&sig=SECRET"

static void explained(void **state)
{
	const struct tm_sas_use write = {
		.target = TM_SAS_BLOB, .one_of = "w", .https = true,
		.now = NOON,
	};
	struct tm_sas_use use = write;

	(void)state;
	check(GOOD, &write, "");
	check("sp=rl&sr=c&se=2026-01-02&sig=SECRET", &write,
	      "lacks permission w (write) (it has sp=rl)");
	use.one_of = "cw";
	check("sp=rl&sr=c&se=2026-01-02", &use,
	      "lacks permission c (create) or w (write)");
	check("sp=c&sr=c&se=2026-01-02", &use, "");
	use.one_of = "";
	check("sp=x&sr=c&se=2026-01-02", &use, "");
	check("sp=rcwl&sr=c&se=2026-01-01T12%3A00%3A00Z", &write,
	      "has expired, at 2026-01-01T12:00:00Z");
	check("sp=rcwl&sr=c&st=2026-01-01T12:00:01Z&se=2026-01-02", &write,
	      "not valid yet, but from 2026-01-01T12:00:01Z on");
	check("sp=rcwl&sr=c&se=2026-01-02&ske=2026-01-01", &write,
	      "user delegation key");
	use = write;
	use.now = 0;	/* no Date: nothing to compare with */
	check("sp=rcwl&sr=c&se=2025-01-01", &use, "");
	check("sp=rcwl&sr=c&se=2026-01-02&spr=https", &write, "");
	use = write;
	use.https = false;
	check("sp=rcwl&sr=c&se=2026-01-02&spr=https", &use, "HTTPS only");
	/* A stored policy may say more than is seen. */
	check("si=policy&sr=c", &write, "");
}

static void scopes(void **state)
{
	struct tm_sas_use use = {
		.target = TM_SAS_CONTAINER, .one_of = "c", .account_only = true,
		.https = true, .now = NOON,
	};

	(void)state;
	check(GOOD, &use, "needs one for the account");
	check("sp=c&ss=b&srt=c", &use, "");
	check("sp=c&ss=bfqt&srt=o", &use, "not for containers (srt=o, without c)");
	check("sp=c&ss=fq&srt=c", &use, "other services than blobs (ss=fq");
	check("sp=c&sr=s", &use, "not for blobs and containers (sr=s)");
	use.account_only = false;
	use.one_of = "l";
	check(GOOD, &use, "");
	check("sp=l&sr=b", &use, "for a single blob (sr=b)");
	check("sp=l&sr=bs", &use, "for a single blob (sr=bs)");
	use.target = TM_SAS_ACCOUNT;
	check("sp=l&ss=b&srt=co", &use, "not for the account itself");
}

/* Any bytes at all: an answer, no crash. */
static void noise(void **state)
{
	static const char letters[] = "sptrei=&%2AfZ-:T09 \xff";
	const struct tm_sas_use use = {
		.target = TM_SAS_BLOB, .one_of = "w", .now = NOON,
	};
	uint64_t seed = 7;
	int round;

	(void)state;
	for (round = 0; round < 50000; round++) {
		size_t len = unit_random(&seed) % 120, i;
		struct tm_sas sas;
		char text[128], why[64];

		for (i = 0; i < len; i++)
			text[i] = letters[unit_random(&seed) %
					  (sizeof(letters) - 1)];
		text[len] = '\0';
		tm_sas_parse(text, &sas);
		tm_sas_explain(&sas, &use, why, sizeof(why));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parsed),
		cmocka_unit_test(times),
		cmocka_unit_test(explained),
		cmocka_unit_test(scopes),
		cmocka_unit_test(noise),
	};

	return cmocka_run_group_tests_name("sas", tests, NULL, NULL);
}
