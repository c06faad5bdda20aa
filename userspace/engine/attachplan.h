/* SPDX-License-Identifier: MIT */
/*
 * attachplan.h - may this device be tracked, with that metadata and store?
 *
 * Between attach.c and what it refuses. 0 or -errno with @err set.
 */
#ifndef TIDEMARK_ENGINE_ATTACHPLAN_H
#define TIDEMARK_ENGINE_ATTACHPLAN_H

#include <stdbool.h>

#include "engine/attach.h"

/* Device nodes of the metadata and the store. */
struct attach_nodes {
	char meta[TM_DEVICE_SIZE];	/* "" for none */
	char store[TM_DEVICE_SIZE];
	bool made_meta, made_store;	/* a loop device, just now */
};

/*
 * Checks what is asked for, makes the files that are not there, and fills @a
 * and @nodes; what it began is for attach_nodes_undo(), also when it fails.
 */
int attach_plan(const struct attach_request *req, const char *state,
		struct tm_attached *a, struct attach_nodes *nodes,
		struct tm_error *err);

/* The same for what is recorded. */
int attach_plan_again(const struct tm_attached *a, struct attach_nodes *nodes,
		      struct tm_error *err);

/* When the attempt has failed. */
void attach_nodes_undo(const struct attach_nodes *nodes,
		       const struct tm_attached *a);

#endif
