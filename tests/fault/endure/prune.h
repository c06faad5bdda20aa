/* SPDX-License-Identifier: MIT */
/* prune.h - keeps a vault from growing, for a test that would fill it */
#ifndef ENDURE_PRUNE_H
#define ENDURE_PRUNE_H

#include "engine/vault.h"

/*
 * Deletes from @container what belongs to the run @last and to older ones:
 * documents and snapshots. 0 or -errno.
 */
int prune(struct vault *v, const char *container, const char *last,
	  struct tm_error *err);

#endif
