/* SPDX-License-Identifier: MIT */
/*
 * diff.h - what has changed on a disk between two points, by their hash tables
 *
 * The tables are read from the points' snapshots, 16 bytes for each chunk; no
 * data are. Entries that are equal stand for equal data where both tables are
 * made under one key: that of a disk stays, but for `tidemark rekey`.
 */
#ifndef TIDEMARK_ENGINE_DIFF_H
#define TIDEMARK_ENGINE_DIFF_H

#include "engine/vault.h"
#include "model/extent.h"
#include "model/point.h"

struct diff {
	struct tm_extents bytes;	/* of the disk, merged */
	uint64_t chunks;		/* that make them up */
	uint64_t chunks_unknown;	/* of these: an entry is missing */
};

/* Are both tables made under one key? */
bool diff_comparable(const struct tm_point_disk *from,
		     const struct tm_point_disk *to);

/*
 * Compares @from with @to, the same disk of two points of @container. What only
 * one of them has, by its size, counts as changed. *ret is replaced; free it
 * with diff_done(). -EINVAL (TM_EXIT_REFUSED): their chunks differ in size, or
 * they are not comparable.
 */
int diff_disk(struct vault *v, const char *container,
	      const struct tm_point_disk *from, const struct tm_point_disk *to,
	      struct diff *ret, struct tm_error *err);
void diff_done(struct diff *d);

/*
 * The newest point before @name that holds @disk, and is none of those that
 * were deleted: ret->name is "" if there is none. Free it in any case.
 */
int diff_previous(struct vault *v, const char *container, const char *name,
		  const char *disk, struct tm_point *ret,
		  struct tm_error *err);

#endif
