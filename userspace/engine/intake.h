/* SPDX-License-Identifier: MIT */
/*
 * intake.h - a window's chunks: read from the disk, compared with the hash table
 *
 * A window is taken in pieces, chunks side by side on the disk. Each is hashed
 * on another thread as soon as it has come, while others are still being read,
 * and while it is still in a processor's cache.
 */
#ifndef TIDEMARK_ENGINE_INTAKE_H
#define TIDEMARK_ENGINE_INTAKE_H

#include "engine/window.h"
#include "port/reactor.h"

struct intake {
	struct target *target;		/* borrowed, as are the next two */
	struct reactor *rx;
	struct tm_error *err;
	struct tm_hasher *hashers[WORKERS_MAX];	/* one for each thread, */
	struct tm_xts *ciphers[WORKERS_MAX];	/* if the disk is encrypted */
	int r;	/* the first failure, with @err set: no more is read then */
};

/* 0 or -ENOMEM. */
int intake_init(struct intake *in, struct target *t, struct reactor *rx,
		struct tm_error *err);

/* Fits a zeroed structure too. The reactor is done with before. */
void intake_done(struct intake *in);

/*
 * Reads all of @w's chunks and decides their fates. Calls w->taken when nothing
 * of it is under way any more, be it at once; in->r tells whether it went well.
 */
void intake_window(struct intake *in, struct window *w);

#endif
