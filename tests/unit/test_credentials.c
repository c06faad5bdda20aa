// SPDX-License-Identifier: MIT
#include "unit.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "model/credentials.h"

/* "a secret of some bytes!!" in base64; stands for an account's key */
#define KEY "YSBzZWNyZXQgb2Ygc29tZSBieXRlcyEh"
#define SAS "sp=rw&st=2026-01-01T00:00:00Z&sv=2020-10-02&sr=c&sig=aB%2Bc%3D"

static int parse(const char *text, struct tm_credentials *c,
		 struct tm_error *err)
{
	/* Not a string: the sanitizer sees a read past the end. */
	size_t len = strlen(text);
	char *copy = malloc(len ? len : 1);
	int r;

	assert_non_null(copy);
	memcpy(copy, text, len);
	if (err)
		tm_error_clear(err);
	r = tm_credentials_parse(copy, len, "/x/credentials", c, err);
	free(copy);
	return r;
}

static void check_key(const struct tm_credentials *c)
{
	assert_int_equal(c->key_len, 24);
	assert_memory_equal(c->key, "a secret of some bytes!!", 24);
	assert_string_equal(c->sas, "");
}

static void connection_strings(void **state)
{
	struct tm_credentials c;
	char url[TM_URL_SIZE];

	(void)state;
	assert_int_equal(parse("DefaultEndpointsProtocol=https;"
			       "AccountName=harbour;AccountKey=" KEY ";"
			       "EndpointSuffix=core.windows.net\n", &c, NULL),
			 0);
	check_key(&c);
	assert_string_equal(c.account, "harbour");
	assert_true(c.has_endpoint);
	tm_address_format(url, &c.endpoint);
	assert_string_equal(url, "https://harbour.blob.core.windows.net");

	assert_int_equal(parse("DefaultEndpointsProtocol=http;"
			       "AccountName=devstoreaccount1;AccountKey=" KEY
			       ";BlobEndpoint=http://127.0.0.1:10000/"
			       "devstoreaccount1;QueueEndpoint=http://"
			       "127.0.0.1:10001/devstoreaccount1;", &c, NULL),
			 0);
	check_key(&c);
	tm_address_format(url, &c.endpoint);
	assert_string_equal(url, "http://127.0.0.1:10000/devstoreaccount1");

	assert_int_equal(parse("BlobEndpoint=https://harbour.blob.core.windows"
			       ".net;SharedAccessSignature=" SAS, &c, NULL), 0);
	assert_int_equal(c.key_len, 0);
	assert_string_equal(c.sas, SAS);
	assert_string_equal(c.account, "harbour");
}

static void lines(void **state)
{
	struct tm_credentials c;

	(void)state;
	assert_int_equal(parse("# for the vault\r\n\r\n account = harbour \r\n"
			       "key=" KEY "\r\n", &c, NULL), 0);
	check_key(&c);
	assert_string_equal(c.account, "harbour");
	assert_false(c.has_endpoint);
	assert_int_equal(parse("account = harbour\nsas = ?" SAS, &c, NULL), 0);
	assert_string_equal(c.sas, SAS);
	assert_int_equal(parse("?" SAS "\n", &c, NULL), 0);
	assert_string_equal(c.sas, SAS);
	assert_string_equal(c.account, "");
	assert_int_equal(parse(SAS, &c, NULL), 0);
	assert_string_equal(c.sas, SAS);
}

static void parts(void **state)
{
	struct tm_credentials c;

	(void)state;
	assert_int_equal(tm_credentials_from("harbour", KEY, NULL, "env", &c,
					     NULL), 0);
	check_key(&c);
	assert_int_equal(tm_credentials_from(NULL, "", "?" SAS, "env", &c,
					     NULL), 0);
	assert_string_equal(c.sas, SAS);
	assert_int_equal(tm_credentials_from("harbour", NULL, NULL, "env", &c,
					     NULL), -EINVAL);
	tm_credentials_wipe(&c);
	assert_string_equal(c.sas, "");
}

static void identities(void **state)
{
	struct tm_credentials c;

	(void)state;
	assert_int_equal(parse("identity = system\n", &c, NULL), 0);
	assert_int_equal(c.identity.kind, TM_IDENTITY_SYSTEM);
	assert_int_equal(c.key_len, 0);
	assert_string_equal(c.sas, "");
	assert_string_equal(c.account, "");
	assert_int_equal(parse("account = harbour\nidentity = "
			       "client:11111111-2222-3333-4444-555555555555\n",
			       &c, NULL), 0);
	assert_int_equal(c.identity.kind, TM_IDENTITY_CLIENT);
	assert_string_equal(c.account, "harbour");
}

static void one_for_each_container(void **state)
{
	struct tm_credentials c;

	(void)state;
	assert_int_equal(parse("sas.box = ?" SAS "\n sas.vault=" SAS "\n", &c,
			       NULL), 0);
	assert_string_equal(c.sas, "");
	assert_int_equal(c.n_scoped, 2);
	assert_string_equal(c.scoped[0].container, "box");
	assert_string_equal(c.scoped[0].sas, SAS);
	assert_string_equal(c.scoped[1].container, "vault");
	assert_string_equal(c.scoped[1].sas, SAS);
	assert_int_equal(parse("sas = " SAS "\nsas.box = " SAS, &c, NULL), 0);
	assert_string_equal(c.sas, SAS);
	assert_int_equal(c.n_scoped, 1);
}

