/* SPDX-License-Identifier: MIT */
/* points.h - the moments of a log at which the power is cut */
#ifndef TESTS_CRASH_POINTS_H
#define TESTS_CRASH_POINTS_H

#include "history.h"

/* Has a flush or a FUA write of a disk ended here? */
bool points_is_mark(const struct event *e);

/*
 * Sets @ret for so many of the marks (-1: all), and for so many positions more,
 * drawn with @seed: the power goes after the event there.
 */
void points_choose(const struct history *h, uint64_t seed, int64_t marks,
		   uint64_t points, bool *ret);

/*
 * One position, drawn among those in *@state: `end`, `close` (chunk sectors are
 * being written, which are @chunk_area and on) or the last word that was marked.
 * If there is none it is the end, and *@state says so.
 */
size_t points_moment(const struct history *h, uint64_t seed,
		     uint64_t chunk_area, const char **state);

#endif
