/* SPDX-License-Identifier: MIT */
/*
 * scene.h - a cut with its snapshot, of a disk under load (rig.h, load.h)
 *
 * What fails here ends the program: no test asked for it.
 */
#ifndef TESTS_VM_SCENE_H
#define TESTS_VM_SCENE_H

#include "chunks.h"
#include "load.h"
#include "rig.h"
#include "snap.h"

struct scene {
	struct rig rig;
	struct load load;
	struct chunks ship; /* of the cut */
	char id[40];	    /* the cut's */
};

/* A base, then writes to a part of the disk, and a snapshot that waits. */
void scene_set(struct scene *s, unsigned int chunk_sectors, const char *store,
	       const char *mode, const char *options);

/* Its cut, the writers then being let loose; they may be at it already. */
void scene_cut(struct scene *s);

/* Until so many more writes have been made. */
void scene_wait_writes(struct scene *s, unsigned long long count);

/* The state is this one, and the cause of it, if it is not NULL. */
bool scene_state_is(const char *state, const char *cause);

/* A TAP result: @kept reads as the cut, and with @strict nothing else does. */
void scene_compare(struct scene *s, const struct chunks *kept, bool strict,
		   const char *what);

/* No write has failed: a TAP result. All is taken down. */
void scene_clear(struct scene *s);

#endif
