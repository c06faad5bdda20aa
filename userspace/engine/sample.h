/* SPDX-License-Identifier: MIT */
/*
 * sample.h - is all that was written marked? A look at some that is not
 */
#ifndef TIDEMARK_ENGINE_SAMPLE_H
#define TIDEMARK_ENGINE_SAMPLE_H

#include "engine/target.h"

/*
 * Reads as many chunks at random as the settings sample_share and sample_bytes
 * say that are not in the ship set, from the live disk, and compares them with
 * the hash table. *@ret_bypassed says that one differs: it was written without
 * being marked.
 */
int sample_disk(struct target *t, const struct tm_config *config,
		bool *ret_bypassed, struct tm_error *err);

#endif
