/* SPDX-License-Identifier: MIT */
/*
 * filediff.h - what has changed in the filesystems of two mounted points
 *
 * Where the hash tables tell that nothing on a filesystem's partition differs,
 * it is not looked at; else its inodes are compared (treediff.h).
 */
#ifndef TIDEMARK_ENGINE_FILEDIFF_H
#define TIDEMARK_ENGINE_FILEDIFF_H

#include "engine/diff.h"
#include "engine/mounted.h"
#include "model/filechange.h"

/* Of a disk that both points have. */
struct filediff_disk {
	const char *name;	/* the second point's */
	bool all;		/* their tables cannot be compared */
	struct tm_extents bytes;	/* or else these differ */
};

struct filediff_disks {
	struct filediff_disk *v;
	size_t n;
	bool differ;		/* any of them, or the points' sets of disks */
};

/*
 * Compares the tables of all disks of @from and @to, or those of the one named
 * @only. *@ret is to be freed in any case; it borrows from @to.
 */
int filediff_disks(struct vault *v, const char *container,
		   const struct tm_point *from, const struct tm_point *to,
		   const char *only, struct filediff_disks *ret,
		   struct tm_error *err);
void filediff_disks_done(struct filediff_disks *d);

/* Filesystems of one name; one of them may be NULL. */
struct filediff_pair {
	const struct mounted_tree *from, *to;
};

/* By name; *ret is to be freed, and borrows. 0 or -ENOMEM. */
int filediff_pairs(const struct mounted *from, const struct mounted *to,
		   struct filediff_pair **ret, size_t *ret_n,
		   struct tm_error *err);

/*
 * Compares a filesystem that both have, and that is of one type in both. *@ret
 * is to be freed in any case; *@ret_looked is false if the tables tell that
 * there is nothing to be found. -ECANCELED.
 */
int filediff_tree(const struct mounted *from, const struct mounted *to,
		  const struct filediff_pair *pair,
		  const struct filediff_disks *disks, const struct report *rep,
		  struct tm_file_changes *ret, bool *ret_looked,
		  struct tm_error *err);

#endif
