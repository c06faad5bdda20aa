/* SPDX-License-Identifier: MIT */
/* track.h - what a tracking target says of itself, and what it is told */
#ifndef TESTS_VM_TRACK_H
#define TESTS_VM_TRACK_H

#include "chunks.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct track_status {
	char mode[16];
	char setid[64];
	char base[64];
	char cut[64];		/* FROZEN's cut id, "" when none */
	char phase[16];		/* FROZEN's word, "" when none */
	char flags[128];
	char merged[512];
	unsigned long long epoch, chunk_sectors, changed, total, open;
};

/* 0 or -errno; -EBADMSG when the line is not what it should be. */
int track_status(const char *name, struct track_status *ret);

/*
 * Waits until FROZEN's word is @phase ("-": until nothing is frozen).
 * -ETIMEDOUT after @seconds; -ECANCELED if the phase cannot come any more.
 */
int track_wait(const char *name, const char *phase, unsigned int seconds);

/* Until no write and no mark waits for META. */
int track_settle(const char *name);

/* Reads a whole set, @page extents at a time. */
int track_extents(const char *name, const char *which, unsigned int page,
		  struct chunks *ret);

/*
 * Prints `MODE BASE FLAGS MERGED EXTENTS`: words of the status, and what counts
 * as changed, in the frozen epoch too, as `FIRST+LEN,FIRST+LEN...` or `-`.
 */
int track_report(const char *name);

/*
 * prepare, suspend, cut, resume, each waited for; @id names the cut.
 * track_commit() and track_abort() wait until nothing is frozen.
 */
int track_cut(const char *name, const char *id);
int track_commit(const char *name, const char *id);
int track_abort(const char *name, const char *id);

/* A new cut id each time, 32 hexadecimal digits. */
const char *track_new_id(char id[40]);

/* A cut and its commit: nothing counts as changed afterwards. */
int track_clean(const char *name);

#endif
