/* SPDX-License-Identifier: MIT */
/*
 * trial.h - what a backup does to page blobs, tried on one made for it
 *
 * The blob is small, has a random name under probes/, and is deleted whatever
 * happens, even after a cancellation. Where deleting is not permitted it stays,
 * and the check says so.
 */
#ifndef TIDEMARK_ENGINE_TRIAL_H
#define TIDEMARK_ENGINE_TRIAL_H

#include "engine/probe.h"

/*
 * Makes the checks from `create` on in @container; NULL: there is none, all are
 * skipped. @own: the container was made for this, and is deleted as well.
 */
void trial_run(struct probe *p, const char *container, bool own);

#endif
