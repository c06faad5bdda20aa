// SPDX-License-Identifier: MIT
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/identity.h"

#define ID "11111111-2222-3333-4444-55555555abCD"
#define RESOURCE "/subscriptions/" ID "/resourcegroups/r-1/providers/" \
	"Microsoft.ManagedIdentity/userAssignedIdentities/backup_(1)"

static void names(void **state)
{
	static const struct {
		const char *text;
		const char *parameter, *id;
	} good[] = {
		{ "system", NULL, "" },
		{ "client:" ID, "client_id", ID },
		{ "object:" ID, "object_id", ID },
		{ "resource:" RESOURCE, "msi_res_id", RESOURCE },
	};
	static const char *const bad[] = {
		"", "System", "system ", "client", "client:", "client:" ID "0",
		"client:11111111-2222-3333-4444-55555555abC",
		"client:11111111x2222-3333-4444-55555555abCD",
		"object:" RESOURCE, "resource:" ID, "resource:/subscriptions/a&b",
		"resource:/subscriptions/a b", "resource:/subscriptions/%41",
		"resource:/subscriptions/a\r\nHost: x", "other:" ID,
	};
	struct tm_identity identity;
	char text[TM_IDENTITY_SIZE], resource[TM_IDENTITY_SIZE + 1];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		const char *parameter;

		assert_int_equal(tm_identity_parse(good[i].text, &identity), 0);
		assert_string_equal(identity.id, good[i].id);
		parameter = tm_identity_parameter(&identity);
		if (good[i].parameter)
			assert_string_equal(parameter, good[i].parameter);
		else
			assert_null(parameter);
		tm_identity_format(text, &identity);
		assert_string_equal(text, good[i].text);
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		if (tm_identity_parse(bad[i], &identity) != -EINVAL)
			fail_msg("accepted: %s", bad[i]);
	memset(resource, 'a', TM_IDENTITY_SIZE);
	memcpy(resource, "resource:/subscriptions/", 24);
	resource[TM_IDENTITY_SIZE] = '\0';
	assert_int_equal(tm_identity_parse(resource, &identity), -EINVAL);
	resource[TM_IDENTITY_SIZE - 1] = '\0';
	assert_int_equal(tm_identity_parse(resource, &identity), 0);
}

static int parse(const char *text, char **token, uint64_t *life)
{
	/* Not a string: the sanitizer sees a read past the end. */
	size_t len = strlen(text);
	char *copy = malloc(len ? len : 1);
	int r;

	assert_non_null(copy);
	memcpy(copy, text, len);
	r = tm_token_parse(copy, len, 1000, token, life);
	free(copy);
	return r;
}

static void tokens(void **state)
{
	static const struct {
		const char *text;
		uint64_t life;
	} good[] = {
		/* As the service's documentation shows it */
		{ "{\"access_token\": \"eyJ0.e_-~+/.x==\", "
		  "\"refresh_token\": \"\", \"expires_in\": \"3599\", "
		  "\"expires_on\": \"1506484173\", "
		  "\"not_before\": \"1506480273\", \"resource\": "
		  "\"https://storage.azure.com/\", "
		  "\"token_type\": \"Bearer\"}", 3599 },
		{ "{\"access_token\":\"eyJ0.e_-~+/.x==\",\"expires_in\":60}",
		  60 },
		{ "{\"access_token\":\"eyJ0.e_-~+/.x==\","
		  "\"expires_on\":\"1090\"}", 90 },
		{ "{\"access_token\":\"eyJ0.e_-~+/.x==\","
		  "\"expires_in\":99999999999}", 31 * 24 * 3600 },
	};
	static const char *const bad[] = {
		"", "{", "[]", "null", "{}", "\"token\"",
		"{\"access_token\":\"t\"}",
		"{\"access_token\":\"\",\"expires_in\":60}",
		"{\"access_token\":7,\"expires_in\":60}",
		"{\"access_token\":\"a b\",\"expires_in\":60}",
		"{\"access_token\":\"a\\r\\nHost: x\",\"expires_in\":60}",
		"{\"access_token\":\"a\\u0000b\",\"expires_in\":60}",
		"{\"access_token\":\"t\",\"expires_in\":0}",
		"{\"access_token\":\"t\",\"expires_in\":-5}",
		"{\"access_token\":\"t\",\"expires_in\":\"soon\"}",
		"{\"access_token\":\"t\",\"expires_in\":\"60s\"}",
		"{\"access_token\":\"t\",\"expires_on\":1000}",
		"{\"access_token\":\"t\",\"expires_on\":"
			"\"-9223372036854775808\"}",
		"{\"access_token\":\"t\",\"access_token\":\"u\","
			"\"expires_in\":60}",
	};
	uint64_t life = 0;
	char *token;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(parse(good[i].text, &token, &life), 0);
		assert_string_equal(token, "eyJ0.e_-~+/.x==");
		assert_int_equal(life, good[i].life);
		free(token);
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		if (parse(bad[i], &token, &life) != -EBADMSG)
			fail_msg("accepted: %s", bad[i]);
}

static void refusals(void **state)
{
	static const char text[] =
		"{\"error\":\"invalid_request\",\"error_description\":"
		"\"Identity not found\\r\\nTrace ID: 1\"}";
	char why[64], little[9];

	(void)state;
	tm_token_refusal(text, strlen(text), why, sizeof(why));
	assert_string_equal(why, "Identity not found");
	tm_token_refusal(text, strlen(text), little, sizeof(little));
	assert_string_equal(little, "Identity");
	tm_token_refusal("<html>", 6, why, sizeof(why));
	assert_string_equal(why, "");
	tm_token_refusal("", 0, why, sizeof(why));
	assert_string_equal(why, "");
}

/* The waits after each try until it is given up; @want ends in -1. */
static void waits(const struct tm_token_try *t, const int *want)
{
	unsigned int tries = 0;

	do {
		assert_int_equal(tm_token_wait_ms(t, ++tries), *want);
	} while (*want++ >= 0);
}

static void again(void **state)
{
	static const unsigned int passing[] = { 0, 404, 408, 500, 503, 504 };
	static const unsigned int final[] = { 200, 302, 400, 401, 403 };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(passing); i++)
		waits(&(struct tm_token_try){ .status = passing[i] },
		      (const int[]){ 1000, 2000, 4000, -1 });
	for (i = 0; i < ARRAY_SIZE(final); i++)
		waits(&(struct tm_token_try){ .status = final[i] },
		      (const int[]){ -1 });
	waits(&(struct tm_token_try){ .status = 400, .unknown = true },
	      (const int[]){ 1000, 2000, 4000, -1 });
	waits(&(struct tm_token_try){ .status = 410 },
	      (const int[]){ 10000, 10000, 10000, 10000, 10000, 10000, 10000,
			     -1 });
	waits(&(struct tm_token_try){ .status = 429 },
	      (const int[]){ 2000, 4000, 8000, 16000, -1 });
	waits(&(struct tm_token_try){ .status = 429, .retry_after_s = 5 },
	      (const int[]){ 5000, 5000, 8000, 16000, -1 });
	/* What would keep a backup waiting for long is not listened to. */
	waits(&(struct tm_token_try){ .status = 503,
				      .retry_after_s = 4000000000u },
	      (const int[]){ 1000, 2000, 4000, -1 });
	waits(&(struct tm_token_try){ .unreachable = true },
	      (const int[]){ 1000, -1 });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(tokens),
		cmocka_unit_test(refusals),
		cmocka_unit_test(again),
	};

	return cmocka_run_group_tests_name("identity", tests, NULL, NULL);
}
