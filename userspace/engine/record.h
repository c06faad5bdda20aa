/* SPDX-License-Identifier: MIT */
/*
 * record.h - what a run writes about itself: runs/NAME, jobs/NAME, points/NAME
 *
 * Whether a run has a point is decided by who creates points/NAME first: the
 * run, with its point, or a sweep, with a tombstone. A run that fails creates
 * its own tombstone, so a run without points/NAME is one that died.
 */
#ifndef TIDEMARK_ENGINE_RECORD_H
#define TIDEMARK_ENGINE_RECORD_H

#include "engine/vault.h"
#include "model/point.h"
#include "model/rundoc.h"

/*
 * Names a run by the server's clock and a random id, and in any case after all
 * of @points (sorted, tombstones too), if need be by a time that is still to
 * come: the order of names is the order of points.
 */
int record_name(struct vault *v, char *const *points, size_t n,
		char ret[TM_RUN_NAME_SIZE], struct tm_error *err);

/* Writes runs/NAME; the first time it must not be there. */
int record_run(struct vault *v, const char *container,
	       const struct tm_run *run, bool first, struct tm_error *err);

int record_job(struct vault *v, const char *container,
	       const struct tm_job *job, struct tm_error *err);

/*
 * Creates points/NAME: the commit. -EEXIST: a sweep was first, the run is
 * dead. Any other error: it is not known whether the point exists.
 */
int record_point(struct vault *v, const char *container,
		 const struct tm_point *point, struct tm_error *err);

/*
 * Creates a tombstone for @name. *@ret_point says that there is a point of
 * that name instead: the run had committed.
 */
int record_tombstone(struct vault *v, const char *container, const char *name,
		     bool *ret_point, struct tm_error *err);

#endif
