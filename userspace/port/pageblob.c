// SPDX-License-Identifier: MIT
#include "port/pageblob.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "port/blobcall.h"
#include "port/bloberror.h"
#include "port/checksum.h"
#include "port/xmlwalk.h"

/* Sends a write that succeeds with @expect; consumes @call. */
static int perform(struct blobcall *call, struct blob_written *ret,
		   struct blob_error *reterr)
{
	int r = blobcall_perform(call, reterr);

	if (!r)
		blobcall_written(call, ret);
	blobcall_done(call);
	return r;
}

/* The condition on the sequence number is these writes' alone. */
static void add_page_cond(struct blobcall *call, const struct blob_cond *cond)
{
	struct blob_cond others;

	if (!cond)
		return;
	others = *cond;
	others.if_sequence_eq = false;
	blobcall_cond(call, &others);
	if (cond->if_sequence_eq)
		blobcall_header_u64(call, "x-ms-if-sequence-number-eq",
				    cond->sequence_eq);
}

static bool aligned(uint64_t a, uint64_t b)
{
	return !((a | b) % PAGEBLOB_PAGE);
}

int pageblob_create(const struct blob *blob, const struct blob_cond *cond,
		    uint64_t size, uint64_t sequence,
		    const struct fields *metadata, struct blob_written *ret,
		    struct blob_error *reterr)
{
	struct blobcall call;

	if (size % PAGEBLOB_PAGE || size > PAGEBLOB_SIZE_MAX)
		return bloberror_local(-EINVAL, reterr);
	blobcall_init_keyed(&call, blob, "PUT", 201);
	blobcall_header(&call, "x-ms-blob-type", "PageBlob");
	blobcall_header_u64(&call, "x-ms-blob-content-length", size);
	blobcall_header_u64(&call, "x-ms-blob-sequence-number", sequence);
	blobcall_cond(&call, cond);
	blobcall_metadata(&call, metadata);
	return perform(&call, ret, reterr);
}

/* What cannot be sent is said when it is: as with every part of a call. */
static void refuse_call(struct blobcall *call)
{
	if (!call->r)
		call->r = -EINVAL;
}

/* All but the body. */
static void build_put(struct blobcall *call, const struct blob *blob,
		      const struct blob_cond *cond, uint64_t off, size_t len)
{
	blobcall_init_keyed(call, blob, "PUT", 201);
	if (!aligned(off, len) || !len || len > PAGEBLOB_PUT_MAX) {
		refuse_call(call);
		return;
	}
	blobcall_query(call, "comp", "page");
	blobcall_header(call, "x-ms-page-write", "update");
	blobcall_range(call, "x-ms-range", off, len);
	add_page_cond(call, cond);
}

void pageblob_put_call(struct blobcall *call, const struct blob *blob,
		       const struct blob_cond *cond, uint64_t off,
		       const void *data, size_t len)
{
	build_put(call, blob, cond, off, len);
	if (!call->r)
		checksum_body(call, data, len);
}

int pageblob_put(const struct blob *blob, const struct blob_cond *cond,
		 uint64_t off, const void *data, size_t len,
		 struct blob_written *ret, struct blob_error *reterr)
{
	struct blobcall call;

	pageblob_put_call(&call, blob, cond, off, data, len);
	return perform(&call, ret, reterr);
}

int pageblob_put_md5(const struct blob *blob, const struct blob_cond *cond,
		     uint64_t off, const void *data, size_t len,
		     const unsigned char *md5, struct blob_written *ret,
		     struct blob_error *reterr)
{
	struct blobcall call;

	build_put(&call, blob, cond, off, len);
	if (!call.r)
		blobcall_body(&call, data, len, md5);
	return perform(&call, ret, reterr);
}

void pageblob_clear_call(struct blobcall *call, const struct blob *blob,
			 const struct blob_cond *cond, uint64_t off,
			 uint64_t len)
{
	blobcall_init_keyed(call, blob, "PUT", 201);
	if (!aligned(off, len) || !len) {
		refuse_call(call);
		return;
	}
	blobcall_query(call, "comp", "page");
	blobcall_header(call, "x-ms-page-write", "clear");
	blobcall_range(call, "x-ms-range", off, len);
	add_page_cond(call, cond);
}

int pageblob_clear(const struct blob *blob, const struct blob_cond *cond,
		   uint64_t off, uint64_t len, struct blob_written *ret,
		   struct blob_error *reterr)
{
	struct blobcall call;

	pageblob_clear_call(&call, blob, cond, off, len);
	return perform(&call, ret, reterr);
}

int pageblob_resize(const struct blob *blob, const struct blob_cond *cond,
		    uint64_t size, struct blob_written *ret,
		    struct blob_error *reterr)
{
	struct blobcall call;

