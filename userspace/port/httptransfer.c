// SPDX-License-Identifier: MIT
/* httptransfer.c - a request while libcurl has it: its beginning and its end */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "port/crypto.h"
#include "port/httptransfer.h"
#include "port/reach.h"

#define BODY_MAX (16u << 20)

/* libcurl's, each way. The fuzzer takes less: its replies are short. */
#ifndef HTTP_BUFFER
#define HTTP_BUFFER (512L << 10)
#endif

static bool allowed(const struct http *http, const char *url)
{
	if (!strncasecmp(url, "https://", 8))
		return true;
	if (strncasecmp(url, "http://", 7))
		return false;
	return reach_of_url(url) <=
	       (http->config.allow_plain ? REACH_PRIVATE : REACH_LOOPBACK);
}

/* The Authorization header is among them. */
static void wipe_list(struct curl_slist *list)
{
	struct curl_slist *l;

	for (l = list; l; l = l->next)
		secret_wipe(l->data, strlen(l->data));
	curl_slist_free_all(list);
}

static int add_line(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*list, line);

	if (!longer)
		return -ENOMEM;
	*list = longer;
	return 0;
}

/* In libcurl's notation a header without a value ends in a semicolon. */
static int add_header(struct curl_slist **list, const struct field *f)
{
	char *line;
	int r;

	if (strpbrk(f->value, "\r\n"))
		return -EINVAL;
	r = *f->value ? asprintf(&line, "%s: %s", f->name, f->value) :
			asprintf(&line, "%s;", f->name);
	if (r < 0)
		return -ENOMEM;
	r = add_line(list, line);
	secret_free(line);
	return r;
}

static int header_list(const struct fields *headers, struct curl_slist **ret)
{
	struct curl_slist *list = NULL;
	size_t i;
	int r = 0;

	for (i = 0; headers && i < headers->count && !r; i++)
		r = add_header(&list, &headers->item[i]);
	/* No second round trip before a body is sent, ... */
	if (!r)
		r = add_line(&list, "Expect:");
	/* ... and no type that libcurl would make up, unsigned. */
	if (!r && !(headers && fields_get(headers, "Content-Type")))
		r = add_line(&list, "Content-Type:");
	if (r)
		wipe_list(list);
	else
		*ret = list;
	return r;
}

static void set_method(CURL *c, const struct http_request *request)
{
	if (!strcmp(request->method, "HEAD")) {
		curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
		return;
	}
	/* PUT and POST always have a body, if an empty one. */
	if (request->body || !strcmp(request->method, "PUT") ||
	    !strcmp(request->method, "POST")) {
		curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE,
				 (curl_off_t)request->body_len);
		curl_easy_setopt(c, CURLOPT_POSTFIELDS,
				 request->body ? request->body : "");
	}
	curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, request->method);
}

static void set_limits(struct http *http)
{
	const struct http_config *config = &http->config;
	CURL *c = http->curl;

	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT,
			 (long)(config->connect_timeout_s ?: 20));
	curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)(config->timeout_s ?: 300));
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME,
			 (long)(config->stall_timeout_s ?: 60));
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_HTTP_VERSION,
			 (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(c, CURLOPT_UPLOAD_BUFFERSIZE, HTTP_BUFFER);
	curl_easy_setopt(c, CURLOPT_BUFFERSIZE, HTTP_BUFFER);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	if (config->ca_file)
		curl_easy_setopt(c, CURLOPT_CAINFO, config->ca_file);
	if (http->connect_to)
		curl_easy_setopt(c, CURLOPT_CONNECT_TO, http->connect_to);
}

/*
 * The proxy that was chosen, or none, whatever libcurl would find. Plain HTTP
 * goes through a tunnel as well: a proxy that understands a request may send it
 * again by itself, answer it in the service's place, and read what signs it.
 */
static void set_proxy(CURL *c, const struct http_config *config)
{
	const struct tm_proxy *proxy = config->proxy;

	curl_easy_setopt(c, CURLOPT_NOPROXY, "");
	curl_easy_setopt(c, CURLOPT_PROXY, proxy ? proxy->url : "");
	if (!proxy)
		return;
	curl_easy_setopt(c, CURLOPT_HTTPPROXYTUNNEL, 1L);
	curl_easy_setopt(c, CURLOPT_PROXYAUTH,
			 (long)(CURLAUTH_BASIC | CURLAUTH_DIGEST));
	if (*proxy->user) {
		curl_easy_setopt(c, CURLOPT_PROXYUSERNAME, proxy->user);
		curl_easy_setopt(c, CURLOPT_PROXYPASSWORD, proxy->password);
	}
	curl_easy_setopt(c, CURLOPT_PROXY_SSLVERSION,
			 (long)CURL_SSLVERSION_TLSv1_2);
	if (config->ca_file)
		curl_easy_setopt(c, CURLOPT_PROXY_CAINFO, config->ca_file);
}

