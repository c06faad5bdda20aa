/* SPDX-License-Identifier: MIT */
/*
 * roots.h - the tree over the hash table of a target, from one point to the
 * next
 *
 * A run goes on from the leaves of the last point, as this machine kept them,
 * or else as the last point's snapshot has them, proved by its root. Of those
 * that it loads it believes what is as it was; what an interrupted run has
 * left is compared with the disk in any case (plan.c), and anything else was
 * put there by somebody else. The leaves that it changes it makes of what it
 * has in memory, never of what it reads back. So the new root is that of the
 * table as it should be, and a table that is not will not have it.
 */
#ifndef TIDEMARK_ENGINE_ROOTS_H
#define TIDEMARK_ENGINE_ROOTS_H

#include "engine/target.h"

/* After target_plan(), before target_fit(): makes t->tree. May force chunks. */
int roots_begin(struct target *t, struct tm_error *err);

/*
 * Widens chunks [*@first, *@first + *@count) to whole leaves. Then these have
 * been loaded: is there one that should be what it was and is not? And in the
 * end: they are as the point will have them.
 */
void roots_widen(const struct target *t, uint64_t *first, uint64_t *count);
int roots_check(struct target *t, uint64_t first, uint64_t count,
		struct tm_error *err);
int roots_take(struct target *t, uint64_t first, uint64_t count,
	       struct tm_error *err);

/* Fills in the root of @d, the target's disk of the point to be. */
int roots_seal(struct target *t, struct tm_point_disk *d,
	       struct tm_error *err);

/* @d is in a point: this machine will remember it. */
int roots_remember(struct target *t, const struct tm_point_disk *d,
		   struct tm_error *err);

#endif
