// SPDX-License-Identifier: MIT
/* points.c - `tidemark points`, `points list` and `points show` */

#include <errno.h>
#include <stdio.h>
#include "cli/progress.h"
#include "cli/settings.h"
#include "engine/document.h"
#include "engine/points.h"

static char *vault_url, *item_name;
static int tombstones;

static const struct poptOption where_options[] = {
	{ "vault", 0, POPT_ARG_STRING, &vault_url, 0,
	  "the vault (default: this machine's)", "URL" },
	{ "item", 'i', POPT_ARG_STRING, &item_name, 0,
	  "name or id of the machine (default: this one)", "NAME" },
	POPT_TABLEEND
};

static const struct poptOption list_options[] = {
	{ "all", 'a', POPT_ARG_NONE, &tombstones, 0,
	  "also show runs that ended without a point", NULL },
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)where_options, 0, NULL,
	  NULL },
	POPT_TABLEEND
};

static void say_row(const struct cli *cli, const struct tm_point *p)
{
	struct tm_counters sum = tm_tally_sum(&p->tally);
	char when[TM_TIME_SIZE], sent[16], disks[64] = "";
	size_t i, len = 0;

	if (tm_time_format(when, p->time))
		return;
	if (p->tombstone) {
		cli_say(cli, "%-49s  %s  no point\n", p->name, when);
		return;
	}
	for (i = 0; i < p->n_disks && len < sizeof(disks) - 1; i++)
		len += snprintf(disks + len, sizeof(disks) - len, "%s%s",
				i ? "," : "", p->disks[i].name);
	cli_say(cli, "%-49s  %s  %-22s  %9s sent  %s\n", p->name, when,
		tm_consistency_name(p->consistency),
		size_text(sum.bytes_uploaded, sent, sizeof(sent)), disks);
}

static int list_points(struct cli *cli, struct place *place,
		       struct tm_error *err)
{
	json_t *list = json_array();
	struct tm_point point;
	char **names;
	size_t n, i;
	int r;

	r = points_names(&place->vault, place->container, &names, &n, err);
	if (r) {
		json_decref(list);
		return r;
	}
	for (i = 0; i < n && !r; i++) {
		r = points_read(&place->vault, place->container, names[i],
				&point, err);
		if (r)
			break;
		if (tombstones || !point.tombstone) {
			say_row(cli, &point);
			json_array_append_new(list, tm_point_json(&point));
		}
		tm_point_done(&point);
	}
	document_names_free(names, n);
	if (!r && !json_array_size(list))
		cli_say(cli, "No recovery points yet.\n");
	cli_result(cli, "item", json_string(place->item));
	cli_result(cli, "points", list);
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

static void say_disk(const struct cli *cli, const struct tm_point_disk *d)
{
	char size[16];
	size_t i;

	cli_say(cli, "  disk %s: %s, %s\n"
		"    disk snapshot  %s\n"
		"    hash snapshot  %s\n", d->name,
		size_text(d->size, size, sizeof(size)),
		tm_ship_mode_name(d->mode), d->vhd_snapshot, d->hash_snapshot);
	for (i = 0; i < d->segments.n; i++) {
		const struct tm_segment *s = &d->segments.v[i];

		cli_say(cli, "    %s segment at %llu, %s%s\n",
			tm_segment_kind_name(s->kind),
			(unsigned long long)s->start,
			size_text(s->len, size, sizeof(size)),
			s->torn ? ", changed while it was read" : "");
	}
}

static int show_run(struct cli *cli, const char **args, struct tm_error *err)
{
	char when[TM_TIME_SIZE] = "";
	struct tm_config config;
	struct tm_point point;
	struct place place;
	size_t i;
	int r;

	r = settings_load(cli, &config, err);
	if (!r)
		r = place_open(cli, &config, vault_url, item_name, &place, err);
	if (r)
		return r;
	r = points_find(&place.vault, place.container, args[0], &point, err);
	if (!r) {
		tm_time_format(when, point.time);
		cli_say(cli, "Recovery point %s\n"
			"  machine %s, %s, %s\n", point.name, point.item_name,
			when, tm_consistency_name(point.consistency));
		for (i = 0; i < point.n_disks; i++)
			say_disk(cli, &point.disks[i]);
		cli_result(cli, "point", tm_point_json(&point));
		tm_point_done(&point);
	}
	place_close(&place);
	return r;
}

static const char list_text[] =
"Oldest first. A run that ended without a point is left out, unless --all is\n"
"given. With --vault and --item, the points of any machine are listed, from any\n"
"machine that has the credentials.\n";

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

const struct verb verb_points_show = {
	.name = "points show",
	.arguments = "POINT",
	.summary = "show one recovery point",
	.text =
"POINT is its name, the beginning of it that fits no other, or 'latest'.\n",
	.examples =
"  tidemark points show latest\n"
"  tidemark points show 20260102T030405Z --json\n",
	.options = where_options,
	.min_args = 1,
	.max_args = 1,
	.run = show_run,
};
