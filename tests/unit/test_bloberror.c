// SPDX-License-Identifier: MIT
#include "unit.h"

#include <errno.h>

#include "port/bloberror.h"
#include "port/xmlwalk.h"

static int refusal(unsigned int status, const char *code,
		   struct blob_error *err)
{
	struct http_reply reply = { .status = status };
	int r;

	if (code)
		assert_int_equal(fields_add(&reply.headers, "x-ms-error-code",
					    code), 0);
	r = bloberror_from_reply(0, &reply, err);
	http_reply_done(&reply);
	return r;
}

static void classes(void **state)
{
	static const struct {
		unsigned int status;
		const char *code;
		int r;
		bool ambiguous;
	} cases[] = {
		{ 301, NULL, -EPROTO, false },
		{ 202, NULL, -EPROTO, true },
		{ 304, "ConditionNotMet", -ESTALE, false },
		{ 400, "Md5Mismatch", -EBADMSG, false },
		{ 400, "Crc64Mismatch", -EBADMSG, false },
		{ 400, "UnsupportedHeader", -EOPNOTSUPP, false },
		{ 403, "AuthenticationFailed", -EACCES, false },
		{ 404, "BlobNotFound", -ENOENT, false },
		{ 407, NULL, -EACCES, false },
		{ 408, NULL, -EAGAIN, true },
		{ 409, "BlobAlreadyExists", -EEXIST, false },
		{ 409, "LeaseAlreadyPresent", -EBUSY, false },
		{ 409, "FeatureVersionMismatch", -EBUSY, false },
		{ 412, "LeaseIdMissing", -EBUSY, false },
		{ 412, "SequenceNumberConditionNotMet", -ESTALE, false },
		{ 413, NULL, -EMSGSIZE, false },
		{ 416, "InvalidPageRange", -ERANGE, false },
		{ 418, NULL, -EIO, false },
		{ 429, NULL, -EAGAIN, false },
		{ 500, "OperationTimedOut", -EAGAIN, true },
		{ 500, "FeatureNotSupported", -EOPNOTSUPP, false },
		{ 501, NULL, -EOPNOTSUPP, false },
		{ 503, "ServerBusy", -EAGAIN, true },
		{ 507, NULL, -EIO, true },
	};
	struct blob_error err;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(refusal(cases[i].status, cases[i].code, &err),
				 cases[i].r);
		assert_int_equal(err.ambiguous, cases[i].ambiguous);
		assert_int_equal(err.status, cases[i].status);
		assert_string_equal(err.code, cases[i].code ? cases[i].code :
							      "");
	}
}

/* A body serves where there is no header; only its first line. */
static void from_body(void **state)
{
	char body[] = "<?xml version=\"1.0\"?><Error><Code>Odd</Code>"
		      "<Message>It is odd.\nRequestId:1</Message>"
		      "<AuthenticationErrorDetail>secret"
		      "</AuthenticationErrorDetail></Error>";
	struct http_reply reply = { .status = 403, .body = body };
	struct blob_error err;

	(void)state;
	assert_int_equal(bloberror_from_reply(0, &reply, &err), -EACCES);
	assert_string_equal(err.code, "Odd");
	assert_string_equal(err.cause, "It is odd.");
}

/* Damage is called by its name, whatever the service calls it. */
static void damage(void **state)
{
	char body[] = "<Error><Message>It did not match.</Message></Error>";
	struct http_reply reply = { .status = 206 };
	struct blob_error err;

	(void)state;
	assert_int_equal(bloberror_damaged(&reply, &err), -EBADMSG);
	assert_int_equal(err.status, 206);
	assert_false(err.ambiguous);
	assert_string_equal(err.cause, "the data were damaged on the way");
	reply.status = 400;
	reply.body = body;
	assert_int_equal(fields_add(&reply.headers, "x-ms-error-code",
				    "Crc64Mismatch"), 0);
	assert_int_equal(bloberror_from_reply(0, &reply, &err), -EBADMSG);
	assert_string_equal(err.cause, "the data were damaged on the way: "
				       "It did not match.");
	fields_done(&reply.headers);
}

static int count_end(void *arg, const char *parent, const char *name,
		     const char *text)
{
	int *count = arg;

	if (!strcmp(parent, "a") && !strcmp(name, "b") && !strcmp(text, "x&y"))
		(*count)++;
	return !strcmp(text, "stop") ? -ECANCELED : 0;
}

static int walk(const char *xml, int *count)
{
	const struct xmlwalk w = { .end = count_end, .arg = count };

	return xmlwalk_parse(&w, xml, strlen(xml));
}

static void xml(void **state)
{
	int count = 0;

	(void)state;
	assert_int_equal(walk("<a><b>x&amp;y</b><b/><b>x&amp;y</b></a>",
			      &count), 0);
	assert_int_equal(count, 2);
	assert_int_equal(walk("<a><b>stop</b><b>x&amp;y</b></a>", &count),
			 -ECANCELED);
	assert_int_equal(count, 2);
	assert_int_equal(walk("<a><b></a>", &count), -EPROTO);
	assert_int_equal(walk("<a><b>", &count), -EPROTO);
	assert_int_equal(walk("", &count), -EPROTO);
	assert_int_equal(walk("<a><a><a><a><a><a><a><a><a></a></a></a></a></a>"
			      "</a></a></a></a>", &count), -EPROTO);
	assert_int_equal(walk("<!DOCTYPE a [<!ENTITY e \"x\">]><a>&e;</a>",
			      &count), -EPROTO);
	assert_int_equal(xmlwalk_parse(NULL, NULL, 0), -EPROTO);
}

/* What a proxy has answered is not for the service's words to explain. */
static void obstacles(void **state)
{
	struct http_reply reply = {
		.status = 403,
		.obstacle = OBSTACLE_PROXY_REFUSES,
		.cause = "proxy 'p' refuses",
		.body = "<Message>go away</Message>",
	};
	struct blob_error err;

	(void)state;
	assert_int_equal(bloberror_from_reply(0, &reply, &err), -EACCES);
	assert_int_equal(err.obstacle, OBSTACLE_PROXY_REFUSES);
	assert_string_equal(err.cause, "proxy 'p' refuses");
	reply.status = 0;
	assert_int_equal(bloberror_from_reply(-EAGAIN, &reply, &err), -EAGAIN);
	assert_int_equal(err.obstacle, OBSTACLE_PROXY_REFUSES);
	assert_false(err.ambiguous);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(classes),
		cmocka_unit_test(obstacles),
		cmocka_unit_test(from_body),
		cmocka_unit_test(damage),
		cmocka_unit_test(xml),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
