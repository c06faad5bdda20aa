/* SPDX-License-Identifier: MIT */
/*
 * signals.h - SIGINT, SIGTERM and SIGHUP ask a job to end; SIGWINCH to redraw
 *
 * The first signal lets the job release what it holds; the second one ends the
 * program at once.
 */
#ifndef TIDEMARK_CLI_SIGNALS_H
#define TIDEMARK_CLI_SIGNALS_H

#include <stdbool.h>

void signals_install(void);
bool signals_cancelled(void);

/* True once after each SIGWINCH. */
bool signals_resized(void);

#endif
