/* SPDX-License-Identifier: MIT */
/*
 * load.h - writers on a tracked disk, and the truth about what they did
 *
 * The truth is bytes, read from the origin past the module: a chunk that
 * differs from the base's image and is not reported has been missed. What may
 * be reported is kept by the writers: a chunk none of them touched since the
 * last cut must not be.
 */
#ifndef TESTS_VM_LOAD_H
#define TESTS_VM_LOAD_H

#include "chunks.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOAD_WRITERS 2

struct load;

struct load_writer {
	struct load *load;
	pthread_t thread;
	unsigned int seed;
	uint64_t busy_start, busy_len;	/* chunks in flight, under lock */
	int fd;
};

struct load {
	pthread_mutex_t lock;
	pthread_cond_t change;
	bool run, end;
	char path[64];
	unsigned int idle;		/* writers that hold no descriptor */
	struct load_writer writer[LOAD_WRITERS];
	int error;			/* of the first write that failed */
	unsigned long long writes;
	uint64_t slowest_ns;		/* the longest that one took */

	int origin_fd;
	uint64_t size, chunk;
	unsigned int block;
	uint8_t *base, *cut;		/* images, @size bytes */
	bool has_base, has_cut;
	struct chunks may_current, may_frozen;
};

/* The writers exist but rest. */
void load_init(struct load *load, const char *origin, uint64_t chunk,
	       unsigned int seed);
void load_done(struct load *load);

/* Lets them write to the tracked device; it is open when this returns. */
void load_start(struct load *load);

/*
 * Waits until nothing is in flight and nothing open. Never to be called while
 * the device is suspended under running writers.
 */
void load_stop(struct load *load);

/* At a cut, suspended: takes the image. */
void load_cut(struct load *load);
void load_commit(struct load *load);
void load_abort(struct load *load);

/* Nothing is known any more of what may be reported. */
void load_anything(struct load *load);

/*
 * With the writers stopped: 0, or the number of chunks missed (@ret_missed)
 * or too many (@ret_extra) in these reported sets.
 */
void load_check(struct load *load, const struct chunks *current,
		const struct chunks *frozen, uint64_t *ret_missed,
		uint64_t *ret_extra);

#endif
