// SPDX-License-Identifier: MIT
/* snapshot.c - `tidemark snapshot create`, `list`, `remove` and `mount` */

#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/progress.h"
#include "cli/settings.h"
#include "engine/snapshot.h"

static struct {
	int all, no_freeze, pool_kib, cut_timeout, unmount;
	char *name, *mode, *store;
} opt;

static const struct poptOption create_options[] = {
	{ "all", 0, POPT_ARG_NONE, &opt.all, 0,
	  "of every tracked device", NULL },
	{ "name", 'n', POPT_ARG_STRING, &opt.name, 0,
	  "of the view; with several devices NAME-DEVICE (default: "
	  "DEVICE-view)", "NAME" },
	{ "mode", 0, POPT_ARG_STRING, &opt.mode, 0,
	  "keep all of the disk readable, or only what has changed since the "
	  "last recovery point (default full)", "full|delta" },
	{ "store", 0, POPT_ARG_STRING, &opt.store, 0,
	  "block device where old data are kept; '-': in memory alone "
	  "(default: as attached)", "DEVICE|-" },
	{ "pool", 0, POPT_ARG_INT, &opt.pool_kib, 0,
	  "memory for old data, for each device (default: as configured, 16M)",
	  "KIB" },
	{ "no-freeze", 0, POPT_ARG_NONE, &opt.no_freeze, 0,
	  "do not freeze filesystems for the cut", NULL },
	{ "cut-timeout", 0, POPT_ARG_INT, &opt.cut_timeout, 0,
	  "how long filesystems and devices may stand still (default: as "
	  "configured, 10)", "SECONDS" },
	POPT_TABLEEND
};

static const struct poptOption remove_options[] = {
	{ "all", 0, POPT_ARG_NONE, &opt.all, 0, "all that there are", NULL },
	{ "unmount", 0, POPT_ARG_NONE, &opt.unmount, 0,
	  "unmount it first", NULL },
	POPT_TABLEEND
};

static const char *state_word(const struct snapshot_view *v)
{
	static const char *const words[] = {
		[SNAP_WAITING] = "waiting",
		[SNAP_VALID] = "valid",
		[SNAP_INVALID] = "invalid",
	};

	return words[v->status.state];
}

static json_t *mounts_json(const struct snapshot_view *v)
{
	json_t *list = json_array();

	for (char **m = v->mounts; *m; m++)
		json_array_append_new(list, json_string(*m));
	return list;
}

/* The kernel counts blocks of 4 KiB. */
static json_t *bytes_json(uint64_t blocks)
{
	return json_integer((json_int_t)(blocks * 4096));
}

static json_t *view_json(const struct snapshot_view *v)
{
	const struct snap_status *st = &v->status;
	const char *device = v->device[0] ? v->device : NULL;
	const char *cause = snap_cause_word(st->cause);
	const char *store = v->store[0] ? v->store : NULL;
	char when[TM_TIME_SIZE] = "";

	tm_time_format(when, v->of.time);
	return json_pack("{s:s, s:s+, s:s?, s:s, s:s, s:s, s:s?, s:s, s:s?, "
			 "s:o, s:o, s:o, s:o, s:o}",
			 "name", v->name, "node", "/dev/mapper/", v->name,
			 "device", device, "cut", v->of.cut, "created", when,
			 "state", state_word(v), "cause", *cause ? cause : NULL,
			 "mode", v->full ? "full" : "delta", "store", store,
			 "store_used_bytes", bytes_json(st->store_used),
			 "store_size_bytes", bytes_json(st->store_size),
			 "pool_used_bytes", bytes_json(st->pool_used),
			 "pool_size_bytes", bytes_json(st->pool_size),
			 "mounts", mounts_json(v));
}

static json_t *views_json(const struct snapshot_views *views)
{
	json_t *list = json_array();

	for (size_t i = 0; i < views->n; i++)
		json_array_append_new(list, view_json(&views->v[i]));
	return list;
}

