// SPDX-License-Identifier: MIT
/*
 * sink_blob.c - a restored disk as a page blob, or in a managed disk
 *
 * Several threads write at once, each over a connection of its own. A managed
 * disk is a page blob that is there already, that nobody can make, and that
 * takes neither metadata nor checksums.
 */

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "engine/blame.h"
#include "engine/blobsink.h"
#include "engine/flights.h"
#include "port/pageblob.h"

/* On a blob that is not whole yet. */
#define UNFINISHED "tidemark_unfinished"

/* What a request goes over, and how it is tried again. */
struct lane {
	struct blobservice *service;
	struct retry_policy policy;
	uint64_t retries;
	struct lane *next;
};

static struct sink_blob *blob_of(struct sink *s)
{
	return (struct sink_blob *)s;
}

struct blob blob_sink_at(const struct sink_blob *b, struct blobservice *service)
{
	return (struct blob){
		.service = service, .container = b->url.address.container,
		.name = b->url.name,
	};
}

static int no_memory(const struct sink *s, struct tm_error *err)
{
	return tm_error_set(err, -ENOMEM, TM_EXIT_FAILED, s->name,
			    "cannot restore to '%s': out of memory", s->name);
}

static struct lane *take_lane(struct sink_blob *b)
{
	struct http_config http = flights_http(&b->way);
	struct lane *lane;

	pthread_mutex_lock(&b->lock);
	lane = b->idle;
	if (lane)
		b->idle = lane->next;
	pthread_mutex_unlock(&b->lock);
	if (lane)
		return lane;
	lane = calloc(1, sizeof(*lane));
	if (!lane)
		return NULL;
	lane->policy = b->way.policy;
	lane->policy.retries = &lane->retries;
	if (!blobservice_clone_with(b->way.service, &http, &lane->service))
		return lane;
	free(lane);
	return NULL;
}

static void give_back(struct sink_blob *b, struct lane *lane)
{
	pthread_mutex_lock(&b->lock);
	lane->next = b->idle;
	b->idle = lane;
	pthread_mutex_unlock(&b->lock);
}

static int blob_write(struct sink *s, uint64_t off, const void *data,
		      uint64_t len, struct tm_error *err)
{
	struct sink_blob *b = blob_of(s);
	struct lane *lane = take_lane(b);
	struct blob_error be = { 0 };
	struct retry retry;
	struct blob blob;
	int r = 0;

	if (!lane)
		return no_memory(s, err);
	blob = blob_sink_at(b, lane->service);
	while (len && !r) {
		size_t n = len < PAGEBLOB_PUT_MAX ? len : PAGEBLOB_PUT_MAX;

		retry_init(&retry, &lane->policy);
		do {
			r = pageblob_put(&blob, NULL, off, data, n, NULL, &be);
		} while (retry_again(&retry, r, &be));
		data = (const char *)data + n;
		off += n;
		len -= n;
	}
	give_back(b, lane);
	return r ? blame(err, r, &be, "write", s->name) : 0;
}

static int blob_zero(struct sink *s, uint64_t off, uint64_t len,
		     struct tm_error *err)
{
	struct sink_blob *b = blob_of(s);
	struct lane *lane = take_lane(b);
	struct blob_error be = { 0 };
	struct retry retry;
	struct blob blob;
	int r;

	if (!lane)
		return no_memory(s, err);
	blob = blob_sink_at(b, lane->service);
	retry_init(&retry, &lane->policy);
	do {
		r = pageblob_clear(&blob, NULL, off, len, NULL, &be);
	} while (retry_again(&retry, r, &be));
	give_back(b, lane);
	return r ? blame(err, r, &be, "clear pages of", s->name) : 0;
}

static int blob_read_back(struct sink *s, uint64_t off, void *data,
			  uint64_t len, struct tm_error *err)
{
	struct sink_blob *b = blob_of(s);
	struct lane *lane = take_lane(b);
	struct blob_error be = { 0 };
	struct retry retry;
	struct blob blob;
	int r;

	if (!lane)
		return no_memory(s, err);
	blob = blob_sink_at(b, lane->service);
	retry_init(&retry, &lane->policy);
	do {
		r = blob_read(&blob, NULL, off, data, len, NULL, &be);
	} while (retry_again(&retry, r, &be));
	give_back(b, lane);
	return r ? blame(err, r, &be, "read", s->name) : 0;
}

static int create(struct sink_blob *b, struct tm_error *err)
{
	/* A blob that has come since we looked is not what was asked about. */
	const struct blob_cond cond = {
		.if_none_match = b->there || b->made ? NULL : "*",
	};
	struct blob blob = blob_sink_at(b, b->way.service);
	struct fields metadata = { 0 };
	struct blob_error be = { 0 };
	struct retry retry;
	int r = fields_add(&metadata, UNFINISHED, "restore");

	if (r)
		return no_memory(&b->sink, err);
	retry_init(&retry, &b->way.policy);
	do {
		r = pageblob_create(&blob, &cond, b->sink.size, 0, &metadata,
				    NULL, &be);
	} while (retry_again(&retry, r, &be));
	fields_done(&metadata);
	if (r == -EEXIST && be.ambiguous)
		r = 0;	/* our own doing, and empty in any case */
	b->sink.is_new = b->made = !r;
	return r ? blame(err, r, &be, "create", b->sink.name) : 0;
}

