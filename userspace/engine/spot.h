/* SPDX-License-Identifier: MIT */
/*
 * spot.h - proving a disk of a point by a sample of what it holds
 *
 * Of the data, slices chosen at random are read; a slice is 1 MiB, or a chunk if
 * that is larger. What was never written reads as zero, so it is proved without
 * being read, all of it: the hash table is read as a whole.
 */
#ifndef TIDEMARK_ENGINE_SPOT_H
#define TIDEMARK_ENGINE_SPOT_H

#include "engine/reader.h"

struct spot_size {
	uint64_t slices;	/* in which anything is written */
	uint64_t bytes;		/* of one slice */
};

/* How much there is to sample. Lists pages, reads none. */
int spot_measure(struct reader *r, struct spot_size *ret, struct tm_error *err);

/*
 * Proves @wanted slices of @size, as spot_measure() gave it, and all that was
 * never written. ops->proved is called for each chunk; ops->piece never.
 */
int spot_check(struct reader *r, const struct spot_size *size, uint64_t wanted,
	       const struct reader_ops *ops, void *arg, struct tm_error *err);

#endif
