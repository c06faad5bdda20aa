// SPDX-License-Identifier: MIT
/* points.c - `tidemark points` and `points list` */

#include <stdio.h>
#include "cli/pointinfo.h"
#include "cli/progress.h"
#include "cli/settings.h"
#include "engine/document.h"
#include "engine/points.h"

static char *vault_url, *item_name;
static int all;

static const struct poptOption list_options[] = {
	{ "all", 'a', POPT_ARG_NONE, &all, 0,
	  "also what is deleted, and runs that ended without a point", NULL },
	{ "vault", 0, POPT_ARG_STRING, &vault_url, 0,
	  "the vault (default: this machine's)", "URL" },
	{ "item", 'i', POPT_ARG_STRING, &item_name, 0,
	  "name or id of the machine (default: this one)", "NAME" },
	POPT_TABLEEND
};

static void say_row(const struct cli *cli, const struct tm_point *p,
		    const struct pointinfo *info)
{
	struct tm_counters sum = tm_tally_sum(&p->tally);
	char when[TM_TIME_SIZE], sent[16], disks[64] = "", verified[32];
	char fate[64], booted[32];
	size_t i, len = 0;

	if (tm_time_format(when, p->time))
		return;
	if (p->tombstone) {
		cli_say(cli, "%-49s  %s  %s\n", p->name, when,
			p->deleted ? "deleted" : "no point");
		return;
	}
	for (i = 0; i < p->n_disks && len < sizeof(disks) - 1; i++)
		len += snprintf(disks + len, sizeof(disks) - len, "%s%s",
				i ? "," : "", p->disks[i].name);
	pointinfo_fate(info, fate, sizeof(fate));
	pointinfo_booted(info, booted, sizeof(booted));
	cli_say(cli, "%-49s  %s  %-22s  %9s sent  %-20s  %s%s%s%s%s\n", p->name,
		when, tm_consistency_name(p->consistency),
		size_text(sum.bytes_uploaded, sent, sizeof(sent)),
		pointinfo_verified(info, verified, sizeof(verified)), disks,
		*booted ? "  " : "", booted, *fate ? "  " : "", fate);
}

static int list_one(struct cli *cli, struct place *place,
		    const struct pointinfos *infos, const char *name,
		    json_t *list, struct tm_error *err)
{
	struct pointinfo info;
	struct tm_point point;
	json_t *json;
	int r;

	r = points_read(&place->vault, place->container, name, &point, err);
	if (r)
		return r;
	r = pointinfo_read(place, infos, name, &info, err);
	if (!r && (all || (!point.tombstone && !info.mark.deleted))) {
		say_row(cli, &point, &info);
		json = tm_point_json(&point);
		if (!point.tombstone)
			pointinfo_json(&info, json);
		json_array_append_new(list, json);
	}
	if (!r)
		pointinfo_done(&info);
	tm_point_done(&point);
	return r;
}

static int list_points(struct cli *cli, struct place *place,
		       struct tm_error *err)
{
	json_t *list = json_array();
	struct pointinfos infos;
	char **names;
	size_t n, i;
	int r;

	r = pointinfos_load(place, &infos, err);
	if (r)
		goto out_list;
	r = (all ? points_names_all : points_names)(&place->vault,
		place->container, &names, &n, err);
	if (r)
		goto out_infos;
	for (i = 0; i < n && !r; i++)
		r = list_one(cli, place, &infos, names[i], list, err);
	document_names_free(names, n);
	if (!r && !json_array_size(list))
		cli_say(cli, "No recovery points yet.\n");
	cli_result(cli, "item", json_string(place->item));
	cli_result(cli, "points", json_incref(list));
out_infos:
	pointinfos_done(&infos);
out_list:
	json_decref(list);
	return r;
}

static int list_run(struct cli *cli, const char **args, struct tm_error *err)
{
	struct tm_config config;
	struct place place;
	int r;

	(void)args;
	r = settings_load(cli, &config, err);
	if (!r)
		r = place_open(cli, &config, vault_url, item_name, &place, err);
	if (r)
		return r;
	r = list_points(cli, &place, err);
	place_close(&place);
	return r;
}

static const char list_text[] =
"Oldest first, with what 'verify' found and how long each is kept. Runs that\n"
"ended without a point, and points that are marked for deletion, are left out\n"
"unless --all is given. With --vault and --item, the points of any machine are\n"
"listed, from any machine that has the credentials.\n";

const struct verb verb_points = {
	.name = "points",
	.arguments = "",
	.summary = "list the recovery points of a machine",
	.text = list_text,
	.examples =
"  tidemark points\n"
"  tidemark points --vault https://acme.blob.core.windows.net/backups --item db1\n",
	.options = list_options,
	.run = list_run,
};

const struct verb verb_points_list = {
	.name = "points list",
	.arguments = "",
	.summary = "the same",
	.text = list_text,
	.examples = "  tidemark points list --json\n",
	.options = list_options,
	.run = list_run,
};
