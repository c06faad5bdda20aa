/* SPDX-License-Identifier: MIT */
/*
 * blockblob.h - whole small block blobs (JSON documents), one request each
 *
 * Errors are those of port/blob.h. @cond, @metadata and @ret may be NULL.
 */
#ifndef TIDEMARK_PORT_BLOCKBLOB_H
#define TIDEMARK_PORT_BLOCKBLOB_H

#include "port/blob.h"

/*
 * Stores @data as the whole blob, with its MD5. With if_none_match "*" in
 * @cond it creates only: -EEXIST when the blob is there. An ambiguous failure
 * of that is resolved by reading the blob.
 */
int blockblob_put(const struct blob *blob, const struct blob_cond *cond,
		  const void *data, size_t len, const char *content_type,
		  const struct fields *metadata, struct blob_written *ret, struct blob_error *reterr);

/*
 * Reads the whole blob, at most @max bytes (-EFBIG beyond), and checks it by the
 * MD5 that it was put with, if it was with one (-EBADMSG). *ret_data is the
 * caller's to free() and has a NUL after its last byte. @ret_etag
 * (BLOB_ETAG_SIZE bytes) and @ret_modified (0: not said) may be NULL.
 */
int blockblob_get(const struct blob *blob, size_t max, char **ret_data,
		  size_t *ret_len, char *ret_etag, time_t *ret_modified,
		  struct blob_error *reterr);

#endif
