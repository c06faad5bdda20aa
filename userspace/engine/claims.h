/* SPDX-License-Identifier: MIT */
/*
 * claims.h - which snapshots the points of a machine name
 *
 * What a point names must not go before it does. Every point is read for it, so
 * it is done when it is first asked for, once for all points that are deleted.
 */
#ifndef TIDEMARK_ENGINE_CLAIMS_H
#define TIDEMARK_ENGINE_CLAIMS_H

#include "engine/runsnap.h"

struct claim;

/* Zeroed at first. */
struct claims {
	bool known;
	struct claim *v;	/* owned; sorted */
	size_t n;
};

void claims_done(struct claims *c);

/*
 * Whether @c, which is filled if it is not known yet, has @s named by a point
 * that is none of a tombstone and not @run. As points_read(): one that cannot be
 * read is an error, for nobody knows then.
 */
int claims_ask(struct claims *c, struct vault *v, const char *container,
	       const struct runsnap *s, const char *run, bool *ret,
	       struct tm_error *err);

#endif
