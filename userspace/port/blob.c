// SPDX-License-Identifier: MIT
#include "port/blob.h"

#include <errno.h>
#include <string.h>

#include "port/blobcall.h"
#include "port/bloberror.h"
#include "port/blobprops.h"
#include "port/checksum.h"
#include "port/crypto.h"

int blob_get_properties(const struct blob *blob, struct blob_properties *ret,
			struct blob_error *reterr)
{
	struct blobcall call;
	int r;

	blobcall_init_keyed(&call, blob, "HEAD", 200);
	r = blobcall_perform(&call, reterr);
	if (!r) {
		r = blobprops_from_headers(&call.reply.headers, ret);
		if (r)
			bloberror_senseless(&call.reply,
					    "a blob's properties are missing",
					    reterr);
	}
	blobcall_done(&call);
	return r;
}

/* Where the bytes of a ranged read go. */
struct buffer {
	char *data;
	size_t len;
	size_t have;
};

static int fill(void *arg, const void *data, size_t len)
{
	struct buffer *b = arg;

	if (len > b->len - b->have)
		return -EPROTO;
	memcpy(b->data + b->have, data, len);
	b->have += len;
	return 0;
}

void blob_read_call(struct blobcall *call, const struct blob *blob,
		    const struct blob_cond *cond, uint64_t off, size_t len)
{
	blobcall_init_keyed(call, blob, "GET", 206);
	blobcall_range(call, "x-ms-range", off, len);
	checksum_ask(call, len);
	blobcall_cond(call, cond);
}

/* What was read, against what the reply says of it. */
static int check_read(const struct blobcall *call, const struct buffer *buffer,
		      struct blob_error *reterr)
{
	if (buffer->have != buffer->len)
		return bloberror_senseless(&call->reply,
					   "the service sent too few bytes",
					   reterr);
	return checksum_check(call, buffer->data, buffer->len, reterr);
}

int blob_read(const struct blob *blob, const struct blob_cond *cond,
	      uint64_t off, void *data, size_t len, char *ret_etag,
	      struct blob_error *reterr)
{
	bool again;
	int r;

	do {
		struct buffer buffer = { .data = data, .len = len };
		struct blobcall call;

		blob_read_call(&call, blob, cond, off, len);
		call.sink = fill;
		call.sink_arg = &buffer;
		r = blobcall_perform(&call, reterr);
		again = checksum_declined(&call, r);
		if (!r)
			r = check_read(&call, &buffer, reterr);
		if (!r)
			blobcall_etag(&call, ret_etag);
		blobcall_done(&call);
	} while (again);
	return r;
}

/* It goes into recovery points and into addresses. */
static bool is_snapshot(const char *time)
{
	return *time && strlen(time) < BLOB_SNAPSHOT_SIZE &&
	       !time[strspn(time, "0123456789-:.TZ")];
}

int blob_snapshot(const struct blob *blob, const struct blob_cond *cond,
		  const struct fields *metadata, char *ret_snapshot,
		  struct blob_written *ret, struct blob_error *reterr)
{
	const char *snapshot;
	struct blobcall call;
	int r;

	blobcall_init_keyed(&call, blob, "PUT", 201);
	blobcall_query(&call, "comp", "snapshot");
	blobcall_cond(&call, cond);
	blobcall_metadata(&call, metadata);
	r = blobcall_perform(&call, reterr);
	if (!r) {
		snapshot = fields_get(&call.reply.headers, "x-ms-snapshot");
		if (snapshot && is_snapshot(snapshot)) {
			strcpy(ret_snapshot, snapshot);
			blobcall_written(&call, ret);
		} else {
			r = bloberror_senseless(&call.reply,
						"the snapshot has no time",
						reterr);
		}
	}
	blobcall_done(&call);
	return r;
}

int blob_copy(const struct blob *to, const struct blob *from,
	      const struct fields *metadata, struct blob_error *reterr)
{
	struct blobcall call, source;
	char *url = NULL;
	int r;

	blobcall_init_blob(&source, from, "GET", 200);
	r = blobcall_url(&source, &url, reterr);
	blobcall_done(&source);
	if (r)
		return r;
	blobcall_init_blob(&call, to, "PUT", 202);
	blobcall_header(&call, "x-ms-copy-source", url);
	secret_free(url);
	blobcall_metadata(&call, metadata);
	r = blobcall_perform(&call, reterr);
	blobcall_done(&call);
	return r;
}

int blob_set_metadata(const struct blob *blob, const struct blob_cond *cond,
		      const struct fields *metadata, struct blob_written *ret,
		      struct blob_error *reterr)
{
	struct blobcall call;
	int r;

	blobcall_init_keyed(&call, blob, "PUT", 200);
	blobcall_query(&call, "comp", "metadata");
	blobcall_cond(&call, cond);
	blobcall_metadata(&call, metadata);
	r = blobcall_perform(&call, reterr);
	if (!r)
		blobcall_written(&call, ret);
	blobcall_done(&call);
	return r;
}

int blob_delete(const struct blob *blob, const struct blob_cond *cond,
		enum blob_delete how, struct blob_error *reterr)
{
	struct blobcall call;
	int r;

	blobcall_init_blob(&call, blob, "DELETE", 202);
	blobcall_cond(&call, cond);
	if (how == BLOB_DELETE_WITH_SNAPSHOTS)
		blobcall_header(&call, "x-ms-delete-snapshots", "include");
	if (how == BLOB_DELETE_ONLY_SNAPSHOTS)
		blobcall_header(&call, "x-ms-delete-snapshots", "only");
	r = blobcall_perform(&call, reterr);
	blobcall_done(&call);
	return r;
}
