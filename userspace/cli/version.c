// SPDX-License-Identifier: MIT
/* version.c - `tidemark version` */

#include "cli/cli.h"

static int version_run(struct cli *cli, const char **args, struct tm_error *err)
{
	(void)args;
	(void)err;
	cli_say(cli, "tidemark %s\n", TIDEMARK_VERSION);
	cli_result(cli, "version", json_string(TIDEMARK_VERSION));
	return 0;
}

const struct verb verb_version = {
	.name = "version",
	.arguments = "",
	.summary = "print the version",
	.text = "The kernel module's version is shown by 'tidemark status'.\n",
	.examples = "  tidemark version --json\n",
	.run = version_run,
};
