/* SPDX-License-Identifier: MIT */
/*
 * progress.h - how far a job is: bars on a terminal, JSON lines with --json
 *
 * On a terminal a line for each disk that is under way, and one for all of them
 * if there are several. With --json a line of JSON for each disk, once a second
 * and when it begins and ends:
 *
 *	{"format":1,"type":"progress","verb":...,"stage":...,"disk":...,
 *	 "done":n,"total":n,"bytes_uploaded":n,"bytes_per_second":n,
 *	 "seconds_left":n,"all":{"done":n,...}}
 *
 * "bytes_downloaded" instead where the service is read; "disk", "seconds_left"
 * where there is one; "all" if there are several disks. Otherwise nothing is
 * printed but warnings.
 */
#ifndef TIDEMARK_CLI_PROGRESS_H
#define TIDEMARK_CLI_PROGRESS_H

#include <stddef.h>
#include <stdint.h>
#include "cli/cli.h"

/* A report for the engine that draws for @cli, which must outlive it. */
struct report progress_report(struct cli *cli);

/* Takes the bars off the terminal. To be called before anything is printed. */
void progress_end(void);

/* "12.3 MiB" into @buf, which is returned. */
const char *size_text(uint64_t bytes, char *buf, size_t len);

/* "1:02:03" or "2:03" into @buf, which is returned. */
const char *duration_text(uint64_t seconds, char *buf, size_t len);

#endif