static int check_create(struct cli *cli, const char **args,
			struct tm_error *err)
{
	if (opt.all && args[0])
		return cli_usage(cli, err, "'--all' goes with no device");
	if (!opt.all && !args[0])
		return cli_usage(cli, err, "a device is missing");
	if (opt.mode && strcmp(opt.mode, "full") && strcmp(opt.mode, "delta"))
		return cli_usage(cli, err, "option '--mode' is full or delta, "
				 "not '%s'", opt.mode);
	if (opt.store && strcmp(opt.store, "-") && (opt.all || args[1]))
		return cli_usage(cli, err, "one store is for one device; give "
				 "each device its own when it is attached");
	if (opt.pool_kib < 0 || opt.pool_kib > 1048576)
		return cli_usage(cli, err, "option '--pool' needs 64 to 1048576 "
				 "KiB, not %d", opt.pool_kib);
	if (opt.cut_timeout < 0 || opt.cut_timeout > TM_CUT_TIMEOUT_MAX)
		return cli_usage(cli, err, "option '--cut-timeout' needs 1 to "
				 "%d seconds, not %d", TM_CUT_TIMEOUT_MAX,
				 opt.cut_timeout);
	return opt.name ? tm_name_check(opt.name, "snapshot", err) : 0;
}

static void say_created(struct cli *cli, const struct snapshot_views *views,
			const struct source_cut_report *report)
{
	if (report->warning[0])
		report_warning(&cli->report, "%s", report->warning);
	for (size_t i = 0; i < views->n; i++)
		cli_say(cli, "/dev/mapper/%s shows %s as it was\n",
			views->v[i].name, views->v[i].device);
	cli_result(cli, "consistency", json_string(report->unfrozen ||
		   opt.no_freeze ? "crash-consistent" :
		   "filesystem-consistent"));
	cli_result(cli, "frozen", json_integer(report->frozen));
	cli_result(cli, "held_microseconds",
		   json_integer((json_int_t)report->held_us));
	cli_result(cli, "cut", json_string(views->v[0].of.cut));
	cli_result(cli, "views", views_json(views));
}

static int create_run(struct cli *cli, const char **args, struct tm_error *err)
{
	struct snapshot_request req = { .devices = args, .name = opt.name,
					.store = opt.store };
	struct source_cut_report report;
	struct snapshot_views views;
	struct tm_config config;
	int r = check_create(cli, args, err);

	if (!r)
		r = settings_load(cli, &config, err);
	if (r)
		return r;
	req.state = config.state;
	req.options.full = !opt.mode || !strcmp(opt.mode, "full");
	req.options.pool_kib = config.pool / 1024;
	if (opt.pool_kib)
		req.options.pool_kib = opt.pool_kib;
	req.options.cow_timeout_s = config.cow_timeout;
	req.cut.no_freeze = opt.no_freeze || !config.freeze;
	req.cut.freeze_timeout_ms = config.freeze_timeout * 1000;
	req.cut.hold_timeout_ms = config.cut_timeout * 1000;
	if (opt.cut_timeout)
		req.cut.hold_timeout_ms = opt.cut_timeout * 1000;
	r = snapshot_create(&req, &views, &report, err);
	if (r)
		return r;
	say_created(cli, &views, &report);
	snapshot_views_done(&views);
	return 0;
}

static void say_view(const struct cli *cli, const struct snapshot_view *v)
{
	char when[TM_TIME_SIZE] = "", used[16], size[16];
	const struct snap_status *st = &v->status;

	tm_time_format(when, v->of.time);
	cli_say(cli, "%-20s of %s, %s, %s", v->name,
		v->device[0] ? v->device : "a device that is gone", when,
		state_word(v));
	if (st->state == SNAP_INVALID)
		cli_say(cli, ": %s", tm_view_cause(snap_cause_word(st->cause)));
	cli_say(cli, "\n    cut %s, %s", v->of.cut,
		v->full ? "full" : "delta");
	if (v->store[0])
		cli_say(cli, ", %s of %s used in %s",
			size_text(st->store_used * 4096, used, sizeof(used)),
			size_text(st->store_size * 4096, size, sizeof(size)),
			v->store);
	else
		cli_say(cli, ", %s of %s used in memory",
			size_text(st->pool_used * 4096, used, sizeof(used)),
			size_text(st->pool_size * 4096, size, sizeof(size)));
	for (char **m = v->mounts; *m; m++)
		cli_say(cli, ", mounted on %s", *m);
	cli_say(cli, "\n");
}

static int list_run(struct cli *cli, const char **args, struct tm_error *err)
{
	struct snapshot_views views;
	int r = snapshot_list(&views, err);

	(void)args;
	if (r)
		return r;
	for (size_t i = 0; i < views.n; i++)
		say_view(cli, &views.v[i]);
	if (!views.n)
		cli_say(cli, "No snapshots.\n");
	cli_result(cli, "views", views_json(&views));
	snapshot_views_done(&views);
	return 0;
}

