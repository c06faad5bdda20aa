/* SPDX-License-Identifier: MIT */
/*
 * pageio.h - writes and reads of page blobs, many under way at once
 *
 * The same requests as pageblob_put(), pageblob_clear() and blob_read(), one
 * each and no retry, but started in a set: see port/httpset.h. What is passed is
 * borrowed until @done is called, from a turn of the set or, if the request
 * could not be made, at once.
 */
#ifndef TIDEMARK_PORT_PAGEIO_H
#define TIDEMARK_PORT_PAGEIO_H

#include "port/blobcall.h"
#include "port/pageblob.h"

struct pageio;

/* @r: 0 or as in port/blob.h; then io->error says more. */
typedef void (*pageio_done_fn)(struct pageio *io, int r);

struct pageio {
	pageio_done_fn done;
	void *arg;			/* the caller's */
	struct blob_written written;	/* by a write */
	struct blob_error error;
	/* Private. */
	struct blobcall call;
	struct httpset *set;		/* the rest is a read's */
	struct blob blob;
	uint64_t off;
	char *data;
	size_t len, have;
};

/* @io has its done function set; the rest need not be initialised. */
void pageio_put(struct pageio *io, struct httpset *set, const struct blob *blob,
		const struct blob_cond *cond, uint64_t off, const void *data,
		size_t len);
void pageio_clear(struct pageio *io, struct httpset *set,
		  const struct blob *blob, const struct blob_cond *cond,
		  uint64_t off, uint64_t len);
void pageio_read(struct pageio *io, struct httpset *set,
		 const struct blob *blob, uint64_t off, void *data,
		 size_t len);

#endif
