/* SPDX-License-Identifier: MIT */
/*
 * progress.h - how far a job is: a bar on a terminal, JSON lines with --json
 *
 * Off a terminal and without --json nothing is printed but warnings.
 */
#ifndef TIDEMARK_CLI_PROGRESS_H
#define TIDEMARK_CLI_PROGRESS_H

#include <stddef.h>
#include <stdint.h>
#include "cli/cli.h"

/* A report for the engine that draws for @cli, which must outlive it. */
struct report progress_report(struct cli *cli);

/* Takes the bar off the terminal. To be called before anything is printed. */
void progress_end(void);

/* "12.3 MiB" into @buf, which is returned. */
const char *size_text(uint64_t bytes, char *buf, size_t len);

/* "1:02:03" or "2:03" into @buf, which is returned. */
const char *duration_text(uint64_t seconds, char *buf, size_t len);

#endif