static void refused_without_a_word_of_them(void **state)
{
	static const char *const bad[] = {
		"",
		"\n\n# nothing\n",
		"account = harbour\n",
		"key = " KEY "\n",
		"account = Harbour\nkey = " KEY "\n",
		"account = harbour\nkey = SECRET!\n",
		"account = harbour\nkey = SECRETSECRET=SEC\n",
		"account = harbour\nkey = ====\n",
		"account = harbour\nkey = " KEY "\nsas = " SAS "\n",
		"account = harbour\nkey = " KEY "\nkey = " KEY "\n",
		"account = harbour\nSECRET\n",
		"account = harbour\nSECRET = SECRET\n",
		"account = harbour\nkey =\n",
		"account = harbour\nsas = sv=1&SECRET\n",
		"account = harbour\nsas = sv=1 &sig=SECRET\n",
		"sas = sv=1&sig=SECRET\"\n",
		"AccountName=harbour;AccountKey=" KEY ";BlobEndpoint="
			"https://other.blob.core.windows.net",
		"AccountName=harbour;AccountKey=" KEY ";BlobEndpoint="
			"http://harbour.blob.core.windows.net",
		"AccountName=harbour;AccountKey=" KEY ";BlobEndpoint=SECRET",
		"?sv=1&sig=SECRET\n?sv=1&sig=SECRET\n",
		"identity = SECRET\n",
		"identity = system\nkey = " KEY "\naccount = harbour\n",
		"identity = system\nsas = " SAS "\n",
		"identity = system\nsas.box = " SAS "\n",
		"sas.BOX = sv=1&sig=SECRET\n",
		"sas. = sv=1&sig=SECRET\n",
		"sas.box =\n",
		"sas.box = SECRET\n",
		"sas.box = sv=1&sig=SECRET\nsas.box = sv=1&sig=SECRET\n",
		"sas.aaa=" SAS "\nsas.bbb=" SAS "\nsas.ccc=" SAS "\n"
			"sas.ddd=" SAS "\nsas.eee=" SAS "\n",
	};
	struct tm_error err = TM_ERROR_INIT;
	struct tm_credentials c = { .account = "before" };
	char text[3000];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		if (parse(bad[i], &c, &err) != -EINVAL)
			fail_msg("accepted: %s", bad[i]);
		assert_int_equal(err.code, TM_EXIT_PERMISSION);
		assert_string_equal(err.object, "/x/credentials");
		assert_null(strstr(err.message, "SECRET"));
		assert_null(strstr(err.message, KEY));
		assert_string_equal(c.account, "before");
	}
	memset(text, 'A', sizeof(text));
	memcpy(text, "account=harbour\nkey=", 20);
	assert_int_equal(tm_credentials_parse(text, sizeof(text), "x", &c,
					      NULL), -EINVAL);
	assert_int_equal(tm_credentials_parse(text, 20 + 1000, "x", &c, NULL),
			 -EINVAL);
	assert_int_equal(tm_credentials_parse(text, 20 + 168, "x", &c, NULL),
			 0);
	assert_int_equal(c.key_len, 126);
	assert_int_equal(tm_credentials_parse("a\0b", 3, "x", &c, NULL),
			 -EINVAL);
	tm_error_clear(&err);
	assert_int_equal(parse("account = harbour\n\nwhat\n", &c, &err),
			 -EINVAL);
	assert_non_null(strstr(err.message, "line 3"));
}

/* Any bytes at all: an answer, no crash. */
static void noise(void **state)
{
	static const char *const words[] = {
		"account", "key", "sas", "=", ";", "\n", "?", "&sig=", "#",
		KEY, "harbour", "sas.box", "identity", "AccountKey", "BlobEndpoint", "https://", "\0",
		"harbour.blob.core.windows.net", " ", "\r", "\xff", "%",
	};
	uint64_t seed = 99;
	int round;

	(void)state;
	for (round = 0; round < 20000; round++) {
		char text[512];
		size_t len = 0, n = unit_random(&seed) % 16;
		struct tm_credentials c;

		while (n--) {
			const char *w = words[unit_random(&seed) %
					      ARRAY_SIZE(words)];

			memcpy(text + len, w, strlen(w));
			len += strlen(w);
		}
		text[len] = '\0';
		if (!parse(text, &c, NULL))
			assert_int_equal((c.key_len > 0) +
					 (c.sas[0] || c.n_scoped) +
					 (c.identity.kind != TM_IDENTITY_NONE),
					 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connection_strings),
		cmocka_unit_test(lines),
		cmocka_unit_test(parts),
		cmocka_unit_test(identities),
		cmocka_unit_test(one_for_each_container),
		cmocka_unit_test(refused_without_a_word_of_them),
		cmocka_unit_test(noise),
	};

	return cmocka_run_group_tests_name("credentials", tests, NULL, NULL);
}
