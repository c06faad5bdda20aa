/* SPDX-License-Identifier: MIT */
/*
 * sample.h - is all that was written marked? A look at some that is not
 */
#ifndef TIDEMARK_ENGINE_SAMPLE_H
#define TIDEMARK_ENGINE_SAMPLE_H

#include "engine/target.h"

/* What is looked at, and what it should be. */
struct sampling {
	const char *disk;		/* its name; borrowed, as all here */
	struct source *source;
	struct tm_hasher *hasher;
	uint64_t size;			/* bytes of the disk */
	uint64_t chunks;		/* of these, the first */
	uint32_t chunk_size;
	const struct tm_extents *marked;	/* chunks not to be looked at */
	/* Entries of chunks [@first, @first + @count), of one slab, come next. */
	int (*load)(void *arg, uint64_t first, uint64_t count,
		    struct tm_error *err);
	/* One of them. */
	struct tm_hash (*entry)(void *arg, uint64_t chunk);
	/* They are done with. May be NULL. */
	void (*drop)(void *arg, uint64_t first, uint64_t count);
	void *arg;
	uint64_t sampled;		/* chunks that were compared */
};

/*
 * Reads as many of the chunks at random, from the live disk, as the settings say.
 * *@ret_bypassed says that one is not what it should be.
 */
int sample_run(struct sampling *s, const struct tm_config *config,
	       bool *ret_bypassed, struct tm_error *err);

/*
 * Reads as many chunks at random as the settings sample_share and sample_bytes
 * say that are not in the ship set, from the live disk, and compares them with
 * the hash table. *@ret_bypassed says that one differs: it was written without
 * being marked.
 */
int sample_disk(struct target *t, const struct tm_config *config,
		bool *ret_bypassed, struct tm_error *err);

#endif
