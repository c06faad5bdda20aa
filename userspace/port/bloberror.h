/* SPDX-License-Identifier: MIT */
/*
 * bloberror.h - what the service's refusals mean to us
 *
 * For the files of port/ that implement an operation.
 */
#ifndef TIDEMARK_PORT_BLOBERROR_H
#define TIDEMARK_PORT_BLOBERROR_H

#include "port/blob.h"
#include "port/http.h"

/*
 * Fills @reterr from what http_perform() returned (@r) and the reply, and
 * returns the -errno of port/blob.h for it; never 0.
 */
int bloberror_from_reply(int r, const struct http_reply *reply,
			 struct blob_error *reterr);

/* The text of <@name> in the body of a refusal, to its line's end; else "". */
void bloberror_element(const struct http_reply *reply, const char *name,
		       char *ret, size_t size);

/* For a failure before anything was sent. Returns @r. */
int bloberror_local(int r, struct blob_error *reterr);

/* For a reply that was fine by its status and senseless otherwise: -EPROTO. */
int bloberror_senseless(const struct http_reply *reply, const char *cause,
			struct blob_error *reterr);

/* For data that came and are not what their checksum says: -EBADMSG. */
int bloberror_damaged(const struct http_reply *reply,
		      struct blob_error *reterr);

#endif