int http_transfer_begin(struct http_transfer *t)
{
	const struct http_request *request = t->request;
	struct http *http = t->http;
	CURLcode code;
	CURL *c;
	int r;

	*t->reply = (struct http_reply){ 0 };
	t->body_max = request->body_max ? request->body_max : BODY_MAX;
	if (!allowed(http, request->url)) {
		snprintf(t->reply->cause, sizeof(t->reply->cause),
			 "plain HTTP is for local addresses only");
		return -EPERM;
	}
	r = header_list(request->headers, &t->headers);
	if (r)
		return r;
	c = http->curl = curl_easy_init();
	if (!c) {
		wipe_list(t->headers);
		return -ENOMEM;
	}
	curl_easy_setopt(c, CURLOPT_SHARE, http->kept);
	http->error[0] = '\0';
	set_limits(http);
	set_proxy(c, &http->config);
	http_transfer_listen(t);
	set_method(c, request);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, http->error);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, t->headers);
	code = curl_easy_setopt(c, CURLOPT_URL, request->url);
	return code ? http_transfer_end(t, code) : 0;
}

static int errno_of(CURLcode code)
{
	switch (code) {
	case CURLE_OK:
		return 0;
	case CURLE_URL_MALFORMAT:
		return -EINVAL;
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
		return -EHOSTUNREACH;
	case CURLE_OPERATION_TIMEDOUT:
		return -ETIMEDOUT;
	case CURLE_OUT_OF_MEMORY:
		return -ENOMEM;
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_CONNECT_ERROR:
		return -EKEYREJECTED;
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_WEIRD_SERVER_REPLY:
		return -EPROTO;
	default:	/* send, receive, empty or partial reply, and the rest */
		return -ECONNRESET;
	}
}

/* Whether any of the request can have been seen by the server. */
static bool may_have_been_sent(CURLcode code, const struct http_transfer *t)
{
	long size = 0;

	if (t->sends > 1)
		return true;
	curl_easy_getinfo(t->http->curl, CURLINFO_REQUEST_SIZE, &size);
	switch (errno_of(code)) {
	case -EINVAL:
	case -EHOSTUNREACH:
	case -EKEYREJECTED:
		return false;
	default:
		return size > 0 || t->moved;
	}
}

/* What the reply is, with libcurl's verdict. */
static int judge(struct http_transfer *t, CURLcode code)
{
	struct http_reply *reply = t->reply;
	const char *date = fields_get(&reply->headers, "Date");
	long status = 0;
	time_t when;

	if (code == CURLE_ABORTED_BY_CALLBACK && t->sends > 1) {
		snprintf(reply->cause, sizeof(reply->cause),
			 "the connection was closed without a reply");
		return t->r;
	}
	if (code && t->r && t->r != -ECANCELED) {
		/* libcurl only says that it was stopped. */
		snprintf(reply->cause, sizeof(reply->cause), "%s",
			 t->r == -EFBIG ? "the reply is longer than it may be" :
			 t->r == -EPROTO ? "the reply makes no sense" :
			 strerror(-t->r));
		return t->r;
	}
	if (code) {
		/* What libcurl says names hosts and ports, never headers. */
		snprintf(reply->cause, sizeof(reply->cause), "%s",
			 *t->http->error ? t->http->error :
					   curl_easy_strerror(code));
		return t->r ? t->r :
			      obstacle_find(t->http->curl, code,
					    errno_of(code), &t->http->config,
					    reply);
	}
	curl_easy_getinfo(t->http->curl, CURLINFO_RESPONSE_CODE, &status);
	/* libcurl takes a status line without a status, too. */
	if (status < 100) {
		snprintf(reply->cause, sizeof(reply->cause),
			 "the reply is not HTTP");
		return -EPROTO;
	}
	reply->status = (unsigned int)status;
	when = date ? curl_getdate(date, NULL) : -1;
	if (when > 0)
		reply->date = when;
	obstacle_in_reply(&t->http->config, reply);
	return 0;
}

/* Asked while there is a handle: who was spoken to last. */
static void note_peer(struct http *http)
{
	const char *address = NULL;
	long port = 0, tunnel = 0;

	curl_easy_getinfo(http->curl, CURLINFO_PRIMARY_IP, &address);
	curl_easy_getinfo(http->curl, CURLINFO_PRIMARY_PORT, &port);
	curl_easy_getinfo(http->curl, CURLINFO_HTTP_CONNECTCODE, &tunnel);
	http->peer = (struct http_peer){ .port = port, .proxied = tunnel };
	snprintf(http->peer.address, sizeof(http->peer.address), "%s",
		 address ? address : "");
}

int http_transfer_end(struct http_transfer *t, CURLcode code)
{
	struct http *http = t->http;
	int r;

	t->reply->sent = may_have_been_sent(code, t);
	r = judge(t, code);
	note_peer(http);
	curl_easy_cleanup(http->curl);
	http->curl = NULL;
	wipe_list(t->headers);
	t->headers = NULL;
	return r;
}
