/* SPDX-License-Identifier: MIT */
/*
 * sweep.h - the past of a machine, settled before a run begins
 */
#ifndef TIDEMARK_ENGINE_SWEEP_H
#define TIDEMARK_ENGINE_SWEEP_H

#include "engine/vault.h"

struct past {
	char **points;		/* names, tombstones too, oldest first */
	size_t n_points;
};

/*
 * Lists the points, after every run that died without one has been given its
 * tombstone. To be called under the lock's lease, which keeps others from
 * doing the same.
 */
int past_settle(struct vault *v, const char *container, struct past *ret,
		struct tm_error *err);
void past_done(struct past *past);

#endif
