// SPDX-License-Identifier: MIT
/*
 * fuzz_http - what port/http.c makes, with the libcurl that it is used with, of
 * whatever comes back over a connection
 *
 * The first byte of an input says what is requested, and how often, the rest is
 * what the peer sends; between two replies stands RS. At the end it is said how many replies there were, by class.
 */
#include <errno.h>

#include "feed.h"
#include "port/http.h"
#include "port/reach.h"
#include "wire.h"

#define BODY_MAX 512
#define RS	 0x1e

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const classes[] = { "none", "1xx", "2xx", "3xx",
				       "4xx",  "5xx", "others" };
static unsigned long runs, replies[sizeof(classes) / sizeof(*classes)];
static struct fields headers;

static void say(void)
{
	size_t i;

	fprintf(stderr, "fuzz: %lu executions\n", runs);
	fprintf(stderr, "fuzz: %lu without a reply\n", replies[0]);
	for (i = 2; i < sizeof(classes) / sizeof(*classes); i++)
		fprintf(stderr, "fuzz: %lu accepted: %s\n", replies[i],
			classes[i]);
	fields_done(&headers);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	must(!fields_add(&headers, "x-ms-date", "today") &&
		     !fields_add(&headers, "x-empty", ""),
	     "there is memory");
	return atexit(say);
}

/* Where a body goes that is not to be kept. */
struct sink {
	size_t len;
	bool refuses; /* after the first piece */
};

static int take(void *arg, const void *data, size_t len)
{
	struct sink *sink = arg;
	volatile char last = len ? ((const char *)data)[len - 1] : 0;

	(void)last;
	if (sink->refuses && sink->len)
		return -ENOSPC;
	sink->len += len;
	return 0;
}

static bool known(int r)
{
	static const int errors[] = { EHOSTUNREACH, ETIMEDOUT, ECONNRESET,
				      EFBIG,	    EPROTO,    ENOSPC };
	size_t i;

	for (i = 0; i < sizeof(errors) / sizeof(*errors); i++)
		if (r == -errors[i])
			return true;
	return !r;
}

static void check_reply(int r, const struct http_reply *reply,
			const struct http_request *request)
{
	const struct sink *sink = request->sink_arg;
	size_t i;

	must(known(r), "an error is one that is told of");
	must(memchr(reply->cause, '\0', sizeof(reply->cause)) &&
		     (!r || *reply->cause || r == -ENOSPC || r == -EFBIG),
	     "an error has a cause");
	must(r ? !reply->status : reply->status >= 100,
	     "there is a status, or an error");
	must(reply->date >= 0, "a time is one");
	for (i = 0; i < reply->headers.count; i++) {
		const struct field *f = &reply->headers.item[i];

		must(!strpbrk(f->name, ":\r\n") &&
			     !strpbrk(f->value, "\r\n"),
		     "a header is one line");
		must(!strchr(" \t", *f->value) || !*f->value,
		     "no blanks before a value");
	}
	must(reply->headers.count <= 200, "headers are not too many");
	must(reply->body_len <= BODY_MAX &&
		     (!reply->body_len || !reply->body[reply->body_len]),
	     "a body is as long as it may be, and ends");
	if (!r && strcmp(request->method, "HEAD") &&
	    reply->status / 100 == 2 && request->sink)
		must(!reply->body, "a body is in one place");
	if (!r && reply->status / 100 != 2 && request->sink)
		must(!sink->len, "only what was asked for goes to the sink");
}

/* What changes something is sent once, whatever comes back. */
static void check_sent(const struct http_request *request)
{
	size_t len, i, times = 0, n = strlen(request->method);
	const char *sent = wire_sent(&len);

	for (i = 0; i + n + 2 < len; i++)
		if ((!i || sent[i - 1] == '\n') &&
		    !memcmp(sent + i, request->method, n) &&
		    sent[i + n] == ' ')
			times++;
	if (strcmp(request->method, "GET") && strcmp(request->method, "HEAD"))
		must(times <= 1, "what changes something is sent once");
}

static void check_reach(struct feed *f)
{
	char *text = feed_text(f);

	must(reach_of_url(text) <= REACH_ANYWHERE, "an address has a reach");
	free(text);
}

static void perform(struct http *http, unsigned int which, struct feed f)
{
	static const char *const methods[] = { "GET", "HEAD", "PUT", "POST",
					       "DELETE", "GET", "GET" };
	struct sink sink = { .refuses = which == 6 };
	struct http_request request = {
		.method = methods[which], .headers = &headers,
		.url = "http://127.0.0.1:9/c/b?comp=x", .body_max = BODY_MAX,
	};
	struct http_reply reply;
	unsigned int class;
	int r;

	if (which == 2) {
		request.body = "body";
		request.body_len = 4;
	}
	if (which >= 5) {
		request.sink = take;
		request.sink_arg = &sink;
	}
	wire_begin(f.at, f.left);
	r = http_perform(http, &request, &reply);
	check_reply(r, &reply, &request);
	check_sent(&request);
	class = reply.status / 100;
	replies[class < 6 ? class : 6]++;
	http_reply_done(&reply);
}

/* What comes before RS is a reply of its own, and what is left another. */
static struct feed cut_reply(struct feed *f)
{
	const uint8_t *end = f->left ? memchr(f->at, RS, f->left) : NULL;
	struct feed first = *f;

	if (!end)
		return first;
	first.left = (size_t)(end - f->at);
	f->at += first.left + 1;
	f->left -= first.left + 1;
	return first;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct http_config config = { .connect_timeout_s = 5,
						   .timeout_s = 5 };
	struct feed f = { .at = data, .left = size };
	unsigned int which = (uint8_t)(feed_byte(&f) - 'a') % 16;
	struct http *http;

	runs++;
	if (which % 8 == 7) {
		check_reach(&f);
		return 0;
	}
	must(!http_new(&config, &http), "there is memory");
	/* What the first reply leaves behind the second one may find. */
	if (which & 8)
		perform(http, which % 8, cut_reply(&f));
	perform(http, which % 8, f);
	http_free(http);
	return 0;
}