/* In the blob's metadata, of which it has no other. */
static int say_finished(struct sink_blob *b, bool finished,
			struct tm_error *err)
{
	struct blob blob = blob_sink_at(b, b->way.service);
	struct fields metadata = { 0 };
	struct blob_error be = { 0 };
	struct retry retry;
	int r;

	if (!finished && fields_add(&metadata, UNFINISHED, "restore"))
		return no_memory(&b->sink, err);
	retry_init(&retry, &b->way.policy);
	do {
		r = blob_set_metadata(&blob, NULL, &metadata, NULL, &be);
	} while (retry_again(&retry, r, &be));
	fields_done(&metadata);
	return r ? blame(err, r, &be, "describe", b->sink.name) : 0;
}

static int blob_begin(struct sink *s, struct tm_error *err)
{
	struct sink_blob *b = blob_of(s);

	if (b->managed)
		return 0;
	return b->resume && b->there ? say_finished(b, false, err) :
				       create(b, err);
}

/* Only where the service may read the source as who asks, or by signature. */
static bool may_copy(const struct sink_blob *b, const struct vault *from)
{
	const struct tm_address *a = &from->address, *c = &b->url.address;

	if (b->managed)
		return false;
	return azauth_kind(from->cred.auth) == AZAUTH_SAS ||
	       (!strcmp(a->host, c->host) && a->port == c->port &&
		!strcmp(a->account, c->account));
}

/* Until it has ended; *@ret_done whether well. */
static int await_copy(struct sink_blob *b, bool *ret_done, struct tm_error *err)
{
	struct blob blob = blob_sink_at(b, b->way.service);
	enum blob_copy_state state;
	struct blob_properties p;
	struct blob_error be = { 0 };
	struct retry retry;
	uint64_t size;
	int r;

	for (;;) {
		retry_init(&retry, &b->way.policy);
		do {
			r = blob_get_properties(&blob, &p, &be);
		} while (retry_again(&retry, r, &be));
		if (r)
			return blame(err, r, &be, "ask about the copy",
				     b->sink.name);
		state = p.copy;
		size = p.size;
		blob_properties_done(&p);
		if (state != BLOB_COPY_PENDING)
			break;
		if (b->way.policy.wait(b->way.policy.wait_arg, 1000))
			return report_cancelled(b->way.report, err);
	}
	*ret_done = state == BLOB_COPY_SUCCESS && size == b->sink.size;
	return 0;
}

static int blob_copy_from(struct sink *s, const struct reader *from,
			  bool *ret_done, struct blob *ret_copy,
			  struct tm_error *err)
{
	struct sink_blob *b = blob_of(s);
	struct blob blob = blob_sink_at(b, b->way.service);
	struct blob source = reader_vhd(from);
	struct fields metadata = { 0 };
	struct blob_error be = { 0 };
	struct retry retry;
	int r;

	*ret_done = false;
	if (!may_copy(b, from->vault))
		return 0;
	if (fields_add(&metadata, UNFINISHED, "restore"))
		return no_memory(s, err);
	retry_init(&retry, &b->way.policy);
	do {
		r = blob_copy(&blob, &source, &metadata, &be);
	} while (retry_again(&retry, r, &be));
	fields_done(&metadata);
	/* A service that will not has left the blob as it was: new. */
	if (r)
		return report_cancelled(b->way.report, err);
	r = await_copy(b, ret_done, err);
	if (!r && !*ret_done)
		r = create(b, err);	/* it ended badly */
	else if (!r)
		*ret_copy = blob;
	return r;
}

static int blob_finish(struct sink *s, struct tm_error *err)
{
	return blob_of(s)->managed ? 0 : say_finished(blob_of(s), true, err);
}

static void blob_discard(struct sink *s)
{
	struct sink_blob *b = blob_of(s);
	struct blob blob = blob_sink_at(b, b->way.service);
	struct blob_error be = { 0 };
	struct retry retry;
	int r;

	if (!b->made)
		return;
	retry_init(&retry, &b->way.policy);
	do {
		r = blob_delete(&blob, NULL, BLOB_DELETE_ALONE, &be);
	} while (retry_again(&retry, r, &be));
}

static void blob_free(struct sink *s)
{
	struct sink_blob *b = blob_of(s);
	struct lane *lane;

	while ((lane = b->idle)) {
		b->idle = lane->next;
		blobservice_free(lane->service);
		free(lane);
	}
	vault_close(&b->way);
	pthread_mutex_destroy(&b->lock);
	tm_blob_url_wipe(&b->url);
	free(b);
}

const struct sink_ops blob_sink_ops = {
	.begin = blob_begin,
	.write = blob_write,
	.zero = blob_zero,
	.read = blob_read_back,
	.copy = blob_copy_from,
	.finish = blob_finish,
	.discard = blob_discard,
	.free = blob_free,
};
