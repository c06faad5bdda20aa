/* SPDX-License-Identifier: MIT */
/*
 * bloburl.h - the URL of one blob, with or without a signature
 *
 *     https://ACCOUNT.blob.core.windows.net/CONTAINER/NAME
 *     https://md-....blob.storage.azure.net/CONTAINER/NAME?sv=...&sig=...
 *     http://127.0.0.1:10000/ACCOUNT/CONTAINER/NAME          (the emulator's)
 *
 * Hosts and schemes are as in address.h. NAME may have %XX and slashes.
 */
#ifndef TIDEMARK_MODEL_BLOBURL_H
#define TIDEMARK_MODEL_BLOBURL_H

#include <stdbool.h>

#include "model/address.h"
#include "model/credentials.h"

#define TM_BLOB_NAME_SIZE	1025

struct tm_blob_url {
	/* The account is "" where the host's name is not an account's. */
	struct tm_address address;	/* of the container */
	char name[TM_BLOB_NAME_SIZE];	/* decoded */
	char sas[TM_SAS_SIZE];		/* without '?'; "": none */
};

/* Does @text look like a URL at all? */
bool tm_blob_url_is(const char *text);

/*
 * @signature: whether there must be one, or must not. No message repeats
 * anything of @text. 0 or -EINVAL (TM_EXIT_USAGE).
 */
int tm_blob_url_parse(const char *text, bool signature,
		      struct tm_blob_url *ret, struct tm_error *err);

/* Without the signature: for messages. At least TM_URL_SIZE + the name's. */
#define TM_BLOB_URL_SIZE	(TM_URL_SIZE + TM_BLOB_NAME_SIZE)
void tm_blob_url_format(char url[TM_BLOB_URL_SIZE],
			const struct tm_blob_url *u);

/* Overwrites the signature. */
void tm_blob_url_wipe(struct tm_blob_url *u);

#endif
