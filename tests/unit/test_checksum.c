// SPDX-License-Identifier: MIT
/* Checksums of bodies: what is sent with them, what is believed of a reply. */
#include "unit.h"

#include <errno.h>

#include "port/checksum.h"

#define DATA "123456789"
#define LEN (sizeof(DATA) - 1)
#define CRC64 "iJh5CoYUi64="			/* 0xae8b14860a799888 */
#define MD5 "JfnnlDI7RTiF9RgfG2JNCw=="		/* md5sum | base64 */

static struct blobservice *service;
static struct azauth *auth;

static int setup(void **state)
{
	(void)state;
	if (azauth_new_none(&auth))
		return -1;
	return blobservice_new("https://a.blob.core.windows.net", auth, NULL,
			       &service);
}

static int teardown(void **state)
{
	(void)state;
	blobservice_free(service);
	azauth_free(auth);
	return 0;
}

static struct blobcall begin(enum blob_checksum kind)
{
	struct blobcall call;

	blobservice_set_checksum(service, kind);
	blobcall_init(&call, service, "PUT", "c", "b");
	return call;
}

static void of_bodies(void **state)
{
	struct blobcall call = begin(BLOB_CHECKSUM_CRC64);

	(void)state;
	checksum_body(&call, DATA, LEN);
	assert_int_equal(call.r, 0);
	assert_int_equal(call.body_len, LEN);
	assert_string_equal(fields_get(&call.headers, "x-ms-content-crc64"),
			    CRC64);
	assert_null(fields_get(&call.headers, "Content-MD5"));
	blobcall_done(&call);
	call = begin(BLOB_CHECKSUM_MD5);
	checksum_body(&call, DATA, LEN);
	assert_string_equal(fields_get(&call.headers, "Content-MD5"), MD5);
	assert_null(fields_get(&call.headers, "x-ms-content-crc64"));
	blobcall_done(&call);
}

/* The service refuses to sum more than 4 MiB. */
static void of_ranges(void **state)
{
	static const char *const ask[] = {
		[BLOB_CHECKSUM_CRC64] = "x-ms-range-get-content-crc64",
		[BLOB_CHECKSUM_MD5] = "x-ms-range-get-content-md5",
	};
	struct blobcall call;
	unsigned int kind;

	(void)state;
	for (kind = 0; kind < 2; kind++) {
		call = begin(kind);
		checksum_ask(&call, (4 << 20) + 1);
		assert_int_equal(call.headers.count, 0);
		checksum_ask(&call, 4 << 20);
		assert_int_equal(call.headers.count, 1);
		assert_string_equal(fields_get(&call.headers, ask[kind]),
				    "true");
		blobcall_done(&call);
	}
}

/* What is small is summed by what everybody knows. */
static void of_small_ranges(void **state)
{
	struct blobcall call = begin(BLOB_CHECKSUM_CRC64);

	(void)state;
	checksum_ask(&call, CHECKSUM_FAST_MIN - 1);
	assert_int_equal(call.headers.count, 1);
	assert_non_null(fields_get(&call.headers,
				   "x-ms-range-get-content-md5"));
	blobcall_done(&call);
}

/* What checksum_check() says if @header of the reply is @value. */
static int answer(enum blob_checksum asked, const char *header,
		  const char *value)
{
	struct blob_error err = { .status = 7 };
	struct blobcall call = begin(asked);
	int r;

	checksum_ask(&call, CHECKSUM_FAST_MIN);
	call.reply.status = 206;
	if (header)
		assert_int_equal(fields_add(&call.reply.headers, header,
					    value), 0);
	r = checksum_check(&call, DATA, LEN, &err);
	assert_int_equal(err.status, r ? 206 : 7);
	blobcall_done(&call);
	return r;
}

static void of_replies(void **state)
{
	static const struct {
		enum blob_checksum asked;
		const char *header, *value;
		int r;
	} cases[] = {
		{ BLOB_CHECKSUM_CRC64, "x-ms-content-crc64", CRC64, 0 },
		{ BLOB_CHECKSUM_CRC64, "X-Ms-Content-CRC64", CRC64, 0 },
		{ BLOB_CHECKSUM_CRC64, NULL, NULL, 0 },
		{ BLOB_CHECKSUM_CRC64, "x-ms-content-crc64", "iJh5CoYUi65=",
		  -EBADMSG },
		{ BLOB_CHECKSUM_CRC64, "x-ms-content-crc64", "", -EBADMSG },
		{ BLOB_CHECKSUM_CRC64, "x-ms-content-crc64", "?", -EBADMSG },
		/* Of the whole blob, as it once was: not what was asked for. */
		{ BLOB_CHECKSUM_CRC64, "Content-MD5", "old", 0 },
		{ BLOB_CHECKSUM_MD5, "Content-MD5", MD5, 0 },
		{ BLOB_CHECKSUM_MD5, NULL, NULL, 0 },
		{ BLOB_CHECKSUM_MD5, "Content-MD5", CRC64, -EBADMSG },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(answer(cases[i].asked, cases[i].header,
					cases[i].value), cases[i].r);
}

/* A service that does not know a CRC64 is asked for an MD5, once and for all. */
static void declined(void **state)
{
	struct blobcall call = begin(BLOB_CHECKSUM_CRC64);
	struct blobservice *other;

	(void)state;
	assert_false(checksum_declined(&call, -EOPNOTSUPP));
	checksum_ask(&call, CHECKSUM_FAST_MIN);
	assert_false(checksum_declined(&call, 0));
	assert_false(checksum_declined(&call, -EAGAIN));
	assert_true(checksum_declined(&call, -EOPNOTSUPP));
	blobcall_done(&call);
	assert_int_equal(blobservice_clone(service, &other), 0);
	blobcall_init(&call, other, "GET", "c", "b");
	checksum_ask(&call, CHECKSUM_FAST_MIN);
	assert_non_null(fields_get(&call.headers,
				   "x-ms-range-get-content-md5"));
	assert_false(checksum_declined(&call, -EOPNOTSUPP));
	checksum_body(&call, DATA, LEN);
	assert_non_null(fields_get(&call.headers, "x-ms-content-crc64"));
	blobcall_done(&call);
	blobservice_free(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_bodies),
		cmocka_unit_test(of_ranges),
		cmocka_unit_test(of_small_ranges),
		cmocka_unit_test(of_replies),
		cmocka_unit_test(declined),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
