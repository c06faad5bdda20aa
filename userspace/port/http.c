// SPDX-License-Identifier: MIT
#include "port/http.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <curl/curl.h>

#include "port/crypto.h"
#include "port/httptransfer.h"
#include "port/reach.h"

#define BODY_MAX (16u << 20)
#define HEADERS_MAX 200u	/* of a reply: none that is sane has more */

/* libcurl's, each way. The fuzzer takes less: its replies are short. */
#ifndef HTTP_BUFFER
#define HTTP_BUFFER (512L << 10)
#endif

static int global_init_result;

/* The only state of the process that libcurl needs; it is never taken down. */
static void global_init(void)
{
	global_init_result = curl_global_init(CURL_GLOBAL_DEFAULT) ? -ENOMEM :
								     0;
}

CURLSH *http_keep(bool connections)
{
	CURLSH *kept = curl_share_init();

	if (kept &&
	    !curl_share_setopt(kept, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS) &&
	    !curl_share_setopt(kept, CURLSHOPT_SHARE,
			       CURL_LOCK_DATA_SSL_SESSION) &&
	    (!connections || !curl_share_setopt(kept, CURLSHOPT_SHARE,
						CURL_LOCK_DATA_CONNECT)))
		return kept;
	curl_share_cleanup(kept);
	return NULL;
}

int http_new_keeping(const struct http_config *config, CURLSH *kept,
		     struct http **ret)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct http *http;

	pthread_once(&once, global_init);
	if (global_init_result)
		return global_init_result;
	if (config && config->ca_file && access(config->ca_file, R_OK))
		return -EINVAL;
	http = calloc(1, sizeof(*http));
	if (!http)
		return -ENOMEM;
	if (config)
		http->config = *config;
	http->borrowed = kept;
	http->kept = kept ? kept : http_keep(true);
	if (!http->kept)
		goto err_free;
	if (http->config.connect_to) {
		http->connect_to = curl_slist_append(NULL,
						     http->config.connect_to);
		if (!http->connect_to)
			goto err_free;
	}
	*ret = http;
	return 0;

err_free:
	http_free(http);
	return -ENOMEM;
}

int http_new(const struct http_config *config, struct http **ret)
{
	return http_new_keeping(config, NULL, ret);
}

void http_free(struct http *http)
{
	if (!http)
		return;
	if (!http->borrowed)
		curl_share_cleanup(http->kept);
	curl_slist_free_all(http->connect_to);
	free(http);
}

void http_reply_done(struct http_reply *reply)
{
	fields_done(&reply->headers);
	free(reply->body);
	*reply = (struct http_reply){ 0 };
}

void http_peer(const struct http *http, struct http_peer *ret)
{
	*ret = http->peer;
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

static bool allowed(const struct http *http, const char *url)
{
	if (!strncasecmp(url, "https://", 8))
		return true;
	if (strncasecmp(url, "http://", 7))
		return false;
	return reach_of_url(url) <=
	       (http->config.allow_plain ? REACH_PRIVATE : REACH_LOOPBACK);
}

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

static void set_callbacks(CURL *c, struct http_transfer *t)
{
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
	set_callbacks(c, t);
	set_method(c, request);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, http->error);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, t->headers);
	code = curl_easy_setopt(c, CURLOPT_URL, request->url);
	return code ? http_transfer_end(t, code) : 0;
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

int http_perform(struct http *http, const struct http_request *request,
		 struct http_reply *reply)
{
	struct http_transfer t = {
		.http = http, .request = request, .reply = reply,
	};
	int r = http_transfer_begin(&t);

	return r ? r : http_transfer_end(&t, curl_easy_perform(http->curl));
}
