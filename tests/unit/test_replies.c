// SPDX-License-Identifier: MIT
/*
 * What operations make of replies that are not what a service should send. The
 * network is a stand-in here: http_perform() is wrapped when this is linked.
 */
#include "unit.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "port/azauth.h"
#include "port/bloblist.h"
#include "port/blobprops.h"
#include "port/blockblob.h"
#include "port/lease.h"
#include "port/pageblob.h"

static struct {
	unsigned int status;
	const char *header, *value;	/* one, or NULL */
	const char *body;
} answer;

int __wrap_http_perform(struct http *http, const struct http_request *request,
			struct http_reply *reply);

int __wrap_http_perform(struct http *http, const struct http_request *request,
			struct http_reply *reply)
{
	(void)http, (void)request;
	*reply = (struct http_reply){ .status = answer.status, .sent = true };
	if (answer.header)
		assert_int_equal(fields_add(&reply->headers, answer.header,
					    answer.value), 0);
	if (answer.body) {
		reply->body = strdup(answer.body);
		reply->body_len = strlen(answer.body);
	}
	return 0;
}

static struct blob blob = { .container = "c", .name = "b" };
static struct blob_error err;

static int set_up(void **state)
{
	static struct azauth *auth;

	*state = NULL;
	if (azauth_new_none(&auth))
		return -1;
	return blobservice_new("http://127.0.0.1:1/a", auth, NULL,
			       &blob.service);
}

static int tear_down(void **state)
{
	(void)state;
	blobservice_free(blob.service);
	return 0;
}

static uint64_t told_off, told_len;
static unsigned int told;

static int on_range(void *arg, uint64_t off, uint64_t len)
{
	(void)arg;
	told_off = off;
	told_len = len;
	told++;
	return 0;
}

#define RANGE(start, end) \
	"<PageRange><Start>" start "</Start><End>" end "</End></PageRange>"
#define LIST(ranges) "<PageList>" ranges "</PageList>"

static int ranges_within(uint64_t off, uint64_t len, const char *body)
{
	answer.status = 200;
	answer.header = NULL;
	answer.body = body;
	told = 0;
	return pageblob_ranges(&blob, NULL, off, len, on_range, NULL, &err);
}

static int ranges(const char *body)
{
	return ranges_within(0, UINT64_MAX, body);
}

static void ranges_are_told(void **state)
{
	(void)state;
	assert_int_equal(ranges(LIST(RANGE("512", "1023"))), 0);
	assert_int_equal(told, 1);
	assert_int_equal(told_off, 512);
	assert_int_equal(told_len, 512);
	assert_int_equal(ranges(LIST(RANGE("0", "18446744073709551614"))), 0);
	assert_int_equal(told_len, UINT64_MAX);
	assert_int_equal(ranges(LIST("<ClearRange><Start>0</Start><End>511"
				     "</End></ClearRange>")), 0);
	assert_int_equal(told, 0);
}

/* Of [1024, 2048) here. A service may tell of all that such a part is of. */
static void ranges_are_of_what_was_asked_for(void **state)
{
	static const struct {
		const char *body;
		uint64_t off, len;	/* 0: nothing is told */
	} cases[] = {
		{ LIST(RANGE("512", "1535")), 1024, 512 },
		{ LIST(RANGE("1536", "2559")), 1536, 512 },
		{ LIST(RANGE("0", "4095")), 1024, 1024 },
		{ LIST(RANGE("512", "1023")), 0, 0 },
		{ LIST(RANGE("2048", "2559")), 0, 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(ranges_within(1024, 1024, cases[i].body), 0);
		assert_int_equal(told, cases[i].len ? 1 : 0);
		if (!told)
			continue;
		assert_int_equal(told_off, cases[i].off);
		assert_int_equal(told_len, cases[i].len);
	}
}

/* What would be taken for a hole would be restored as zeroes. */
static void no_range_becomes_a_hole(void **state)
{
	static const char *const bodies[] = {
		LIST(RANGE("0", "18446744073709551615")),
		LIST(RANGE("0", "18446744073709551616")),
		LIST(RANGE("512", "511")),
		LIST(RANGE("0", "-1")),
		LIST(RANGE("", "511")),
		LIST(RANGE(" 0", "511")),
		LIST(RANGE("0", "511 ")),
		LIST("<PageRange/>"),
		LIST(RANGE("0", "511") "<PageRange><End>1023</End></PageRange>"),
		LIST(RANGE("0", "511") "<PageRange><Start>1</Start></PageRange>"),
		"<html><body>Please log in.</body></html>",
		"<EnumerationResults/>",
		RANGE("0", "511"),
		"<PageList>",
		"",
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bodies); i++) {
		assert_int_equal(ranges(bodies[i]), -EPROTO);
		assert_string_equal(err.cause, "the list makes no sense");
	}
}

