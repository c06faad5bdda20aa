/* SPDX-License-Identifier: MIT */
/*
 * blame.h - from what the blob service answered to an error for people
 */
#ifndef TIDEMARK_ENGINE_BLAME_H
#define TIDEMARK_ENGINE_BLAME_H

#include "model/error.h"
#include "port/blob.h"

/*
 * Fills @err from a failed request: "cannot WHAT 'OBJECT': CAUSE", the exit
 * status that fits, what to do, and what the service said. Returns @r.
 */
int blame(struct tm_error *err, int r, const struct blob_error *be,
	  const char *what, const char *object);

/* The same for a blob: the object is CONTAINER/NAME. */
int blame_blob(struct tm_error *err, int r, const struct blob_error *be,
	       const char *what, const struct blob *blob);

#endif
