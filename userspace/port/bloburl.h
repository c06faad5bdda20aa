/* SPDX-License-Identifier: MIT */
/*
 * bloburl.h - the two forms in which a container's URL is written
 *
 *   https://ACCOUNT.blob.core.windows.net/CONTAINER      account in the host
 *   http://127.0.0.1:10000/ACCOUNT/CONTAINER             account in the path
 *
 * The second form is taken where the host is an IP address or `localhost`.
 */
#ifndef TIDEMARK_PORT_BLOBURL_H
#define TIDEMARK_PORT_BLOBURL_H

struct bloburl {
	char *endpoint;		/* of the blob service, no trailing slash */
	char *account;
	char *container;	/* NULL if the URL names an account only */
};

/*
 * Takes @url apart. Refused with -EINVAL: another scheme, a query (a SAS does
 * not belong where it would be logged), a user name, an empty or overlong
 * part, a container name the service would refuse. Or -ENOMEM.
 */
int bloburl_parse(const char *url, struct bloburl *ret);
void bloburl_done(struct bloburl *url);

/*
 * Encodes @path for use in a URL: all but unreserved characters and '/'.
 * NULL: no memory. Free with free().
 */
char *bloburl_encode_path(const char *path);

/* The same for a query's value: '/' is encoded too. */
char *bloburl_encode_query(const char *value);

#endif