/* A page blob consists of pages: a size that does not was damaged on its way. */
static void sizes_are_pages(void **state)
{
	static const struct {
		const char *type, *size;
		int r;
	} cases[] = {
		{ "PageBlob", "1024", 0 },
		{ "PageBlob", "1023", -EPROTO },
		{ "PageBlob", "", -EPROTO },
		{ "BlockBlob", "1023", 0 },
	};
	struct blob_properties p;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fields headers = { 0 };

		assert_int_equal(fields_add(&headers, "Content-Length",
					    cases[i].size), 0);
		assert_int_equal(fields_add(&headers, "x-ms-blob-type",
					    cases[i].type), 0);
		assert_int_equal(fields_add(&headers, "ETag", "1"), 0);
		assert_int_equal(blobprops_from_headers(&headers, &p),
				 cases[i].r);
		if (!cases[i].r)
			blob_properties_done(&p);
		fields_done(&headers);
	}
}

static int on_blob(void *arg, const struct bloblist_item *item)
{
	(void)arg, (void)item;
	told++;
	return 0;
}

static int on_container(void *arg, const char *name)
{
	(void)arg, (void)name;
	told++;
	return 0;
}

static void lists_are_lists(void **state)
{
	(void)state;
	answer.status = 200;
	answer.header = NULL;
	answer.body = "<html/>";
	assert_int_equal(bloblist(blob.service, "c", NULL, 0, on_blob, NULL,
				  &err), -EPROTO);
	assert_int_equal(bloblist_containers(blob.service, NULL, on_container,
					     NULL, &err), -EPROTO);
	answer.body = "<EnumerationResults><Containers><Container><Name>a"
		      "</Name></Container><Container/></Containers>"
		      "</EnumerationResults>";
	told = 0;
	assert_int_equal(bloblist_containers(blob.service, NULL, on_container,
					     NULL, &err), -EPROTO);
	assert_int_equal(told, 1);
}

#define BLOBS(names, marker) \
	"<EnumerationResults><Blobs>" names "</Blobs><NextMarker>" marker \
	"</NextMarker></EnumerationResults>"
#define BLOB(name) "<Blob><Name>" name "</Name></Blob>"

/* Who asks steps over the prefix: a name without it would be read past its end. */
static void names_have_the_prefix_asked_for(void **state)
{
	static const char *const others[] = {
		BLOB("x"), BLOB(""), BLOB("points"), BLOB("runs/a"),
	};
	char body[128];
	size_t i;

	(void)state;
	answer.status = 200;
	answer.header = NULL;
	answer.body = body;
	for (i = 0; i < ARRAY_SIZE(others); i++) {
		told = 0;
		snprintf(body, sizeof(body), BLOBS("%s", ""), others[i]);
		assert_int_equal(bloblist(blob.service, "c", "points/", 0,
					  on_blob, NULL, &err), -EPROTO);
		assert_int_equal(told, 0);
	}
	answer.body = BLOBS(BLOB("points/") BLOB("points/a"), "");
	assert_int_equal(bloblist(blob.service, "c", "points/", 0, on_blob,
				  NULL, &err), 0);
	assert_int_equal(told, 2);
	answer.body = "<EnumerationResults><Containers><Container><Name>b</Name>"
		      "</Container></Containers></EnumerationResults>";
	assert_int_equal(bloblist_containers(blob.service, "a", on_container,
					     NULL, &err), -EPROTO);
	assert_int_equal(told, 2);
}

