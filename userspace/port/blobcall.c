// SPDX-License-Identifier: MIT
#include "port/blobcall.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "port/bloberror.h"
#include "port/checksum.h"
#include "port/blobsign.h"
#include "port/crypto.h"
#include "port/refusal.h"

/* The first version that lists page ranges in pages. */
#define API_VERSION "2020-10-02"
/* How often a request is sent again with another token, each time it is refused. */
#define RENEWALS 3

struct blobservice {
	char *endpoint;
	struct blobsign sign;
	const char *version;
	struct checksums checksums;
	struct http_config config;
	struct http *http;
	struct blob_counters counters;
	time_t time;
	int64_t skew_s;
};

int blobservice_new(const char *endpoint, const struct azauth *auth,
		    const struct http_config *http, struct blobservice **ret)
{
	struct blobservice *service;
	const char *host = strstr(endpoint, "://");
	size_t len = strlen(endpoint);
	int r;

	if (!host || !host[3] || strpbrk(endpoint, "?#"))
		return -EINVAL;
	while (len && endpoint[len - 1] == '/')
		len--;
	service = calloc(1, sizeof(*service));
	if (!service)
		return -ENOMEM;
	service->version = API_VERSION;
	if (http)
		service->config = *http;
	service->endpoint = strndup(endpoint, len);
	r = service->endpoint ? http_new(http, &service->http) : -ENOMEM;
	if (r) {
		blobservice_free(service);
		return r;
	}
	host = strstr(service->endpoint, "://") + 3;
	service->sign = (struct blobsign){
		.auth = auth,
		.endpoint = service->endpoint,
		.path_at = (size_t)(host - service->endpoint) +
			   strcspn(host, "/"),
		.cancelled = service->config.cancelled,
		.cancelled_arg = service->config.cancelled_arg,
	};
	*ret = service;
	return 0;
}

int blobservice_clone_with(const struct blobservice *service,
			   const struct http_config *config,
			   struct blobservice **ret)
{
	int r = blobservice_new(service->endpoint, service->sign.auth,
				config, ret);

	if (!r) {
		(*ret)->version = service->version;
		(*ret)->checksums = service->checksums;
	}
	return r;
}

int blobservice_clone(const struct blobservice *service,
		      struct blobservice **ret)
{
	return blobservice_clone_with(service, &service->config, ret);
}

int blobservice_clone_deaf(const struct blobservice *service,
			   struct blobservice **ret)
{
	struct http_config config = service->config;

	config.cancelled = NULL;
	config.cancelled_arg = NULL;
	return blobservice_clone_with(service, &config, ret);
}

struct http_config blobservice_http(const struct blobservice *service)
{
	return service->config;
}

void blobservice_set_checksum(struct blobservice *service,
			      enum blob_checksum kind)
{
	service->checksums = (struct checksums){ .sent = kind, .range = kind };
}

struct checksums *blobservice_checksums(struct blobservice *service)
{
	return &service->checksums;
}

void blobservice_set_version(struct blobservice *service, const char *version)
{
	service->version = version;
}

void blobservice_free(struct blobservice *service)
{
	if (!service)
		return;
	http_free(service->http);
	free(service->endpoint);
	free(service);
}

const struct blob_counters *
blobservice_counters(const struct blobservice *service)
{
	return &service->counters;
}

time_t blobservice_time(const struct blobservice *service)
{
	return service->time;
}

int64_t blobservice_skew(const struct blobservice *service)
{
	return service->skew_s;
}

void blobservice_peer(const struct blobservice *service, struct http_peer *ret)
{
	http_peer(service->http, ret);
}

void blobcall_init(struct blobcall *call, struct blobservice *service,
		   const char *method, const char *container, const char *name)
{
	*call = (struct blobcall){
		.service = service,
		.method = method,
		.container = container,
		.name = name,
		.expect = 200,
	};
}

void blobcall_init_blob(struct blobcall *call, const struct blob *blob,
			const char *method, unsigned int expect)
{
	blobcall_init(call, blob->service, method, blob->container, blob->name);
	call->expect = expect;
	if (blob->snapshot)
		blobcall_query(call, "snapshot", blob->snapshot);
}

void blobcall_init_keyed(struct blobcall *call, const struct blob *blob,
			 const char *method, unsigned int expect)
{
	blobcall_init_blob(call, blob, method, expect);
	if (!blob->key)
		return;
	blobcall_header(call, "x-ms-encryption-key", blob->key->key);
	blobcall_header(call, "x-ms-encryption-key-sha256", blob->key->sha256);
	blobcall_header(call, "x-ms-encryption-algorithm", "AES256");
}