static int remove_one(struct cli *cli, json_t *removed, const char *name,
		      struct tm_error *err)
{
	int r = snapshot_remove(name, opt.unmount, err);

	if (r)
		return r;
	cli_say(cli, "Snapshot '%s' is gone\n", name);
	json_array_append_new(removed, json_string(name));
	return 0;
}

static int remove_run(struct cli *cli, const char **args, struct tm_error *err)
{
	struct snapshot_views views = { .v = NULL };
	json_t *removed = json_array();
	int r = 0;

	cli_result(cli, "removed", removed);
	if (opt.all && args[0])
		return cli_usage(cli, err, "'--all' goes with no name");
	if (!opt.all && !args[0])
		return cli_usage(cli, err, "a name is missing");
	if (opt.all)
		r = snapshot_list(&views, err);
	for (size_t i = 0; !r && i < views.n; i++)
		r = remove_one(cli, removed, views.v[i].name, err);
	for (; !r && *args; args++)
		r = remove_one(cli, removed, *args, err);
	snapshot_views_done(&views);
	return r;
}

static int mount_run(struct cli *cli, const char **args, struct tm_error *err)
{
	char type[32];
	int r = snapshot_mount(args[0], args[1], type, err);

	if (r)
		return r;
	cli_say(cli, "%s (%s) is mounted on %s, to be read\n", args[0], type,
		args[1]);
	cli_result(cli, "name", json_string(args[0]));
	cli_result(cli, "type", json_string(type));
	cli_result(cli, "mount", json_string(args[1]));
	return 0;
}

const struct verb verb_snapshot_create = {
	.name = "snapshot create",
	.arguments = "DEVICE... | --all",
	.summary = "show tracked devices as they are now, for good",
	.text =
"Cuts the tracked devices, at most 64, at one instant, as a backup does, and\n"
"makes a view of each: a read-only device, /dev/mapper/DEVICE-view, which goes\n"
"on showing that instant while DEVICE is written. No vault is needed, and the\n"
"next backup sends what it would have sent without: but it has to wait until\n"
"the snapshot is removed, or to be told --drop-snapshot.\n"
"\n"
"What is overwritten is kept in the store that was given to attach, else in\n"
"memory. When there is no more room the view becomes invalid; the device never\n"
"fails. A snapshot does not outlive a reboot.\n",
	.examples =
"  tidemark snapshot create data log --name before-upgrade\n"
"  tidemark snapshot create --all --no-freeze --json\n",
	.options = create_options,
	.max_args = -1,
	.run = create_run,
};

const struct verb verb_snapshot_list = {
	.name = "snapshot list",
	.arguments = "",
	.summary = "list the snapshots of this machine",
	.text =
"For each view: of which device, when it was made, whether it is valid and if\n"
"not why, its cut, how much of its store is used, and where it is mounted.\n",
	.examples =
"  tidemark snapshot list\n",
	.max_args = 0,
	.run = list_run,
};

const struct verb verb_snapshot_remove = {
	.name = "snapshot remove",
	.arguments = "NAME... | --all",
	.summary = "end snapshots",
	.text =
"Removes views and ends their cuts. What has changed counts for the next backup\n"
"as it did before. A view that is mounted or open is left alone; --unmount\n"
"unmounts it.\n",
	.examples =
"  tidemark snapshot remove data-view\n"
"  tidemark snapshot remove --all --unmount\n",
	.options = remove_options,
	.max_args = -1,
	.run = remove_run,
};

const struct verb verb_snapshot_mount = {
	.name = "snapshot mount",
	.arguments = "NAME DIR",
	.summary = "mount the filesystem in a snapshot, to be read",
	.text =
"The view cannot be written, so the filesystem's log is not replayed. It holds\n"
"nothing of note when the filesystem was frozen for the cut, the rule. After\n"
"--no-freeze, or when it could not be frozen, what stands only in the log is\n"
"not seen, and what is seen may not fit together.\n"
"\n"
"umount(8) unmounts it, or 'snapshot remove --unmount'.\n",
	.examples =
"  tidemark snapshot mount data-view /mnt\n",
	.min_args = 2,
	.max_args = 2,
	.run = mount_run,
};
