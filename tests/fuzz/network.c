// SPDX-License-Identifier: MIT
#include "network.h"

#include <ctype.h>
#include <errno.h>
#include <strings.h>

#include <curl/curl.h>

#include "port/httpset.h"

#define HEADERS_MAX  200
#define BODY_MAX     (16u << 20)

struct http {
	struct http_config config;
};

struct network network;

void network_begin(const struct feed *replies, size_t piece)
{
	network = (struct network){ .replies = *replies, .piece = piece };
}

int http_new(const struct http_config *config, struct http **ret)
{
	*ret = calloc(1, sizeof(**ret));
	must(*ret, "there is memory");
	if (config)
		(*ret)->config = *config;
	return 0;
}

void http_free(struct http *http)
{
	free(http);
}

void http_reply_done(struct http_reply *reply)
{
	fields_done(&reply->headers);
	free(reply->body);
	*reply = (struct http_reply){ 0 };
}

/* What an answer has brought along must not get into a request as it is. */
static void check_request(const struct http_request *request)
{
	static const char *const methods[] = { "GET", "HEAD", "PUT", "POST",
					       "DELETE" };
	const char *s;
	size_t i, known = 0;

	for (i = 0; i < sizeof(methods) / sizeof(*methods); i++)
		known += !strcmp(request->method, methods[i]);
	must(known == 1, "a request has a method");
	for (s = request->url; *s; s++)
		must(*s > ' ' && *s < 0x7f, "an address is made of its signs");
	for (i = 0; request->headers && i < request->headers->count; i++) {
		const struct field *f = &request->headers->item[i];

		must(!strpbrk(f->name, ":\r\n") && !strpbrk(f->value, "\r\n"),
		     "a header is one line");
	}
	must(!request->body_len || request->body, "a body is there");
}

/* The next reply's bytes, without what ends it. */
static struct feed next_reply(void)
{
	struct feed *all = &network.replies, one = *all;
	const uint8_t *end = NULL;

	if (all->left)
		end = memchr(all->at, NETWORK_RS, all->left);
	if (end)
		one.left = (size_t)(end - all->at);
	all->at += one.left + (end ? 1 : 0);
	all->left -= one.left + (end ? 1 : 0);
	return one;
}

/* Up to the end of the line, which is taken too. Longer lines are cut. */
static bool take_line(struct feed *f, char *line, size_t size)
{
	const uint8_t *end = f->left ? memchr(f->at, '\n', f->left) : NULL;
	size_t len = end ? (size_t)(end - f->at) : f->left;
	size_t n = len < size ? len : size - 1;

	if (n)
		memcpy(line, f->at, n);
	line[n] = '\0';
	f->at += len + (end ? 1 : 0);
	f->left -= len + (end ? 1 : 0);
	return len;
}

/* As port/httpreply.c takes it: no blanks around a value. */
static int take_header(struct fields *headers, char *line)
{
	char *colon = strchr(line, ':'), *value, *end;

	if (!colon || headers->count >= HEADERS_MAX)
		return 0;
	*colon = '\0';
	value = colon + 1 + strspn(colon + 1, " \t");
	for (end = value + strlen(value); end > value; end--)
		if (!strchr(" \t\r", end[-1]))
			break;
	*end = '\0';
	return fields_add(headers, line, value);
}

static int give_body(const struct http_request *request,
		     struct http_reply *reply, struct feed *f)
{
	size_t max = request->body_max ? request->body_max : BODY_MAX, n;
	bool sink = request->sink && reply->status / 100 == 2;
	uint8_t *piece;
	int r = 0;

	if (!strcmp(request->method, "HEAD"))
		return 0;
	while (sink && f->left && !r) {
		n = f->left < network.piece ? f->left : network.piece;
		piece = malloc(n);
		must(piece, "there is memory");
		memcpy(piece, f->at, n);
		r = request->sink(request->sink_arg, piece, n);
		free(piece);
		f->at += n;
		f->left -= n;
	}
	if (sink || !f->left)
		return r;
	if (f->left > max)
		return -EFBIG;
	reply->body_len = f->left;
	reply->body = feed_text(f);
	return 0;
}

static int no_reply(struct http_reply *reply, unsigned int which)
{
	static const int errors[] = {
		-EPERM,	     -EHOSTUNREACH, -ETIMEDOUT, -ECONNRESET,
		-EKEYREJECTED, -ECANCELED,  -EPROTO,
	};

	reply->sent = which & 8;
	if (which & 16)
		strcpy(reply->cause, "the \x1b[7mcertificate\xff of \xc3");
	return errors[which % (sizeof(errors) / sizeof(*errors))];
}

int http_perform(struct http *http, const struct http_request *request,
		 struct http_reply *reply)
{
	struct feed f = next_reply();
	char line[4096];
	const char *date;
	int r = 0;

	(void)http;
	network.requests++;
	check_request(request);
	*reply = (struct http_reply){ 0 };
	network.status = 0;
	take_line(&f, line, sizeof(line));
	if (*line == '!' || !isdigit((unsigned char)*line))
		return no_reply(reply, *line ? (uint8_t)line[1] : 2);
	reply->status = (unsigned int)(strtoul(line, NULL, 10) % 1000);
	if (reply->status < 200)
		reply->status += 200;
	reply->sent = true;
	while (!r && take_line(&f, line, sizeof(line)))
		r = take_header(&reply->headers, line);
	must(!r, "there is memory");
	date = fields_get(&reply->headers, "Date");
	reply->date = date ? curl_getdate(date, NULL) : 0;
	if (reply->date < 0)
		reply->date = 0;
	network.body = f.at;
	network.body_len = f.left;
	r = give_body(request, reply, &f);
	/* What stopped a body has no status, as with a transfer that fails. */
	if (r)
		reply->status = 0;
	network.status = reply->status;
	return r;
}

/* Started requests are over at once. */
int httpset_start(struct httpset *set, const struct http_request *request,
		  struct http_reply *reply, httpset_done_fn done, void *arg)
{
	(void)set;
	done(arg, http_perform(NULL, request, reply));
	return 0;
}

void http_peer(const struct http *http, struct http_peer *ret)
{
	(void)http;
	*ret = (struct http_peer){ .port = 443 };
}