void blobcall_done(struct blobcall *call)
{
	fields_done(&call->query);
	fields_done(&call->headers);
	http_reply_done(&call->reply);
}

static void keep(struct blobcall *call, int r)
{
	if (!call->r)
		call->r = r;
}

void blobcall_query(struct blobcall *call, const char *name, const char *value)
{
	keep(call, fields_add(&call->query, name, value));
}

void blobcall_header(struct blobcall *call, const char *name,
		     const char *value)
{
	keep(call, fields_add(&call->headers, name, value));
}

void blobcall_header_u64(struct blobcall *call, const char *name,
			 uint64_t value)
{
	keep(call, fields_addf(&call->headers, name, "%" PRIu64, value));
}

void blobcall_range(struct blobcall *call, const char *name, uint64_t off,
		    uint64_t len)
{
	if (!len || off + len < off)
		keep(call, -EINVAL);
	else
		keep(call, fields_addf(&call->headers, name,
				       "bytes=%" PRIu64 "-%" PRIu64, off,
				       off + len - 1));
}

void blobcall_cond(struct blobcall *call, const struct blob_cond *cond)
{
	if (!cond)
		return;
	if (cond->if_sequence_eq)
		keep(call, -EINVAL);
	if (cond->lease_id)
		blobcall_header(call, "x-ms-lease-id", cond->lease_id);
	if (cond->if_match)
		blobcall_header(call, "If-Match", cond->if_match);
	if (cond->if_none_match)
		blobcall_header(call, "If-None-Match", cond->if_none_match);
}

void blobcall_metadata(struct blobcall *call, const struct fields *metadata)
{
	size_t i;
	char *name;

	for (i = 0; metadata && i < metadata->count; i++) {
		if (asprintf(&name, "x-ms-meta-%s",
			     metadata->item[i].name) < 0) {
			keep(call, -ENOMEM);
			return;
		}
		blobcall_header(call, name, metadata->item[i].value);
		free(name);
	}
}

void blobcall_body(struct blobcall *call, const void *data, size_t len,
		   const unsigned char *md5)
{
	unsigned char own[CRYPTO_MD5_SIZE];
	char *text;

	call->body = data;
	call->body_len = len;
	if (!md5) {
		keep(call, crypto_md5(data, len, own));
		md5 = own;
	}
	text = crypto_base64(md5, CRYPTO_MD5_SIZE);
	if (text)
		blobcall_header(call, "Content-MD5", text);
	else
		keep(call, -ENOMEM);
	free(text);
}

static void add_own_headers(struct blobcall *call)
{
	char date[64], id[CRYPTO_UUID_SIZE];
	time_t now = time(NULL);
	struct tm tm;

	/* Not the server's clock: it is what the server compares with. */
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT",
		 gmtime_r(&now, &tm));
	blobcall_header(call, "x-ms-date", date);
	blobcall_header(call, "x-ms-version", call->service->version);
	blobcall_header(call, "User-Agent", "tidemark/" TIDEMARK_VERSION);
	if (crypto_uuid(id))
		keep(call, -EIO);
	else
		blobcall_header(call, "x-ms-client-request-id", id);
}

static void count(struct blobservice *service, const struct blobcall *call)
{
	const char *length = fields_get(&call->reply.headers, "Content-Length");

	service->counters.requests++;
	if (call->reply.sent)
		service->counters.bytes_sent += call->body_len;
	if (call->reply.status && length && strcmp(call->method, "HEAD"))
		service->counters.bytes_received += strtoull(length, NULL, 10);
	else
		service->counters.bytes_received += call->reply.body_len;
	if (call->reply.date) {
		service->time = call->reply.date;
		service->skew_s = time(NULL) - call->reply.date;
	}
}

static void explain(const struct blobcall *call, struct blob_error *e)
{
	char detail[128];
	const struct refusal what = {
		.detail = detail,
		.auth = call->service->sign.auth,
		.method = call->method,
		.container = call->container,
		.name = call->name,
		.query = &call->query,
		.https = blobsign_https(&call->service->sign),
		.server = call->reply.date,
		.skew_s = call->reply.date ? call->service->skew_s : 0,
	};

	bloberror_element(&call->reply, "AuthenticationErrorDetail", detail,
			  sizeof(detail));
	refusal_explain(&what, e);
}

