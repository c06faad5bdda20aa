/* SPDX-License-Identifier: MIT */
/*
 * seize.h - a point to oneself, for the moment in which it is decided whether
 * it is deleted
 *
 * It is a lease on points/NAME: whoever deletes a point replaces it under that
 * lease, whoever has it back marks it so under that lease, and whoever begins
 * to read it waits until nobody has it (hold.c). It runs out by itself.
 */
#ifndef TIDEMARK_ENGINE_SEIZE_H
#define TIDEMARK_ENGINE_SEIZE_H

#include "engine/vault.h"
#include "model/names.h"
#include "port/blob.h"

struct seizure {
	struct vault *vault;		/* borrowed */
	const char *container;		/* borrowed */
	char path[TM_PATH_SIZE];
	char id[BLOB_LEASE_ID_SIZE];
};

/* -EBUSY: another has it. -ENOENT: there is no such point. */
int seize(struct vault *v, const char *container, const char *name,
	  struct seizure *ret, struct tm_error *err);

/* 0 if it is ours, and has been all the time. */
int seize_confirm(struct seizure *s, struct tm_error *err);

void seize_end(struct seizure *s);

#endif