	if (size % PAGEBLOB_PAGE || size > PAGEBLOB_SIZE_MAX)
		return bloberror_local(-EINVAL, reterr);
	blobcall_init_keyed(&call, blob, "PUT", 200);
	blobcall_query(&call, "comp", "properties");
	blobcall_header_u64(&call, "x-ms-blob-content-length", size);
	blobcall_cond(&call, cond);
	return perform(&call, ret, reterr);
}

int pageblob_set_sequence(const struct blob *blob, const struct blob_cond *cond,
			  enum pageblob_sequence action, uint64_t sequence,
			  struct blob_written *ret, struct blob_error *reterr)
{
	struct blobcall call;

	blobcall_init_blob(&call, blob, "PUT", 200);
	blobcall_query(&call, "comp", "properties");
	blobcall_header(&call, "x-ms-sequence-number-action",
			action == PAGEBLOB_SEQUENCE_MAX ? "max" : "update");
	blobcall_header_u64(&call, "x-ms-blob-sequence-number", sequence);
	blobcall_cond(&call, cond);
	return perform(&call, ret, reterr);
}

/* A list of ranges while it is parsed. */
struct list {
	pageblob_range_fn fn;
	void *arg;
	uint64_t from, to;	/* what was asked for: [from, to) */
	uint64_t start;
	uint64_t end;		/* last byte */
	bool has_start, has_end;	/* the range being read */
	char *marker;		/* where the next page begins; NULL: none */
};

static int to_offset(const char *text, uint64_t *ret, bool *ret_has)
{
	char *end;

	/* Not for strtoull(): signs and blanks. */
	if (!isdigit((unsigned char)*text))
		return -EPROTO;
	errno = 0;
	*ret = strtoull(text, &end, 10);
	*ret_has = true;
	return errno || *end ? -EPROTO : 0;
}

static int on_range_begin(void *arg, const char *name)
{
	struct list *list = arg;

	if (!strcmp(name, "PageRange"))
		list->has_start = list->has_end = false;
	return 0;
}

/*
 * What is taken for a hole is restored as zeroes, so a range is told or the
 * list refused. The last byte of all has no length that could be told.
 */
static int give_range(struct list *list)
{
	uint64_t from = list->start, to;

	if (!list->has_start || !list->has_end || list->end < list->start ||
	    list->end == UINT64_MAX)
		return -EPROTO;
	to = list->end + 1;
	/* A service may tell of all of a range that it was asked for a part of. */
	if (from < list->from)
		from = list->from;
	if (to > list->to)
		to = list->to;
	return from < to ? list->fn(list->arg, from, to - from) : 0;
}

static int on_range_end(void *arg, const char *parent, const char *name,
			const char *text)
{
	struct list *list = arg;

	if (!strcmp(parent, "PageRange") && !strcmp(name, "Start"))
		return to_offset(text, &list->start, &list->has_start);
	if (!strcmp(parent, "PageRange") && !strcmp(name, "End"))
		return to_offset(text, &list->end, &list->has_end);
	/* Another document, a proxy's page say, would be a list of nothing. */
	if (!*parent)
		return strcmp(name, "PageList") ? -EPROTO : 0;
	if (!strcmp(name, "PageRange"))
		return give_range(list);
	if (!strcmp(name, "NextMarker") && *text) {
		free(list->marker);
		list->marker = strdup(text);
		return list->marker ? 0 : -ENOMEM;
	}
	return 0;
}

/* One page of the list: from list->marker, and sets that anew. */
static int list_page(const struct blob *blob, const struct blob_cond *cond,
		     uint64_t off, uint64_t len, struct list *list,
		     struct blob_error *reterr)
{
	const struct xmlwalk walk = {
		.begin = on_range_begin,
		.end = on_range_end,
		.arg = list,
	};
	struct blobcall call;
	char *from = list->marker;
	int r;

	list->marker = NULL;
	blobcall_init_blob(&call, blob, "GET", 200);
	blobcall_query(&call, "comp", "pagelist");
	if (from)
		blobcall_query(&call, "marker", from);
	blobcall_range(&call, "x-ms-range", off, len);
	blobcall_cond(&call, cond);
	r = blobcall_perform(&call, reterr);
	if (!r)
		r = xmlwalk_parse(&walk, call.reply.body, call.reply.body_len);
	/* A page that is followed by itself would never end. */
	if (!r && from && list->marker && !strcmp(from, list->marker))
		r = -EPROTO;
	free(from);
	if (r == -EPROTO && call.reply.status == 200)
		bloberror_senseless(&call.reply, "the list makes no sense",
				    reterr);
	blobcall_done(&call);
	return r;
}

int pageblob_ranges(const struct blob *blob, const struct blob_cond *cond,
		    uint64_t off, uint64_t len, pageblob_range_fn fn,
		    void *arg, struct blob_error *reterr)
{
	struct list list = {
		.fn = fn, .arg = arg, .from = off, .to = off + len,
	};
	int r;

	do {
		r = list_page(blob, cond, off, len, &list, reterr);
	} while (!r && list.marker);
	free(list.marker);
	return r;
}
