/* SPDX-License-Identifier: MIT */
/*
 * outcome.h - how a run ends: with a point, or with its traces cleared away
 *
 * The inside of backup.c, precopy.c and outcome.c; who wants a backup includes backup.h.
 */
#ifndef TIDEMARK_ENGINE_OUTCOME_H
#define TIDEMARK_ENGINE_OUTCOME_H

#include "engine/backup.h"
#include "engine/leases.h"
#include "engine/sweep.h"
#include "engine/target.h"

/* A run under way. */
struct backup {
	struct vault *vault;
	const struct backup_options *how;
	const char *container;
	const struct tm_disk *disks;
	struct target *targets;
	struct tm_point *lasts;		/* of each target: its newest point */
	size_t n;
	struct leases *leases;
	int lock_fd;
	struct past past;
	struct tm_run run;
	int64_t cut_time;		/* the server's */
	struct source_cut_report cut_report;
	bool recorded;			/* runs/NAME exists */
	bool undecided;			/* whether points/NAME exists is unknown */
	struct tm_job job;
};

/* Tells `status` on this machine, which is no promise: failing is no failure. */
void outcome_tell(const struct backup *b);

/* Ends the cut of every disk that stands in one, merging it back. */
void outcome_abort_cut(struct backup *b);

/* Adds up what was done so far, all requests included. */
void outcome_count(struct backup *b, struct tm_tally *ret);

/* The point as it will be written. Free with tm_point_done() in any case. */
int outcome_describe(struct backup *b, struct tm_point *point,
		     struct tm_error *err);

/*
 * Creates points/NAME: the commit. On failure b->undecided tells whether it
 * may exist nevertheless.
 */
int outcome_commit(struct backup *b, const struct tm_point *point,
		   struct tm_error *err);

/* After the commit: the kernel's, runs/NAME, jobs/NAME. Warns of failures. */
void outcome_finish(struct backup *b, const struct tm_point *point);

/* After failure @cause: abort, tombstone, runs/NAME, jobs/NAME; best effort. */
void outcome_undo(struct backup *b, int cause, const struct tm_error *err);

#endif
