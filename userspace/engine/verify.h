/* SPDX-License-Identifier: MIT */
/*
 * verify.h - proving recovery points from what the vault holds
 */
#ifndef TIDEMARK_ENGINE_VERIFY_H
#define TIDEMARK_ENGINE_VERIFY_H

#include "engine/vault.h"
#include "model/point.h"
#include "model/checkdoc.h"

struct verify_options {
	const char *disk;	/* only this one; NULL: all of the point */
	bool sample;		/* else everything is read */
	uint64_t share;		/* of the data, in 10^6; or */
	uint64_t bytes;		/* of all its disks, if not 0 */
};

/*
 * Reads @point from its snapshots and compares each chunk with the hash table;
 * the point is held meanwhile. The finding goes into *@ret (free with
 * tm_check_done()) and into checks/NAME; of a single disk only what is bad goes
 * there, as if it were a sample. What is added to *@ret_bytes was received.
 * 0 even if the point is not good: look at ret->good.
 */
int verify_point(struct vault *v, const char *container,
		 const struct tm_point *point, const struct verify_options *how,
		 struct tm_check *ret, uint64_t *ret_bytes,
		 struct tm_error *err);

/* About how many bytes that will read. */
int verify_cost(struct vault *v, const char *container,
		const struct tm_point *point, const struct verify_options *how,
		uint64_t *ret, struct tm_error *err);

struct overdue {
	char name[TM_RUN_NAME_SIZE];
	int64_t since;		/* when it was last verified, or else made */
};

/*
 * The points that nobody has verified for @seconds, nor made since: those that
 * have waited longest first. Only whole checks count, unless @sample. Points
 * marked for deletion are left out. *ret_v, of *ret_n, is to be freed.
 */
int verify_overdue(struct vault *v, const char *container,
		   const struct tm_id *item, int64_t seconds, bool sample,
		   struct overdue **ret_v, size_t *ret_n,
		   struct tm_error *err);

#endif
