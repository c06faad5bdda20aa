/* SPDX-License-Identifier: MIT */
/* points_diff.h - `tidemark points diff --files`, beside the ranges */
#ifndef TIDEMARK_CLI_POINTS_DIFF_H
#define TIDEMARK_CLI_POINTS_DIFF_H

#include "cli/settings.h"
#include "model/point.h"

/*
 * Mounts both points for as long as it takes, as mounting_chosen says but for
 * which, and lists the files that differ. @only names a disk, or is NULL.
 */
int points_diff_files(struct cli *cli, const struct tm_config *config,
		      struct place *place, const struct tm_point *from,
		      const struct tm_point *to, char *only,
		      struct tm_error *err);

#endif
