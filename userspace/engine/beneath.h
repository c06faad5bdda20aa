/* SPDX-License-Identifier: MIT */
/*
 * beneath.h - writing to a device whose tracking is not at work
 *
 * What was detached, or not attached since a boot, has metadata that still vouch
 * for it, and that do not see what is written meanwhile.
 */
#ifndef TIDEMARK_ENGINE_BENEATH_H
#define TIDEMARK_ENGINE_BENEATH_H

#include "model/error.h"

/*
 * Whatever this machine has recorded as tracked, whose origin shares bytes with
 * the block device @path, and of which there is no mapping now: its metadata are
 * made anew, so that the next backup after it is attached compares all of it.
 * @state is the state directory. 0 or -errno with @err set.
 */
int beneath_forget(const char *state, const char *path, struct tm_error *err);

#endif
