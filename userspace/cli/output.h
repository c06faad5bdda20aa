/* SPDX-License-Identifier: MIT */
/* output.h - how a verb ends: the JSON envelope, the error, the exit status */
#ifndef TIDEMARK_CLI_OUTPUT_H
#define TIDEMARK_CLI_OUTPUT_H

#include "cli/cli.h"

/* Prints the end of a verb that returned @r; returns the exit status. */
int output_finish(const struct cli *cli, int r, const struct tm_error *err);

#endif
