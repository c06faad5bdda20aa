/* SPDX-License-Identifier: MIT */
/* snap.h - the snapshot device of the rig, and what its bytes must be */
#ifndef TESTS_VM_SNAP_H
#define TESTS_VM_SNAP_H

#include "chunks.h"
#include "load.h"

#include <stdbool.h>
#include <stdint.h>

#define SNAP_NAME "snap"

struct snap_status {
	char state[16];
	unsigned long long needed, total;
	unsigned long long store_used, store_size, pool_used, pool_size;
	char cause[16];
};

/* A snapshot of RIG_NAME. @store may be "-"; @options "pool_kib 64", or "". */
int snap_make(uint64_t size, const char *store, const char *mode,
	      const char *options);
int snap_make_as(const char *name, uint64_t size, const char *store,
		 const char *mode, const char *options);

/* 0 or -errno; -EBADMSG when the line is not what it should be. */
int snap_status(struct snap_status *ret);

struct snap_result {
	uint64_t wrong;		/* chunks read with data not of the cut */
	uint64_t failed;	/* chunks that must be there, and could not */
	uint64_t leaked;	/* chunks that must not be read, and were */
};

/*
 * Reads every chunk and holds it against the image of the cut. @kept must be
 * readable; with @strict, all else must not be. 0 or -errno.
 */
int snap_compare(const struct load *load, const struct chunks *kept,
		 bool strict, struct snap_result *ret);

#endif
