/* SPDX-License-Identifier: MIT */
/*
 * reap.h - the end of a point: its storage, a day after it was marked
 *
 *	MARKED  -> GONE    [reap_point]  points/NAME becomes a tombstone
 *	GONE    -> SWEPT   [reap_point]  its snapshots, its check, its holds
 *	SWEPT   -> nothing [reap_point]  its mark
 *
 * The mark goes last, so what was begun is known and done again after a crash at
 * any moment. From GONE on it is no point to anybody; before, it is whole.
 */
#ifndef TIDEMARK_ENGINE_REAP_H
#define TIDEMARK_ENGINE_REAP_H

#include "engine/vault.h"
#include "model/names.h"

struct reaped {
	unsigned int points;	/* whose storage has gone */
	unsigned int waiting;	/* marked; their day is not over */
	unsigned int left;	/* due, but read, kept or proved; warned of */
	uint64_t snapshots;	/* deleted */
};

/*
 * Deletes the storage of @name, which is marked. *ret_done is false if its day
 * is not over, or the mark has been taken back. -EBUSY: somebody reads it, or
 * decides about it. -EPERM (TM_EXIT_REFUSED): it is the newest proved one.
 * What is added to *ret_snapshots was deleted, also on failure.
 */
int reap_point(struct vault *v, const char *container, const struct tm_id *item,
	       const char *name, bool *ret_done, uint64_t *ret_snapshots,
	       struct tm_error *err);

/* All of a machine's that are due. A point that has to be left is warned of. */
int reap_due(struct vault *v, const char *container, const struct tm_id *item,
	     struct reaped *ret, struct tm_error *err);

#endif
