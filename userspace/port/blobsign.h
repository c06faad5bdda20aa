/* SPDX-License-Identifier: MIT */
/*
 * blobsign.h - where a call goes, and what proves that it may
 *
 * For port/blobcall.c.
 */
#ifndef TIDEMARK_PORT_BLOBSIGN_H
#define TIDEMARK_PORT_BLOBSIGN_H

#include "port/blobcall.h"

/* All borrowed. */
struct blobsign {
	const struct azauth *auth;
	const char *endpoint;
	size_t path_at;			/* where the endpoint's path begins */
	bool (*cancelled)(void *arg);	/* as in struct http_config */
	void *cancelled_arg;
};

bool blobsign_https(const struct blobsign *with);

/*
 * Adds what the call has to bear to its headers and makes its URL, which is a
 * secret: secret_free() it. May have to ask for a token first.
 * 0, or what port/blob.h says, with @e set.
 */
int blobsign(const struct blobsign *with, struct blobcall *call, char **ret_url,
	     struct blob_error *e);

/*
 * After a refusal @e: tokens end before their time when they are revoked, or
 * when clocks differ. 1: there is another token now, so it may be sent again
 * (what was refused had no effect); 0: there is none; or why none could be had,
 * with @e set to that.
 */
int blobsign_renew(const struct blobsign *with, const struct blobcall *call,
		   struct blob_error *e);

#endif
