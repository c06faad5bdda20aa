/* SPDX-License-Identifier: MIT */
/*
 * container.h - containers, one request each. Errors are those of port/blob.h.
 */
#ifndef TIDEMARK_PORT_CONTAINER_H
#define TIDEMARK_PORT_CONTAINER_H

#include "port/blob.h"

/* -EEXIST: there already. -EBUSY: one of that name is being deleted. */
int container_create(struct blobservice *service, const char *container,
		     const struct fields *metadata, struct blob_error *reterr);

/* -ENOENT: no such container. */
int container_exists(struct blobservice *service, const char *container,
		     struct blob_error *reterr);
int container_delete(struct blobservice *service, const char *container,
		     struct blob_error *reterr);

#endif
