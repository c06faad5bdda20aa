// SPDX-License-Identifier: MIT
/* attach.c - `tidemark attach` */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/settings.h"
#include "engine/attach.h"
#include "engine/attached.h"
#include "model/config.h"

static struct {
	int all;
	char *name, *store, *store_size, *chunk_size, *region_size, *on_lost;
	int wait_s, close_after, meta_timeout;
} opt = { .close_after = -1, .meta_timeout = -1 };

static const struct poptOption options[] = {
	{ "all", 0, POPT_ARG_NONE, &opt.all, 0,
	  "attach everything that was attached before, as at boot", NULL },
	{ "name", 0, POPT_ARG_STRING, &opt.name, 0,
	  "of the tracked device (default tm-DEVICE)", "NAME" },
	{ "store", 0, POPT_ARG_STRING, &opt.store, 0,
	  "where snapshots keep old data: a device or a file (default: only "
	  "in memory)", "PATH" },
	{ "store-size", 0, POPT_ARG_STRING, &opt.store_size, 0,
	  "make the store, a file, of this size", "SIZE" },
	{ "chunk-size", 0, POPT_ARG_STRING, &opt.chunk_size, 0,
	  "of what is tracked as a whole (default 64K)", "SIZE" },
	{ "region-size", 0, POPT_ARG_STRING, &opt.region_size, 0,
	  "of what a crash makes count as changed (default: by the disk's "
	  "size)", "SIZE" },
	{ "close-after", 0, POPT_ARG_INT, &opt.close_after, 0,
	  "close a region in which nothing new was written for so long "
	  "(default 10)", "SECONDS" },
	{ "meta-timeout", 0, POPT_ARG_INT, &opt.meta_timeout, 0,
	  "how long a write may wait for metadata (default 10)", "SECONDS" },
	{ "on-lost", 0, POPT_ARG_STRING, &opt.on_lost, 0,
	  "what becomes of that write then (default pass)", "fail|pass" },
	{ "wait", 0, POPT_ARG_INT, &opt.wait_s, 0,
	  "wait so long for devices to appear, with a recorded NAME or --all",
	  "SECONDS" },
	POPT_TABLEEND
};

static int size_option(struct cli *cli, const char *name, const char *text,
		       uint64_t *ret, struct tm_error *err)
{
	if (!text || !tm_size_parse(text, ret))
		return 0;
	return cli_usage(cli, err, "option '--%s' needs a size such as 64K or "
			 "2G, not '%s'", name, text);
}

static int seconds_option(struct cli *cli, const char *name, int given, int max,
			  uint32_t *ret, struct tm_error *err)
{
	if (given == -1)
		return 0;
	if (given < 1 || given > max)
		return cli_usage(cli, err, "option '--%s' needs 1 to %d "
				 "seconds, not %d", name, max, given);
	*ret = (uint32_t)given;
	return 0;
}

/* How to track: what is not given is as the configuration says. */
static int tracking_options(struct cli *cli, struct tm_tracking *ret,
			    struct tm_error *err)
{
	int r = size_option(cli, "region-size", opt.region_size,
			    &ret->region_size, err);

	if (!r)
		r = seconds_option(cli, "close-after", opt.close_after,
				   TM_CLOSE_AFTER_MAX, &ret->close_after, err);
	if (!r)
		r = seconds_option(cli, "meta-timeout", opt.meta_timeout,
				   TM_META_TIMEOUT_MAX, &ret->meta_timeout,
				   err);
	if (r || !opt.on_lost)
		return r;
	if (strcmp(opt.on_lost, "fail") && strcmp(opt.on_lost, "pass"))
		return cli_usage(cli, err, "option '--on-lost' is fail or pass, "
				 "not '%s'", opt.on_lost);
	ret->on_lost = strcmp(opt.on_lost, "fail") ? TM_ON_LOST_IS_PASS :
						     TM_ON_LOST_IS_FAIL;
	return 0;
}

static json_t *result_json(const struct attach_result *res)
{
	return json_pack("{s:s, s:s+, s:s, s:s, s:s, s:I, s:b, s:s?}",
			 "device", res->name, "node", "/dev/mapper/",
			 res->name, "origin", res->origin, "meta", res->meta,
			 "store", res->store, "size_bytes",
			 (json_int_t)res->size_bytes, "all_changed",
			 res->all_changed, "reason",
			 res->reason[0] ? res->reason : NULL);
}

