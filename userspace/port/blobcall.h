/* SPDX-License-Identifier: MIT */
/*
 * blobcall.h - how one request to the blob service is put together
 *
 * For the files of port/ that implement an operation; nothing above needs it.
 * A failure while adding is kept and comes out of blobcall_perform(), so that
 * an operation reads as a list of what it sends.
 */
#ifndef TIDEMARK_PORT_BLOBCALL_H
#define TIDEMARK_PORT_BLOBCALL_H

#include "port/blob.h"
#include "port/httpset.h"

struct blobcall;

/* @r is what blobcall_perform() would have returned. */
typedef void (*blobcall_done_fn)(struct blobcall *call, int r,
				 const struct blob_error *err);

struct blobcall {
	struct blobservice *service;
	const char *method;
	const char *container;		/* NULL: the account */
	const char *name;		/* NULL: the container */
	struct fields query;
	struct fields headers;
	const void *body;
	size_t body_len;
	http_sink_fn sink;		/* as in struct http_request */
	void *sink_arg;
	size_t body_max;
	unsigned int expect;		/* the status that means success */
	int r;				/* first failure so far */
	struct http_request request;	/* as it goes out */
	struct http_reply reply;
	unsigned int renewals;		/* of its token, after refusals */
	/* Of a call that is started, not performed: */
	struct httpset *set;
	blobcall_done_fn ended;
	void *arg;
};

/* @method and names are borrowed. */
void blobcall_init(struct blobcall *call, struct blobservice *service,
		   const char *method, const char *container, const char *name);

/* For @blob, with its snapshot. */
void blobcall_init_blob(struct blobcall *call, const struct blob *blob,
			const char *method, unsigned int expect);

/*
 * The same with the key that the blob is under, if it is: for the operations
 * that take one. Those are Put Blob, Put Page (clear, too), Get Blob, Get Blob
 * Properties, Set Blob Metadata, Snapshot Blob, and Set Blob Properties where it
 * sets a page blob's size.
 */
void blobcall_init_keyed(struct blobcall *call, const struct blob *blob,
			 const char *method, unsigned int expect);
void blobcall_done(struct blobcall *call);

/* The request of blob_read(), all but where the bytes go. */
void blob_read_call(struct blobcall *call, const struct blob *blob,
		    const struct blob_cond *cond, uint64_t off, size_t len);

void blobcall_query(struct blobcall *call, const char *name,
		    const char *value);
void blobcall_header(struct blobcall *call, const char *name,
		     const char *value);
void blobcall_header_u64(struct blobcall *call, const char *name,
			 uint64_t value);

/* "bytes=FIRST-LAST" */
void blobcall_range(struct blobcall *call, const char *name, uint64_t off,
		    uint64_t len);

/* Lease and ETags; -EINVAL for a sequence number. @cond may be NULL. */
void blobcall_cond(struct blobcall *call, const struct blob_cond *cond);

/* As x-ms-meta-NAME. @metadata may be NULL. */
void blobcall_metadata(struct blobcall *call, const struct fields *metadata);

/* The body, with its MD5 for the service to check; NULL: made here. */
void blobcall_body(struct blobcall *call, const void *data, size_t len,
		   const unsigned char *md5);

/*
 * Where it would go, with the signature that goes into URLs, for another to
 * send: a secret, to be freed with secret_free().
 */
int blobcall_url(struct blobcall *call, char **ret, struct blob_error *reterr);

/* Sends it. 0 if the status is the expected one, else as in port/blob.h. */
int blobcall_perform(struct blobcall *call, struct blob_error *reterr);

/*
 * Starts it among others; it stays where it is until @ended is called, from a
 * turn of @set, or from here if it could not be made.
 */
void blobcall_start(struct blobcall *call, struct httpset *set,
		    blobcall_done_fn ended, void *arg);

/* A header of the reply as a number. 0 or -EPROTO. */
int blobcall_reply_u64(const struct blobcall *call, const char *name,
		       uint64_t *ret);

/* What the reply says of a write. @ret may be NULL. */
void blobcall_written(const struct blobcall *call, struct blob_written *ret);

/* Copies the reply's ETag to BLOB_ETAG_SIZE bytes; @ret may be NULL. */
void blobcall_etag(const struct blobcall *call, char *ret);

#endif
