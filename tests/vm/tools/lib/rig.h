/* SPDX-License-Identifier: MIT */
/*
 * rig.h - a tracked disk to try things on: one origin, one META, one device
 * named RIG_NAME. What fails here ends the program: no test asked for it.
 */
#ifndef TESTS_VM_RIG_H
#define TESTS_VM_RIG_H

#include "chunks.h"

#include <stdbool.h>
#include <stdint.h>

#define RIG_NAME "trk"

struct rig {
	const char *origin, *meta;	/* paths; @meta may be "-" */
	const char *options;		/* "region_sectors 8192 ...", or "" */
	unsigned int chunk_sectors;
	unsigned int block;		/* logical block size of the origin */
	uint64_t size;			/* of the origin, bytes */
	uint64_t chunk;			/* bytes */
	uint64_t total;			/* chunks */
	int fd;				/* of the tracked device, or -1 */
};

/* Loads or unloads the module under test: 0 or -errno. */
int rig_load_module(void);
int rig_unload_module(void);

void rig_init(struct rig *rig, const char *origin, const char *meta);

/* The table line of @rig. */
const char *rig_params(const struct rig *rig, char *text, int size);

/* Makes the device from what META holds, and opens it: 0 or -errno. */
int rig_up(struct rig *rig);

/* Closes and removes it. */
void rig_down(struct rig *rig);

/* New META, this chunk size, and nothing counted as changed. */
void rig_fresh(struct rig *rig, unsigned int chunk_sectors,
	       const char *options);

/* Zeroes all of META. */
void rig_wipe_meta(const struct rig *rig);

/* A TAP result: the current set, and its number in status, are exactly this */
bool rig_expect(const struct rig *rig, const struct chunks *want,
		const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The same for "START+LEN ...". */
bool rig_expect_text(const struct rig *rig, const char *want,
		     const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
