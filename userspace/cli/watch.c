// SPDX-License-Identifier: MIT
/* watch.c - `tidemark watch` */

#include <stdio.h>

#include "cli/cli.h"
#include "cli/settings.h"
#include "engine/watch.h"
#include "model/config.h"

/* For the journal, or as a line of JSON, when it happens. */
static void recorded(void *arg, const char *device)
{
	struct cli *cli = arg;
	json_t *line, *list = json_object_get(cli->result, "recorded");

	json_array_append_new(list, json_string(device));
	report_warning(&cli->report, "the tracking of '%s' is lost, which is "
		       "recorded: its next backup compares everything", device);
	if (!cli->json)
		return;
	line = json_pack("{s:s, s:s}", "event", "lost", "device", device);
	json_dumpf(line, stderr, JSON_COMPACT);
	fputc('\n', stderr);
	json_decref(line);
}

static int watch_verb(struct cli *cli, const char **args, struct tm_error *err)
{
	struct tm_config config;
	int r = settings_load(cli, &config, err);

	(void)args;
	if (r)
		return r;
	cli_result(cli, "recorded", json_array());
	return watch_run(config.state, &cli->report, recorded, cli, err);
}

const struct verb verb_watch = {
	.name = "watch",
	.arguments = "",
	.summary = "record the loss of tracking as soon as it happens",
	.text =
"Waits for events of tracked devices until it is told to end (SIGTERM). When the\n"
"metadata of one fail, the kernel holds writes that need them until it is known\n"
"durably that tracking is lost: this program records that in the state directory\n"
"and tells the kernel, which lets them go. The next backup then compares\n"
"everything, even if the machine was restarted and the metadata read well again.\n"
"\n"
"tidemark-watch.service runs it. If it does not run, or the state directory lies\n"
"on the very device that waits, --meta-timeout and --on-lost of 'attach' decide.\n",
	.examples =
"  systemctl enable --now tidemark-watch.service\n",
	.max_args = 0,
	.run = watch_verb,
};
