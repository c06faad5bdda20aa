/* SPDX-License-Identifier: MIT */
/*
 * checksum.h - proof that a body was not damaged on the way
 *
 * For the files of port/ that implement an operation. What is sent carries a
 * checksum that the service checks, answering Crc64Mismatch or Md5Mismatch;
 * what is read is checked here against the one that the service answers with.
 * Source: Put Page, Get Blob, Blob service REST API.
 */
#ifndef TIDEMARK_PORT_CHECKSUM_H
#define TIDEMARK_PORT_CHECKSUM_H

#include "port/blobcall.h"

/* The service sums ranges up to this size, and refuses to for larger ones. */
#define CHECKSUM_RANGE_MAX (4u << 20)

/* What is read below this is summed by MD5: it costs as little, and all know it. */
#define CHECKSUM_FAST_MIN (64u << 10)

/* Which one goes with what. */
struct checksums {
	enum blob_checksum sent;	/* pages that are written */
	enum blob_checksum range;	/* ranges that are read */
};

/* The service's own. They belong to it. */
struct checksums *blobservice_checksums(struct blobservice *service);

/* The body, which is borrowed, with its checksum. */
void checksum_body(struct blobcall *call, const void *data, size_t len);

/* Asks for the checksum of the range of @len bytes that is being read. */
void checksum_ask(struct blobcall *call, size_t len);

/*
 * After a read that succeeded: are @data what the service sent? A reply without
 * a checksum proves nothing, and is no failure.
 * 0, -EBADMSG, -EIO, -ENOMEM, and then @reterr is set.
 */
int checksum_check(const struct blobcall *call, const void *data, size_t len,
		   struct blob_error *reterr);

/*
 * After a read that ended in @r: true if the service does not know the kind of
 * checksum asked for. Another is asked for from now on: build the call anew.
 */
bool checksum_declined(const struct blobcall *call, int r);

#endif
