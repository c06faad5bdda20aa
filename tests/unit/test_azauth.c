// SPDX-License-Identifier: MIT
#include "unit.h"

#include <errno.h>
#include <stdlib.h>

#include "port/azauth.h"
#include "port/crypto.h"

/* The string for @request on account `myaccount` is @want. */
static void check(const struct azauth_request *request, const char *want)
{
	char *text;

	assert_int_equal(azauth_string_to_sign("myaccount", request, &text), 0);
	assert_string_equal(text, want);
	free(text);
}

static void add(struct fields *f, const char *name, const char *value)
{
	assert_int_equal(fields_add(f, name, value), 0);
}

/* Printed in "Authorize with Shared Key", Constructing the signature string. */
static void published_string(void **state)
{
	struct fields headers = { 0 }, query = { 0 };
	struct azauth_request request = {
		.method = "GET",
		.path = "/mycontainer",
		.query = &query,
		.headers = &headers,
	};

	(void)state;
	add(&headers, "x-ms-version", "2015-02-21");
	add(&headers, "x-ms-date", "Fri, 26 Jun 2015 23:39:12 GMT");
	add(&query, "restype", "container");
	add(&query, "comp", "metadata");
	add(&query, "timeout", "20");
	check(&request,
	      "GET\n\n\n\n\n\n\n\n\n\n\n\n"
	      "x-ms-date:Fri, 26 Jun 2015 23:39:12 GMT\n"
	      "x-ms-version:2015-02-21\n"
	      "/myaccount/mycontainer\n"
	      "comp:metadata\nrestype:container\ntimeout:20");
	fields_done(&headers);
	fields_done(&query);
}

/* As there, Constructing the canonicalized resource string. */
static void published_resource(void **state)
{
	struct fields query = { 0 };
	struct azauth_request request = {
		.method = "GET",
		.path = "/mycontainer",
		.query = &query,
	};

	(void)state;
	add(&query, "restype", "container");
	add(&query, "comp", "list");
	add(&query, "include", "snapshots");
	add(&query, "include", "metadata");
	add(&query, "include", "uncommittedblobs");
	check(&request,
	      "GET\n\n\n\n\n\n\n\n\n\n\n\n/myaccount/mycontainer\ncomp:list\n"
	      "include:metadata,snapshots,uncommittedblobs\nrestype:container");
	fields_done(&query);
}

/* Each header has its line, and only a body has a length. */
static void every_header(void **state)
{
	struct fields headers = { 0 };
	struct azauth_request request = {
		.method = "PUT",
		.path = "/myaccount/box/a%20b",
		.headers = &headers,
		.body_len = 512,
	};

	(void)state;
	add(&headers, "Range", "bytes=0-1");
	add(&headers, "Content-Type", "text/plain");
	add(&headers, "content-md5", "md5");
	add(&headers, "If-None-Match", "*");
	add(&headers, "If-Match", "\"0x1\"");
	add(&headers, "User-Agent", "not signed");
	add(&headers, "X-MS-Meta-B", "2");
	add(&headers, "x-ms-meta-a", "1");
	check(&request,
	      "PUT\n\n\n512\nmd5\ntext/plain\n\n\n\"0x1\"\n*\n\nbytes=0-1\n"
	      "x-ms-meta-a:1\nx-ms-meta-b:2\n/myaccount/myaccount/box/a%20b");
	fields_done(&headers);
}

/* The signature is that of the string, under the decoded key. */
static void signature(void **state)
{
	const struct azauth_request request = { .method = "GET", .path = "/" };
	unsigned char mac[CRYPTO_SHA256_SIZE];
	char *text, *header, *query, *base64, want[128] = "SharedKey me:";
	struct azauth *auth;

	(void)state;
	assert_int_equal(azauth_new_shared_key("me", "a2V5", &auth), 0);
	assert_int_equal(azauth_apply(auth, &request, &header, &query), 0);
	assert_null(query);
	assert_int_equal(azauth_string_to_sign("me", &request, &text), 0);
	assert_int_equal(crypto_hmac_sha256("key", 3, text, strlen(text), mac),
			 0);
	base64 = crypto_base64(mac, sizeof(mac));
	strcat(want, base64);
	assert_string_equal(header, want);
	free(base64);
	free(text);
	secret_free(header);
	azauth_free(auth);
}

static void shared_access_signature(void **state)
{
	const struct azauth_request request = { .method = "GET", .path = "/" };
	char *header, *query;
	struct azauth *auth;

	(void)state;
	assert_int_equal(azauth_new_sas("?sv=1&sig=x%3D", &auth), 0);
	assert_int_equal(azauth_kind(auth), AZAUTH_SAS);
	assert_int_equal(azauth_apply(auth, &request, &header, &query), 0);
	assert_null(header);
	assert_string_equal(query, "sv=1&sig=x%3D");
	secret_free(query);
	azauth_free(auth);
}

/* For each container its own; without one there is nothing to send. */
static void sas_by_container(void **state)
{
	struct azauth_request request = { .method = "GET", .path = "/box/a" };
	struct azauth *auth;
	char *header, *query;

	(void)state;
	assert_int_equal(azauth_new_sas("", &auth), 0);
	assert_int_equal(azauth_add_sas(auth, "box", "?sig=box"), 0);
	request.container = "box";
	assert_int_equal(azauth_apply(auth, &request, &header, &query), 0);
	assert_null(header);
	assert_string_equal(query, "sig=box");
	secret_free(query);
	request.container = "other";
	assert_int_equal(azauth_apply(auth, &request, &header, &query),
			 -EACCES);
	request.container = NULL;
	assert_int_equal(azauth_apply(auth, &request, &header, &query),
			 -EACCES);
	assert_int_equal(azauth_add_sas(auth, "box2", "?"), -EINVAL);
	azauth_free(auth);
}

static void refused(void **state)
{
	struct azauth *auth = NULL;

	(void)state;
	assert_int_equal(azauth_new_shared_key("", "a2V5", &auth), -EINVAL);
	assert_int_equal(azauth_new_shared_key("me", "", &auth), -EINVAL);
	assert_int_equal(azauth_new_shared_key("me", "a2V", &auth), -EINVAL);
	assert_int_equal(azauth_new_shared_key("me", "a2=5", &auth), -EINVAL);
	assert_int_equal(azauth_new_shared_key("me", "a2 5", &auth), -EINVAL);
	assert_int_equal(azauth_new_sas("sv=1\r\nHost: x", &auth), -EINVAL);
	assert_null(auth);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sas_by_container),
		cmocka_unit_test(published_string),
		cmocka_unit_test(published_resource),
		cmocka_unit_test(every_header),
		cmocka_unit_test(signature),
		cmocka_unit_test(shared_access_signature),
		cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
