/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * epoch.h - what is known of the time between two cuts
 *
 * Invariant: a set chunk bit is durable, or covered by a durable logged bit of
 * its epoch, or by the frozen epoch.
 */
#ifndef _TIDEMARK_EPOCH_H
#define _TIDEMARK_EPOCH_H

#include "bitmap.h"

struct tm_geometry;

struct tm_epoch {
	struct tm_bitmap *changed;	/* a bit per chunk */
	/*
	 * A bit per region. @open: map() may set chunk bits there; it is set
	 * only when the region is durably logged. @logged: what the log of
	 * this epoch holds, or is about to; written from under region->lock.
	 */
	unsigned long *open;
	unsigned long *logged;
};

/* Nothing changed, open or logged. NULL without memory. May sleep. */
struct tm_epoch *tm_epoch_new(const struct tm_geometry *geo);
/* NULL is allowed. May sleep. */
void tm_epoch_free(struct tm_epoch *epoch);

#endif /* _TIDEMARK_EPOCH_H */
