/* SPDX-License-Identifier: MIT */
/*
 * runsnap.h - the snapshots that a run has taken
 *
 * A run writes its name into the metadata of its snapshots. A list tells it, but
 * not of blobs that are under a key of ours: each of those has to be asked for.
 *
 * Errors are those of port/blob.h; requests are retried.
 */
#ifndef TIDEMARK_ENGINE_RUNSNAP_H
#define TIDEMARK_ENGINE_RUNSNAP_H

#include "engine/vault.h"
#include "model/names.h"

struct runsnap {
	char name[TM_PATH_SIZE];	/* of the blob */
	char time[BLOB_SNAPSHOT_SIZE];
	bool told;			/* it is the run's; else it may be */
};

struct runsnaps {
	struct runsnap *v;	/* owned; by name, oldest first */
	size_t n;
};

void runsnaps_done(struct runsnaps *list);

/*
 * Those of blobs whose name begins with @prefix that are @run's or do not tell.
 * *@ret is to be freed with runsnaps_done(), whatever is returned.
 */
int runsnaps_list(struct vault *v, const char *container, const char *prefix,
		  const char *run, struct runsnaps *ret,
		  struct blob_error *reterr);

/* Asks one, under @key, whether it is @run's. One that is gone is not. */
int runsnap_ask(struct vault *v, const char *container,
		const struct runsnap *snap, const struct blob_key *key,
		const char *run, bool *ret, struct blob_error *reterr);

#endif
