/* SPDX-License-Identifier: MIT */
/*
 * precopy.h - what is sent of live disks, so that little is left for the cut
 *
 * The inside of backup.c; who wants a backup includes backup.h.
 */
#ifndef TIDEMARK_ENGINE_PRECOPY_H
#define TIDEMARK_ENGINE_PRECOPY_H

#include "engine/outcome.h"

/*
 * Sends the tracked disks of a planned and named run in rounds, if there is
 * enough to send (model/precopy.h). Then each disk's basis is the cut that it
 * was sent up to, and forced holds only what was not sent.
 */
int precopy(struct backup *b, struct tm_error *err);

/* Can some of the target's disk be sent ahead of the cut? */
bool precopy_possible(const struct target *t);

/*
 * Once the disks are cut: does the kernel still stand on the target's basis; or,
 * without one, on the last point's cut, if only changes are to be shipped? Else
 * the ship set is not what is missing in the vault.
 */
int precopy_holds(const struct target *t, bool *ret, struct tm_error *err);

#endif
