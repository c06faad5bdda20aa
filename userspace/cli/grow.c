// SPDX-License-Identifier: MIT
/* grow.c - `tidemark grow` */

#include "cli/cli.h"
#include "cli/progress.h"
#include "cli/settings.h"
#include "engine/grow.h"
#include "model/config.h"

static int grow_verb(struct cli *cli, const char **args, struct tm_error *err)
{
	struct grow_result res;
	struct tm_config config;
	char was[16], is[16];
	int r = settings_load(cli, &config, err);

	if (!r)
		r = grow(args[0], config.state, &res, err);
	if (r)
		return r;
	size_text(res.was_bytes, was, sizeof(was));
	size_text(res.size_bytes, is, sizeof(is));
	if (res.size_bytes == res.was_bytes)
		cli_say(cli, "%s has %s, as what lies below it\n", args[0], is);
	else
		cli_say(cli, "%s has %s now, and had %s; what was added counts "
			"as changed\n", args[0], is, was);
	cli_result(cli, "device", json_string(args[0]));
	cli_result(cli, "was_bytes", json_integer((json_int_t)res.was_bytes));
	cli_result(cli, "size_bytes", json_integer((json_int_t)res.size_bytes));
	return 0;
}

const struct verb verb_grow = {
	.name = "grow",
	.arguments = "NAME",
	.summary = "let a tracked device follow what lies below, that has grown",
	.text =
"Makes the tracked device NAME as large as its disk, partition or volume is now,\n"
"while it is in use. What it has tracked is kept, and what was added counts as\n"
"changed. Metadata in a file become larger if need be; a metadata device must be\n"
"large enough. Grow the filesystem on it afterwards.\n"
"\n"
"It waits for no backup: while one is running it is refused.\n",
	.examples =
"  lvextend -L +10G vg/data\n"
"  tidemark grow tm-dm-3\n"
"  resize2fs /dev/mapper/tm-dm-3\n",
	.min_args = 1,
	.max_args = 1,
	.run = grow_verb,
};
