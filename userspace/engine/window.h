/* SPDX-License-Identifier: MIT */
/*
 * window.h - a part of a ship set: chunks read, compared and sent together
 *
 * A window has memory for so many bytes of disk. Where that is a hash page's
 * chunks or more it ends with a hash page, so that no two windows write to the
 * same.
 */
#ifndef TIDEMARK_ENGINE_WINDOW_H
#define TIDEMARK_ENGINE_WINDOW_H

#include "engine/flights.h"
#include "engine/target.h"

enum fate {
	FATE_SAME,	/* the blob holds it */
	FATE_CLEAR,	/* all zero */
	FATE_PUT,
};

struct chunk {
	uint64_t index;
	uint8_t *data;
	uint32_t len;
	bool scanned;
	enum fate fate;
	struct tm_hash known, hash;
};

/* Chunks side by side: intake.c's. */
struct piece {
	struct intake *intake;
	struct window *window;
	struct readq_read read;
	struct work work;
	unsigned int first, n;	/* chunks of the window */
	int r;			/* of the comparison */
};

struct window {
	struct target *target;		/* borrowed */
	uint8_t *buf;			/* borrowed */
	struct chunk *chunks;
	struct piece *pieces;		/* @max of each */
	struct flight *flights;
	unsigned int n, max;		/* chunks */
	unsigned int differ;		/* those that do, once tallied */
	unsigned int left;		/* pieces under way */
	void (*taken)(struct window *w);	/* see intake_window() */
	void *arg;			/* the caller's */
};

/*
 * Bytes of disk that a window is to hold: as few as may be, since what was read
 * is then still in a cache when it is hashed and sent; but a hash page's chunks,
 * where they are not too many.
 */
size_t window_size(uint32_t chunk_size);

/* @buf of @bytes. 0 or -ENOMEM. */
int window_init(struct window *w, struct target *t, void *buf, size_t bytes);
void window_done(struct window *w);

/* True if another window may write to the same hash page. */
bool window_shares(const struct window *w);

/*
 * Takes the next chunks of the ship set, from @from, below @end. Returns where
 * the next window begins; there may be no chunk (n is 0).
 */
uint64_t window_fill(struct window *w, uint64_t from, uint64_t end);

/* How many chunks from @i on lie side by side, @most bytes or one chunk. */
unsigned int window_run(const struct window *w, unsigned int i, uint64_t most);

/* The same of one fate only. */
unsigned int window_run_of_fate(const struct window *w, unsigned int i,
				uint64_t most);
uint64_t window_bytes(const struct window *w, unsigned int i, unsigned int n);

/*
 * Hashes @n chunks from @first on and decides their fates; touches nothing but
 * these, so any thread may, with a hasher, and a cipher if the disk is
 * encrypted, of its own. What is to be put is then encrypted in its place. Before it, window_recall()
 * fetches what is known of each chunk; after all, window_tally() counts.
 * 0 or -EIO.
 */
void window_recall(struct window *w);
int window_compare(struct window *w, struct tm_hasher *hasher,
		   struct tm_xts *xts, unsigned int first, unsigned int n);
void window_tally(struct window *w);

#endif