/* Makes call->request, whose URL is a secret; spent() lets go of it. */
static int make_request(struct blobcall *call, struct blob_error *e)
{
	char *url = NULL;
	int r;

	if (call->r)
		return bloberror_local(call->r, e);
	r = blobsign(&call->service->sign, call, &url, e);
	if (r)
		return r;
	http_reply_done(&call->reply);
	call->request = (struct http_request){
		.method = call->method,
		.url = url,
		.headers = &call->headers,
		.body = call->body,
		.body_len = call->body_len,
		.sink = call->sink,
		.sink_arg = call->sink_arg,
		.body_max = call->body_max,
	};
	return 0;
}

static int spent(struct blobcall *call, int r, struct blob_error *e)
{
	secret_free((char *)call->request.url);
	call->request.url = NULL;
	count(call->service, call);
	if (!r && call->reply.status == call->expect)
		return 0;
	r = bloberror_from_reply(r, &call->reply, e);
	explain(call, e);
	return r;
}

static int send_once(struct blobcall *call, struct blob_error *e)
{
	int r = make_request(call, e);

	if (r)
		return r;
	r = http_perform(call->service->http, &call->request, &call->reply);
	return spent(call, r, e);
}

int blobcall_url(struct blobcall *call, char **ret, struct blob_error *reterr)
{
	struct blob_error e = { 0 };
	int r;

	add_own_headers(call);
	r = call->r ? bloberror_local(call->r, &e) :
		      blobsign(&call->service->sign, call, ret, &e);
	if (r && reterr)
		*reterr = e;
	return r;
}

/*
 * After a refusal: 1 if there is another token to be sent with, 0 if not, else
 * -errno, and @e says why none is to be had.
 */
static int renew(struct blobcall *call, struct blob_error *e)
{
	int r = 0;

	if (call->renewals < RENEWALS)
		r = blobsign_renew(&call->service->sign, call, e);
	if (r > 0)
		call->renewals++;
	return r;
}

int blobcall_perform(struct blobcall *call, struct blob_error *reterr)
{
	struct blob_error e = { 0 };
	int r, renewed;

	add_own_headers(call);
	call->renewals = 0;
	do {
		r = send_once(call, &e);
		renewed = r ? renew(call, &e) : 0;
	} while (renewed > 0);
	if (renewed)
		r = renewed;
	if (r && reterr)
		*reterr = e;
	return r;
}

static void on_reply(void *arg, int r);

static void start_once(struct blobcall *call)
{
	struct blob_error e = { 0 };
	int r = make_request(call, &e);

	if (!r) {
		r = httpset_start(call->set, &call->request, &call->reply,
				  on_reply, call);
		if (!r)
			return;
		secret_free((char *)call->request.url);
		call->request.url = NULL;
		bloberror_local(r, &e);
	}
	call->ended(call, r, &e);
}

static void on_reply(void *arg, int r)
{
	struct blobcall *call = arg;
	struct blob_error e = { 0 };
	int renewed = 0;

	r = spent(call, r, &e);
	if (r)
		renewed = renew(call, &e);
	if (renewed > 0) {
		start_once(call);
		return;
	}
	call->ended(call, renewed ? renewed : r, &e);
}

void blobcall_start(struct blobcall *call, struct httpset *set,
		    blobcall_done_fn ended, void *arg)
{
	add_own_headers(call);
	call->set = set;
	call->ended = ended;
	call->arg = arg;
	call->renewals = 0;
	start_once(call);
}

int blobcall_reply_u64(const struct blobcall *call, const char *name,
		       uint64_t *ret)
{
	const char *text = fields_get(&call->reply.headers, name);
	char *end;

	if (!text || !isdigit((unsigned char)*text))
		return -EPROTO;
	errno = 0;
	*ret = strtoull(text, &end, 10);
	return errno || *end ? -EPROTO : 0;
}

void blobcall_etag(const struct blobcall *call, char *ret)
{
	const char *etag = fields_get(&call->reply.headers, "ETag");

	if (ret)
		snprintf(ret, BLOB_ETAG_SIZE, "%s", etag ? etag : "");
}

void blobcall_written(const struct blobcall *call, struct blob_written *ret)
{
	if (!ret)
		return;
	*ret = (struct blob_written){ 0 };
	blobcall_etag(call, ret->etag);
	ret->versioned = fields_get(&call->reply.headers, "x-ms-version-id");
	blobcall_reply_u64(call, "x-ms-blob-sequence-number", &ret->sequence);
}
