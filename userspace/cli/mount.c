// SPDX-License-Identifier: MIT
/* mount.c - `tidemark mount` and `tidemark umount` */

#include <errno.h>
#include <stdlib.h>
#include "cli/mounting.h"
#include "cli/progress.h"

static int all;

static const struct poptOption umount_options[] = {
	{ "all", 0, POPT_ARG_NONE, &all, 0,
	  "all that are mounted, or were left half mounted", NULL },
	POPT_TABLEEND
};

static void report_mounted(struct cli *cli, const struct mounted *m)
{
	json_t *list = json_array();
	char path[PATH_MAX];
	size_t i;

	progress_end();
	cli_say(cli, "Recovery point %s is mounted, to be read:\n", m->point);
	for (i = 0; i < m->n_trees; i++) {
		const struct mounted_tree *t = &m->trees[i];

		if (snprintf(path, sizeof(path), "%s/%s", m->dir, t->name) >=
		    PATH_MAX)
			continue;
		cli_say(cli, "  %-10s %s\n", t->type, path);
		json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s}",
						      "name", t->name,
						      "path", path,
						      "type", t->type,
						      "node", t->node));
	}
	cli_result(cli, "id", json_string(m->id));
	cli_result(cli, "point", json_string(m->point));
	cli_result(cli, "dir", json_string(m->dir));
	cli_result(cli, "filesystems", list);
}

static int mount_run(struct cli *cli, const char **args, struct tm_error *err)
{
	struct tm_error why = TM_ERROR_INIT;
	struct tm_config config;
	struct mounted m;
	char dir[PATH_MAX];
	int r = mounting_need_root("mount a recovery point", err);

	if (!r)
		r = settings_load(cli, &config, err);
	if (!r)
		r = mounting_absolute(args[0], dir, err);
	if (!r)
		r = mounting_begin(cli, &config, dir, &m, err);
	if (r)
		return r;
	if (m.n_trees) {
		report_mounted(cli, &m);
	} else {
		if (mounted_end(&config, &m, &why))
			report_warning(&cli->report, "%s", why.message);
		r = tm_error_set(err, -ENOENT, TM_EXIT_NOT_FOUND, m.point,
				 "cannot mount recovery point '%s': it has no filesystem that can be mounted",
				 m.point);
		tm_error_action(err, "'tidemark nbd DISK' serves a disk as it is");
	}
	mounted_done(&m);
	return r;
}

static int end_one(struct cli *cli, const struct tm_config *config,
		   struct mounted *m, json_t *list, struct tm_error *err)
{
	int r = mounted_end(config, m, err);

	if (r)
		return r;
	cli_say(cli, "Recovery point %s is no longer mounted on '%s'\n",
		m->point, m->dir);
	json_array_append_new(list, json_string(m->dir));
	return 0;
}

/* All of them, although one may be in use: the first failure is told. */
static int end_all(struct cli *cli, const struct tm_config *config,
		   json_t *list, struct tm_error *err)
{
	struct tm_error why = TM_ERROR_INIT;
	struct mounted *v;
	size_t n, i;
	int r = mounted_list(config, &v, &n, err), one;

	if (r)
		return r;
	for (i = 0; i < n; i++) {
		one = end_one(cli, config, &v[i], list, r ? &why : err);
		if (!r)
			r = one;
		mounted_done(&v[i]);
	}
	free(v);
	return r;
}

static int umount_run(struct cli *cli, const char **args, struct tm_error *err)
{
	json_t *list = json_array();
	struct tm_config config;
	struct mounted m;
	char dir[PATH_MAX];
	int r;

	cli_result(cli, "unmounted", list);
	if (all && args[0])
		return cli_usage(cli, err, "'--all' goes with no directory");
	if (!all && !args[0])
		return cli_usage(cli, err, "a directory is missing");
	r = mounting_need_root("unmount a recovery point", err);
	if (!r)
		r = settings_load(cli, &config, err);
	if (r)
		return r;
	if (all)
		return end_all(cli, &config, list, err);
	r = mounting_absolute(args[0], dir, err);
	if (!r)
		r = mounted_find(&config, dir, &m, err);
	if (r)
		return r;
	r = end_one(cli, &config, &m, list, err);
	mounted_done(&m);
	return r;
}

const struct verb verb_mount = {
	.name = "mount",
	.arguments = "DIR",
	.summary = "mount the filesystems in a recovery point, to be read",
	.text =
"Each filesystem of the point's disks is mounted in a directory of its own below\n"
"DIR, which has to be empty: DISK-pN for a partition, GROUP-VOLUME for a logical\n"
"volume, md-ID for an array, with -luks behind what was in a LUKS container.\n"
"\n"
"Nothing is restored: only what is read comes from the vault, and each chunk of\n"
"it is checked. Logs of filesystems are replayed, and volume groups, which get\n"
"names of their own, are activated in an overlay that is thrown away: the point\n"
"stays as it is, and it works on the machine that was backed up, while its own\n"
"disks are in use. 'umount' takes all of it down again.\n"
"\n"
"What cannot be mounted is a warning (exit status 3).\n",
	.examples =
"  tidemark mount /mnt\n"
"  tidemark mount /mnt --point 20260102T030405Z --disk root\n"
"  tidemark mount /mnt --key-file /root/luks.key\n",
	.options = mounting_options,
	.min_args = 1,
	.max_args = 1,
	.run = mount_run,
};

const struct verb verb_umount = {
	.name = "umount",
	.arguments = "DIR | --all",
	.summary = "take a mounted recovery point down",
	.text =
"Unmounts the filesystems below DIR and ends what was set up for them, from the\n"
"top down: containers, volume groups, arrays, devices, servers. It does so too\n"
"after a mount that was killed, and can be called again. Where something is in\n"
"use it says what, and leaves the rest (exit status 7).\n",
	.examples =
"  tidemark umount /mnt\n"
"  tidemark umount --all\n",
	.options = umount_options,
	.max_args = 1,
	.run = umount_run,
};