static void say(struct cli *cli, const struct attach_result *res)
{
	cli_say(cli, "/dev/mapper/%s tracks %s, metadata in %s\n", res->name,
		res->origin, res->meta);
	if (res->reason[0])
		report_warning(&cli->report, "the metadata of '%s' are not "
			       "believed: %s; its next backup compares "
			       "everything", res->name, res->reason);
	else if (res->all_changed)
		cli_say(cli, "What happened to it before now is not known: everything "
			     "counts as changed.\n");
}

/* One disk's failure must not keep the others from being attached. */
static int attach_all(struct cli *cli, const struct tm_config *config,
		      struct tm_error *err)
{
	json_t *list = json_array(), *failed = json_array();
	struct tm_error first = TM_ERROR_INIT, one = TM_ERROR_INIT;
	struct attach_result res;
	struct tm_attached a;
	char **names;
	size_t n;
	int r = attached_list(config->state, &names, &n, err);

	for (size_t i = 0; !r && i < n; i++) {
		int one_r = attached_load(config->state, names[i], &a, &one);
		bool detached = !one_r && a.detached;

		if (!one_r)
			tm_attached_done(&a);
		if (detached)
			continue;
		if (!one_r)
			one_r = attach_again(names[i], config, opt.wait_s,
					     &res, &one);
		if (!one_r) {
			say(cli, &res);
			json_array_append_new(list, result_json(&res));
		} else if (one_r != -EALREADY) {
			json_array_append_new(failed, json_string(names[i]));
			if (!first.errnum)
				first = one;
		}
	}
	if (!r)
		attached_free_list(names, n);
	cli_result(cli, "attached", list);
	cli_result(cli, "failed", failed);
	if (!r && first.errnum) {
		r = first.errnum;
		*err = first;
	}
	return r;
}

static int attach_one(struct cli *cli, const char **args,
		      const struct tm_config *config, struct tm_error *err)
{
	struct attach_request req = {
		.origin = args[0], .meta = args[1], .store = opt.store,
		.name = opt.name,
	};
	struct attach_result res;
	uint64_t chunk_size = 0;
	int r = size_option(cli, "chunk-size", opt.chunk_size, &chunk_size,
			    err);

	if (!r)
		r = size_option(cli, "store-size", opt.store_size,
				&req.store_size, err);
	if (!r)
		r = tracking_options(cli, &req.how, err);
	if (r)
		return r;
	if (chunk_size > UINT32_MAX)
		return cli_usage(cli, err, "chunks cannot be as large as '%s'",
				 opt.chunk_size);
	req.chunk_size = chunk_size;
	if (strchr(args[0], '/') || args[1])
		r = attach_new(&req, config, &res, err);
	else
		r = attach_again(args[0], config, opt.wait_s, &res, err);
	if (r == -EALREADY)
		return tm_error_set(err, r, TM_EXIT_REFUSED, args[0],
				    "cannot attach '%s': it is attached",
				    args[0]);
	if (r)
		return r;
	say(cli, &res);
	cli_result(cli, "attached", result_json(&res));
	return 0;
}

static int attach_run(struct cli *cli, const char **args, struct tm_error *err)
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
		return attach_all(cli, &config, err);
	return attach_one(cli, args, &config, err);
}

const struct verb verb_attach = {
	.name = "attach",
	.arguments = "DEVICE [META] | NAME | --all",
	.summary = "track the changes of a disk, partition or volume",
	.text =
"Puts a tracked device, /dev/mapper/tm-DEVICE, over DEVICE, which must not be\n"
"in use. Use the tracked device in its place from then on: mount it, make a\n"
"volume group on it. What changes is remembered in META, a device or a file on\n"
"another disk (a file is made if it is not there; without META it is made in\n"
"the state directory; '-' is memory alone, forgotten at a reboot).\n"
"\n"
"A volume group on it is seen twice, on DEVICE too: have LVM reject DEVICE\n"
"(devices/global_filter in lvm.conf), or at boot it may be used untracked.\n"
"\n"
"The tracked device is made again at boot by tidemark-attach.service. After\n"
"'tidemark detach', NAME alone attaches it as it was.\n",
	.examples =
"  tidemark attach /dev/sdc /dev/sdb1\n"
"  tidemark attach /dev/sdc1 /var/lib/tidemark/meta/data --name data \\\n"
"      --store /var/lib/tidemark/store/data --store-size 2G\n",
	.options = options,
	.min_args = 0,
	.max_args = 2,
	.run = attach_run,
};
