// SPDX-License-Identifier: MIT
/* detach.c - `tidemark detach` */

#include <errno.h>

#include "cli/cli.h"
#include "cli/settings.h"
#include "engine/attach.h"
#include "engine/attached.h"
#include "model/config.h"
#include "port/mapping.h"

static struct {
	int all, end_cut;
} opt;

static const struct poptOption options[] = {
	{ "all", 0, POPT_ARG_NONE, &opt.all, 0,
	  "detach everything until the next boot, as at shutdown", NULL },
	{ "end-cut", 0, POPT_ARG_NONE, &opt.end_cut, 0,
	  "merge the cut of an unfinished backup back first", NULL },
	POPT_TABLEEND
};

static int detach_all(struct cli *cli, const char *state, struct tm_error *err)
{
	json_t *list = json_array(), *failed = json_array();
	struct tm_error first = TM_ERROR_INIT, one = TM_ERROR_INIT;
	struct mapping_info info;
	char **names;
	size_t n;
	int r = attached_list(state, &names, &n, err);

	for (size_t i = 0; !r && i < n; i++) {
		int one_r = mapping_info(names[i], &info, &one);

		if (!one_r && !info.exists)
			continue;
		if (!one_r)
			one_r = detach(names[i], state, true, true, &one);
		json_array_append_new(one_r ? failed : list,
				      json_string(names[i]));
		if (one_r && !first.errnum)
			first = one;
	}
	if (!r)
		attached_free_list(names, n);
	cli_result(cli, "detached", list);
	cli_result(cli, "failed", failed);
	if (!r && first.errnum) {
		r = first.errnum;
		*err = first;
	}
	return r;
}

static int detach_run(struct cli *cli, const char **args, struct tm_error *err)
{
	struct tm_config config;
	int r = settings_load(cli, &config, err);

	if (r)
		return r;
	if (opt.all && args[0])
		return cli_usage(cli, err, "'--all' goes with no device");
	if (!opt.all && !args[0])
		return cli_usage(cli, err, "a device is missing");
	if (opt.all)
		return detach_all(cli, config.state, err);
	r = detach(args[0], config.state, opt.end_cut, false, err);
	if (r)
		return r;
	cli_say(cli, "%s is detached; its metadata are kept\n", args[0]);
	cli_result(cli, "detached", json_string(args[0]));
	return 0;
}

const struct verb verb_detach = {
	.name = "detach",
	.arguments = "NAME | --all",
	.summary = "take tracking away from a disk, partition or volume",
	.text =
"Removes the tracked device NAME, which must not be in use. What it has\n"
"tracked is kept: 'tidemark attach NAME' goes on from there. What the device\n"
"below looks like is recorded. If it is used meanwhile, attach says so and the\n"
"next backup compares everything, as far as that can be noticed: do not use it\n"
"while it is detached.\n",
	.examples =
"  umount /srv\n"
"  tidemark detach tm-sdc1\n",
	.options = options,
	.min_args = 0,
	.max_args = 1,
	.run = detach_run,
};