static void lists_end(void **state)
{
	(void)state;
	answer.status = 200;
	answer.header = NULL;
	answer.body = BLOBS(BLOB("a"), "a");
	told = 0;
	assert_int_equal(bloblist(blob.service, "c", NULL, 0, on_blob, NULL,
				  &err), -EPROTO);
	assert_int_equal(told, 2);
	assert_int_equal(bloblist_containers(blob.service, NULL, on_container,
					     NULL, &err), -EPROTO);
	assert_int_equal(ranges("<PageList><NextMarker>a</NextMarker></PageList>"),
			 -EPROTO);
}

static void snapshots_have_times(void **state)
{
	static const char *const times[] = {
		"", "now", "2026-11-22T18:05:08.1234567Z&x=1",
		"2026-11-22T18:05:08.12345670000000000000Z",
	};
	char time[BLOB_SNAPSHOT_SIZE];
	size_t i;

	(void)state;
	answer.status = 201;
	answer.header = "x-ms-snapshot";
	answer.body = NULL;
	for (i = 0; i < ARRAY_SIZE(times); i++) {
		answer.value = times[i];
		assert_int_equal(blob_snapshot(&blob, NULL, NULL, time, NULL,
					       &err), -EPROTO);
	}
	answer.value = "2026-11-22T18:05:08.1234567Z";
	assert_int_equal(blob_snapshot(&blob, NULL, NULL, time, NULL, &err), 0);
	assert_string_equal(time, answer.value);
}

static unsigned int broken_for(const char *value)
{
	unsigned int seconds = 7;

	answer.status = 202;
	answer.header = "x-ms-lease-time";
	answer.value = value;
	answer.body = NULL;
	assert_int_equal(lease_break(&blob, 0, &seconds, &err), 0);
	return seconds;
}

static void waits_are_not_cut_short(void **state)
{
	(void)state;
	assert_int_equal(broken_for("12"), 12);
	assert_int_equal(broken_for("4294967296"), UINT_MAX);
	assert_int_equal(broken_for("soon"), 0);
	answer.status = 503;
	answer.header = "Retry-After";
	answer.value = "4294967296";
	assert_int_equal(lease_break(&blob, 0, NULL, &err), -EAGAIN);
	assert_int_equal(err.retry_after_s, UINT_MAX);
	answer.value = "-1";
	assert_int_equal(lease_break(&blob, 0, NULL, &err), -EAGAIN);
	assert_int_equal(err.retry_after_s, 0);
}

static void times_are_times(void **state)
{
	time_t modified = 1;
	size_t len;
	char *text;

	(void)state;
	answer.status = 200;
	answer.header = "Last-Modified";
	answer.value = "yesterday";
	answer.body = "{}";
	assert_int_equal(blockblob_get(&blob, 9, &text, &len, NULL, &modified,
				       &err), 0);
	assert_int_equal(modified, 0);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_are_told),
		cmocka_unit_test(ranges_are_of_what_was_asked_for),
		cmocka_unit_test(no_range_becomes_a_hole),
		cmocka_unit_test(sizes_are_pages),
		cmocka_unit_test(lists_are_lists),
		cmocka_unit_test(names_have_the_prefix_asked_for),
		cmocka_unit_test(lists_end),
		cmocka_unit_test(snapshots_have_times),
		cmocka_unit_test(waits_are_not_cut_short),
		cmocka_unit_test(times_are_times),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
