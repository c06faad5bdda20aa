/* SPDX-License-Identifier: MIT */
/*
 * cache.h - one disk with a volatile cache, replayed
 *
 * A write may be on the medium, whole or in part, from its START on. It is
 * there for certain when it has ended and was FUA, or when a flush has ended
 * that began after that. Until then any subset of its sectors may survive, and
 * where two such writes meet, any of them or what was there before.
 */
#ifndef TESTS_CRASH_CACHE_H
#define TESTS_CRASH_CACHE_H

#include "history.h"

struct pending;
struct undo;

struct cache {
	uint64_t sectors;
	/*
	 * What is certain; while a draw is on, what has survived in it. Apart
	 * from what a sector reads as with the cache in place.
	 */
	uint64_t *hash, *from;
	uint64_t *latest_hash, *latest_from;
	struct pending *pending;	/* in the order in which they ended */
	struct pending *in_flight;	/* in the order in which they began */
	struct undo *undo;
	size_t undos, undo_room;
	int image;			/* descriptor of the first image, or -1 */
};

/* What a power cut leaves of what is not certain. */
enum draw {
	DRAW_NONE,		/* nothing */
	DRAW_ALL,		/* everything, what is in flight too */
	DRAW_ENDED,		/* all that has ended */
	DRAW_PREFIX,		/* what ended first, up to somewhere */
	DRAW_HALF,		/* each write or not */
	DRAW_FEW,
	DRAW_MOST,
	DRAW_TORN,		/* each sector or not */
	DRAW_MIXED,		/* each write: whole, torn or not */
	DRAWS
};

extern const char *const draw_names[DRAWS];

/* @image: the path of what was there at first; none: zeroes. */
void cache_init(struct cache *c, uint64_t sectors, const char *image);

/* One event of this disk, at position @at. */
void cache_event(struct cache *c, const struct history *h, size_t at);

bool cache_is_idle(const struct cache *c);

/* A power cut now; cache_undraw() takes it back. */
void cache_draw(struct cache *c, enum draw how, uint64_t *random);
void cache_undraw(struct cache *c);

/* The bytes of @nr sectors, as certain or drawn, or as @latest. */
void cache_bytes(const struct cache *c, const struct history *h, bool latest,
		 uint64_t first, uint64_t nr, char *to);

#endif
