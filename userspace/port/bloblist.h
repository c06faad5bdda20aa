/* SPDX-License-Identifier: MIT */
/*
 * bloblist.h - listing blobs and containers (expat)
 *
 * Pages are as large as the service gives and are followed to the end. Errors
 * are those of port/blob.h; -EPROTO: the list cannot be parsed.
 */
#ifndef TIDEMARK_PORT_BLOBLIST_H
#define TIDEMARK_PORT_BLOBLIST_H

#include "port/blob.h"

/* What to list besides the blobs themselves. */
#define BLOBLIST_SNAPSHOTS 1u
#define BLOBLIST_METADATA 2u

/* Valid only during the call it is given to. */
struct bloblist_item {
	const char *name;
	const char *snapshot;		/* NULL: the blob itself */
	struct blob_properties properties;	/* metadata if asked for, but for
					 * blobs under a key of ours */
};

/* Non-zero stops the listing and is returned. */
typedef int (*bloblist_fn)(void *arg, const struct bloblist_item *item);

/*
 * Lists blobs whose name begins with @prefix (NULL: all), by name. -EPROTO: a
 * name does not, or a page is followed by itself.
 */
int bloblist(struct blobservice *service, const char *container,
	     const char *prefix, unsigned int flags, bloblist_fn fn, void *arg,
	     struct blob_error *reterr);

typedef int (*bloblist_container_fn)(void *arg, const char *name);

int bloblist_containers(struct blobservice *service, const char *prefix,
			bloblist_container_fn fn, void *arg,
			struct blob_error *reterr);

#endif
