/* SPDX-License-Identifier: MIT */
/*
 * lane.h - one of several connections by which a recovery point's disk is read
 *
 * For engine/access.c: what needs no lock, because a lane is one thread's.
 */
#ifndef TIDEMARK_ENGINE_LANE_H
#define TIDEMARK_ENGINE_LANE_H

#include "engine/reader.h"

#define LANE_PART 4096u	/* chunks of a part: 128 hash pages */
#define LANE_BATCH 256u		/* chunks read at once, at most */

/* What there is to know of a part of the disk before its data are read. */
struct lane_part {
	struct tm_hash known[LANE_PART];
	bool hole[LANE_PART];	/* the blob holds nothing of it, and rightly so */
};

struct lane {
	struct vault vault;
	struct reader reader;
	uint32_t chunk;		/* bytes */
	uint64_t chunks;	/* of the whole disk */
	uint8_t *buf;		/* lane_bytes() */
	struct lane_part part;	/* as last loaded */
	struct tm_hash known[LANE_BATCH];	/* of the batch in hand */
	struct lane *next;	/* idle ones */
};

/* At most so much is read at once: 1 MiB, or a chunk if that is more. */
uint32_t lane_bytes(uint32_t chunk);

/* A connection of its own, and a hasher under the same key as @r's. */
int lane_new(const struct reader *r, struct lane **ret, struct tm_error *err);
void lane_free(struct lane *l);

/* Bytes of chunk @i: less for the last one. */
uint32_t lane_chunk_len(const struct lane *l, uint64_t i);

/* Loads l->part, beginning with chunk @first, a multiple of LANE_PART. */
int lane_load(struct lane *l, uint64_t first, struct tm_error *err);

/* Is @data what @known says of chunk @i? */
bool lane_proves(struct lane *l, uint64_t i, const void *data,
		 const struct tm_hash *known);

/*
 * Reads chunks [@first, @first + @n) into @data, at most lane_bytes(), and
 * proves each by @known; what is not right is read once more. -EBADMSG with
 * @err naming the chunk.
 */
int lane_fetch(struct lane *l, uint64_t first, uint64_t n, uint8_t *data,
	       const struct tm_hash *known, struct tm_error *err);

#endif
