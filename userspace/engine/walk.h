/* SPDX-License-Identifier: MIT */
/*
 * walk.h - a disk while it is read, and the pieces in which it is
 *
 * The inside of walk.c and piece.c; who wants a disk read includes reader.h.
 */
#ifndef TIDEMARK_ENGINE_WALK_H
#define TIDEMARK_ENGINE_WALK_H

#include "engine/flights.h"
#include "engine/reader.h"

#define PIECES 16u
#define PIECE_BYTES (4u << 20)		/* of the disk; a chunk at least */

struct walk;

struct piece {
	struct walk *walk;
	struct work work, look;
	struct flight *flights;	/* one for each run of chunks that is asked for */
	unsigned int n_flights, landing;
	uint8_t *buf;
	enum proof *proofs;
	bool *zero, *held;	/* chunk by chunk, as the proofs */
	uint64_t off, len;	/* bytes of the disk */
	bool ready, again;
	int r;			/* of hashing and handing out, and why */
	struct tm_error err;
};

struct walk {
	struct reader *reader;
	const struct reader_ops *ops;
	void *arg;
	uint32_t chunk;			/* bytes */
	struct reactor rx;
	struct flights *flights;
	struct tm_hasher *hashers[WORKERS_MAX];	/* one each, */
	struct tm_xts *ciphers[WORKERS_MAX];	/* if it is encrypted */
	struct piece pieces[PIECES];
	unsigned int head, n;		/* pieces under way, the first is next */
	uint64_t handed, told;		/* bytes handed out; told of, done */
	uint64_t moved, told_ns;	/* told of, received; when */
	/* Of the slab: */
	struct tm_hash *table;
	uint64_t first;			/* chunk of table[0] */
	struct tm_extents written;	/* bytes */
	int r;
	struct tm_error *err;
};

/* The first failure counts. */
static inline void walk_fail(struct walk *w, int r)
{
	if (!w->r)
		w->r = r;
}

/* 0 or -ENOMEM; to be freed with piece_done() in any case. */
int piece_init(struct walk *w, struct piece *p);
void piece_done(struct piece *p);

/*
 * Sets off @p, whose off and len are set, within the walk's slab. It is under
 * way until it is ready, or the walk has failed.
 */
void piece_begin(struct piece *p);

#endif
