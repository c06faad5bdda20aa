/* SPDX-License-Identifier: MIT */
/*
 * truth.h - what the disk was at each cut, and what a verdict is worth
 *
 * The truth is bytes: a chunk of what has survived on the origin that differs
 * from what it was at the base's cut must be reported. One that does not may be
 * reported where it was written since, or where META knows no better: in a
 * logged region, or under a sector that does not check.
 */
#ifndef TESTS_CRASH_TRUTH_H
#define TESTS_CRASH_TRUTH_H

#include "cache.h"

#include <stdbool.h>

#define TRUTH_ID	33

struct cut {
	char id[TRUTH_ID];
	uint64_t *hash;		/* of each sector */
	uint8_t *touched;	/* chunks that may have been marked since */
};

struct truth {
	uint64_t sectors, chunk_sectors, chunks;
	struct cut *cut;
	size_t cuts;
};

/* What the module made of an image. */
struct verdict {
	bool refused;
	bool lost;
	char base[TRUTH_ID];	/* "-": none */
	char *merged;		/* ids with commas, or "-" */
	uint8_t *reported;	/* one byte a chunk */
};

/* What was found, over all outcomes. */
struct score {
	uint64_t outcomes, based, unbased, refused;
	uint64_t missed;	/* chunks */
	uint64_t wrong;		/* outcomes in which any was missed */
	uint64_t differ;	/* chunks that differ from the base */
	uint64_t extra;		/* reported, the same, and excused */
	uint64_t extra_most;	/* of those, in one outcome */
	uint64_t unexcused;	/* reported, the same, and not excused */
	uint64_t strange;	/* a base or a merged cut that was never taken */
};

void truth_init(struct truth *t, uint64_t sectors, uint64_t chunk_sectors);

/* The disk stands still in this cut. */
void truth_cut(struct truth *t, const char *id, const struct cache *origin);

/* A write begins. */
void truth_touch(struct truth *t, const struct event *e);

/* Chunks that recovery marks without a write. */
void truth_touch_chunks(struct truth *t, const uint8_t *chunks);

/* For a log that goes on where this one ends. */
void truth_save(const struct truth *t, const char *path);
void truth_load(struct truth *t, const char *path);

/*
 * What is wrong with @v, @origin being drawn, and chunks of @excused not known
 * by META. Adds to @score; says what is missed, with @where.
 */
void truth_judge(const struct truth *t, const struct verdict *v,
		 const struct cache *origin, const uint8_t *excused,
		 const char *where, struct score *score);

/*
 * Reads what `judge` printed: INDEX ... for 0 to @nr - 1. Ends the program when
 * one is not there.
 */
struct verdict *verdicts_read(const char *path, size_t nr, uint64_t chunks);

#endif
