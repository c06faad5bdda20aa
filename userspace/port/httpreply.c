// SPDX-License-Identifier: MIT
/* httpreply.c - a reply as it comes, and what may end it (httptransfer.h) */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "port/httptransfer.h"

#define HEADERS_MAX 200u	/* of a reply: none that is sane has more */

static int take_header(struct http_transfer *t, const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len), *value;
	char *name = NULL, *copy = NULL;
	int r = -ENOMEM;

	if (!colon)
		return 0;
	value = colon + 1;
	len -= (size_t)(value - line);
	while (len && (*value == ' ' || *value == '\t')) {
		value++;
		len--;
	}
	while (len && strchr(" \t\r\n", value[len - 1]))
		len--;
	/* RFC 9112, 2.2: a CR elsewhere than at a line's end is invalid. */
	if (t->reply->headers.count >= HEADERS_MAX ||
	    memchr(line, '\r', (size_t)(value - line) + len))
		return -EPROTO;
	name = strndup(line, (size_t)(colon - line));
	copy = strndup(value, len);
	if (name && copy)
		r = fields_add(&t->reply->headers, name, copy);
	free(name);
	free(copy);
	return r;
}

static size_t on_header(char *data, size_t size, size_t n, void *arg)
{
	struct http_transfer *t = arg;
	size_t len = size * n;

	/* Each reply begins anew: 100 Continue comes before the real one. */
	if (len >= 5 && !strncmp(data, "HTTP/", 5))
		fields_done(&t->reply->headers);
	else
		t->r = take_header(t, data, len);
	return t->r ? 0 : len;
}

static int append_body(struct http_transfer *t, const void *data, size_t len)
{
	struct http_reply *reply = t->reply;
	char *body;

	if (len > t->body_max - reply->body_len)
		return -EFBIG;
	body = realloc(reply->body, reply->body_len + len + 1);
	if (!body)
		return -ENOMEM;
	memcpy(body + reply->body_len, data, len);
	reply->body = body;
	reply->body_len += len;
	body[reply->body_len] = '\0';
	return 0;
}

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
	struct http_transfer *t = arg;
	size_t len = size * n;
	long status = 0;

	curl_easy_getinfo(t->http->curl, CURLINFO_RESPONSE_CODE, &status);
	if (t->request->sink && status >= 200 && status < 300)
		t->r = t->request->sink(t->request->sink_arg, data, len);
	else
		t->r = append_body(t, data, len);
	return t->r ? 0 : len;
}

/* libcurl asks about once a second, and whenever something has moved. */
static int on_progress(void *arg, curl_off_t dltotal, curl_off_t dlnow,
		       curl_off_t ultotal, curl_off_t ulnow)
{
	struct http_transfer *t = arg;
	const struct http_config *config = &t->http->config;

	(void)dltotal;
	(void)ultotal;
	if (dlnow || ulnow)
		t->moved = true;
	t->reply->moved = (uint64_t)dlnow + (uint64_t)ulnow;
	if (!config->cancelled || !config->cancelled(config->cancelled_arg))
		return 0;
	t->r = -ECANCELED;
	return 1;
}

static bool is_read(const struct http_request *request)
{
	return !strcmp(request->method, "GET") ||
	       !strcmp(request->method, "HEAD");
}

/*
 * libcurl sends a request again, unasked, when a kept connection turns out to
 * be dead, though the first may have been heard. What changes something is
 * sent again only by those who know what that means.
 */
static int on_send(void *arg, char *primary_ip, char *local_ip,
		   int primary_port, int local_port)
{
	struct http_transfer *t = arg;

	(void)primary_ip;
	(void)local_ip;
	(void)primary_port;
	(void)local_port;
	if (!t->sends++ || is_read(t->request))
		return CURL_PREREQFUNC_OK;
	t->r = -ECONNRESET;
	return CURL_PREREQFUNC_ABORT;
}

void http_transfer_listen(struct http_transfer *t)
{
	CURL *c = t->http->curl;

	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, t);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(c, CURLOPT_XFERINFODATA, t);
	curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(c, CURLOPT_PREREQFUNCTION, on_send);
	curl_easy_setopt(c, CURLOPT_PREREQDATA, t);
}
