/* SPDX-License-Identifier: MIT */
/*
 * watch.h - recording the loss of tracking as it happens
 */
#ifndef TIDEMARK_ENGINE_WATCH_H
#define TIDEMARK_ENGINE_WATCH_H

#include "engine/report.h"
#include "model/error.h"

/* The loss of a device's tracking has just been recorded. */
typedef void (*watch_fn)(void *arg, const char *device);

/*
 * Records every loss under @state that there is and that comes, until
 * report_cancelled(). Keeps this process in memory. What cannot be recorded is
 * a warning, and tried again. 0 when it was told to end, or -errno with @err set.
 */
int watch_run(const char *state, const struct report *report, watch_fn recorded,
	      void *arg, struct tm_error *err);

#endif
