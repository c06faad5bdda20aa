/* SPDX-License-Identifier: MIT */
/*
 * pageblob.h - Azure page-blob operations, one request each. No retry here.
 *
 * Errors are those of port/blob.h. @cond, @ret may be NULL. Offsets and lengths
 * are bytes in multiples of 512; what is not is refused with -EINVAL before
 * anything is sent.
 */
#ifndef TIDEMARK_PORT_PAGEBLOB_H
#define TIDEMARK_PORT_PAGEBLOB_H

#include "port/blob.h"

#define PAGEBLOB_PAGE 512u
#define PAGEBLOB_PUT_MAX (4u << 20)		/* bytes in one put */
#define PAGEBLOB_SIZE_MAX (8ull << 40)		/* bytes */

/*
 * Creates a page blob of @size bytes that reads as zero. Replaces an existing
 * blob unless @cond has if_none_match "*" (then -EEXIST).
 */
int pageblob_create(const struct blob *blob, const struct blob_cond *cond,
		    uint64_t size, uint64_t sequence,
		    const struct fields *metadata, struct blob_written *ret,
		    struct blob_error *reterr);

/*
 * Writes @len bytes at @off, at most PAGEBLOB_PUT_MAX, with their checksum, which
 * the service checks. @data is borrowed until return. Idempotent.
 */
int pageblob_put(const struct blob *blob, const struct blob_cond *cond,
		 uint64_t off, const void *data, size_t len,
		 struct blob_written *ret, struct blob_error *reterr);

/* As pageblob_put() with an MD5 (16 bytes) of the caller's making; not NULL. */
int pageblob_put_md5(const struct blob *blob, const struct blob_cond *cond,
		     uint64_t off, const void *data, size_t len,
		     const unsigned char *md5, struct blob_written *ret,
		     struct blob_error *reterr);

/* Makes @len bytes at @off read as zero; of any length. Idempotent. */
int pageblob_clear(const struct blob *blob, const struct blob_cond *cond,
		   uint64_t off, uint64_t len, struct blob_written *ret,
		   struct blob_error *reterr);

/*
 * The requests of the two calls above, for those who send them otherwise:
 * port/pageio.h.
 */
struct blobcall;
void pageblob_put_call(struct blobcall *call, const struct blob *blob,
		       const struct blob_cond *cond, uint64_t off,
		       const void *data, size_t len);
void pageblob_clear_call(struct blobcall *call, const struct blob *blob,
			 const struct blob_cond *cond, uint64_t off,
			 uint64_t len);

/* Changes the size. What is added reads as zero. */
int pageblob_resize(const struct blob *blob, const struct blob_cond *cond,
		    uint64_t size, struct blob_written *ret,
		    struct blob_error *reterr);

/* MAX: the larger of the blob's and @sequence. UPDATE: @sequence. */
enum pageblob_sequence {
	PAGEBLOB_SEQUENCE_MAX,
	PAGEBLOB_SEQUENCE_UPDATE,
};

/* Sets the sequence number; ret->sequence tells what it is now. */
int pageblob_set_sequence(const struct blob *blob, const struct blob_cond *cond,
			  enum pageblob_sequence action, uint64_t sequence,
			  struct blob_written *ret, struct blob_error *reterr);

/* A range that has been written; neighbours need not be merged. */
typedef int (*pageblob_range_fn)(void *arg, uint64_t off, uint64_t len);

/*
 * Calls @fn for every written range within @len bytes at @off, in order.
 * Non-zero from @fn stops and is returned. @cond (If-Match, lease) may be NULL.
 * As many requests as the service needs for its list; the one call here that
 * may be several, all reads.
 */
int pageblob_ranges(const struct blob *blob, const struct blob_cond *cond,
		    uint64_t off, uint64_t len, pageblob_range_fn fn,
		    void *arg, struct blob_error *reterr);

#endif
