// SPDX-License-Identifier: MIT
#include "port/blockblob.h"

#include <errno.h>
#include <string.h>

#include <curl/curl.h>

#include "port/blobcall.h"
#include "port/bloberror.h"
#include "port/checksum.h"

int blockblob_put(const struct blob *blob, const struct blob_cond *cond,
		  const void *data, size_t len, const char *content_type,
		  const struct fields *metadata, struct blob_written *ret, struct blob_error *reterr)
{
	struct blobcall call;
	int r;

	blobcall_init_keyed(&call, blob, "PUT", 201);
	blobcall_header(&call, "x-ms-blob-type", "BlockBlob");
	blobcall_header(&call, "Content-Type", content_type);
	blobcall_metadata(&call, metadata);
	blobcall_body(&call, data, len, NULL);
	blobcall_cond(&call, cond);
	r = blobcall_perform(&call, reterr);
	if (!r)
		blobcall_written(&call, ret);
	blobcall_done(&call);
	return r;
}

int blockblob_get(const struct blob *blob, size_t max, char **ret_data,
		  size_t *ret_len, char *ret_etag, time_t *ret_modified,
		  struct blob_error *reterr)
{
	const char *modified;
	struct blobcall call;
	time_t when;
	int r;

	blobcall_init_keyed(&call, blob, "GET", 200);
	call.body_max = max;
	r = blobcall_perform(&call, reterr);
	if (!r && !call.reply.body) {	/* an empty blob */
		call.reply.body = strdup("");
		if (!call.reply.body)
			r = bloberror_local(-ENOMEM, reterr);
	}
	if (!r)
		r = checksum_check(&call, call.reply.body, call.reply.body_len,
				   reterr);
	if (!r) {
		modified = fields_get(&call.reply.headers, "Last-Modified");
		when = modified ? curl_getdate(modified, NULL) : 0;
		if (ret_modified)
			*ret_modified = when > 0 ? when : 0;
		blobcall_etag(&call, ret_etag);
		*ret_data = call.reply.body;
		*ret_len = call.reply.body_len;
		call.reply.body = NULL;
	}
	blobcall_done(&call);
	return r;
}
