/* SPDX-License-Identifier: MIT */
/*
 * held.h - what of a wanted disk its target holds already
 *
 * A chunk is held if its hash is the wanted one. To know that it has to be read
 * from the target, unless tracking says that it has not changed since a
 * recovery point whose hash table tells what it is.
 */
#ifndef TIDEMARK_ENGINE_HELD_H
#define TIDEMARK_ENGINE_HELD_H

#include "engine/reader.h"
#include "engine/sink.h"

/* What is known of a target without reading it. */
struct held_base {
	const struct tm_point_disk *disk;	/* of the point it came from */
	const struct tm_extents *changed;	/* chunks, since that point */
};

struct held {
	struct sink *sink;			/* borrowed */
	const struct held_base *base;		/* borrowed; NULL: nothing */
	struct reader then;			/* of the base */
	struct tm_hash *table;			/* of the base, from @first on */
	uint64_t first, n;
	uint64_t hashed;			/* chunks that were read */
};

/* @like reads the wanted disk. */
int held_init(struct held *h, struct sink *sink, const struct reader *like,
	      const struct held_base *base, struct tm_error *err);
void held_done(struct held *h);	/* fits a zeroed one too */

/* For reader_ops of the same names. */
int held_slab(struct held *h, uint64_t first, uint64_t n, struct tm_error *err);
int held_look(struct held *h, const struct reader_piece *piece,
	      struct tm_error *err);

#endif
