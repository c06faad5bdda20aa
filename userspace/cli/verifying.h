/* SPDX-License-Identifier: MIT */
/*
 * verifying.h - the two ways of `verify`: reading a point, starting its machine
 */
#ifndef TIDEMARK_CLI_VERIFYING_H
#define TIDEMARK_CLI_VERIFYING_H

#include "cli/mounting.h"

/* The options of the second one. */
extern const struct poptOption verify_boot_options[];

/* Was it asked for, or any that goes with nothing else? -EINVAL: in vain. */
int verify_boot_wanted(const struct cli *cli, bool *ret, struct tm_error *err);

/*
 * Starts the machine of the point that @which says, from disk @disk (NULL: what it
 * booted from), and records what became of it. -EBADMSG: it did not show the sign.
 */
int verify_boot(struct cli *cli, const struct tm_config *config,
		const struct mounting_choice *which, const char *disk,
		struct tm_error *err);

#endif
