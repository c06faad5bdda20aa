// SPDX-License-Identifier: MIT
/* points_show.c - `tidemark points show` */

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include "cli/pointinfo.h"
#include "cli/progress.h"
#include "engine/diff.h"
#include "engine/points.h"

static char *vault_url, *item_name;

static const struct poptOption options[] = {
	{ "vault", 0, POPT_ARG_STRING, &vault_url, 0,
	  "the vault (default: this machine's)", "URL" },
	{ "item", 'i', POPT_ARG_STRING, &item_name, 0,
	  "name or id of the machine (default: this one)", "NAME" },
	POPT_TABLEEND
};

/*
 * What has changed since the point before that has the disk; *@ret_json: NULL if
 * there is none before, null if it cannot be known.
 */
static int changed(struct cli *cli, struct place *place, const char *name,
		   const struct tm_point_disk *d, json_t **ret_json,
		   struct tm_error *err)
{
	const struct tm_point_disk *was;
	struct tm_point before;
	uint64_t bytes;
	struct diff diff;
	char size[16];
	int r;

	*ret_json = NULL;
	r = diff_previous(&place->vault, place->container, name, d->name,
			  &before, err);
	if (r || !*before.name)
		return r;
	was = tm_point_find_disk(&before, d->name);
	if (!diff_comparable(was, d)) {
		cli_say(cli, "    changed        not known: has another key than in %s\n",
			before.name);
		tm_point_done(&before);
		return 0;
	}
	r = diff_disk(&place->vault, place->container, was, d, &diff, err);
	if (!r) {
		bytes = tm_extents_total(&diff.bytes);
		cli_say(cli, "    changed        %s in %" PRIu64
			" chunks since %s\n",
			size_text(bytes, size, sizeof(size)), diff.chunks,
			before.name);
		*ret_json = json_pack("{s:s, s:s, s:I, s:I}", "disk", d->name,
				      "since", before.name, "bytes",
				      (json_int_t)bytes, "chunks",
				      (json_int_t)diff.chunks);
		diff_done(&diff);
	} else if (r == -ENOKEY) {
		/* The rest can be told without the service's key. */
		cli_say(cli, "    changed        not known: %s\n",
			err->message);
		*ret_json = json_null();
		tm_error_clear(err);
		r = 0;
	}
	tm_point_done(&before);
	return r;
}

static void say_segments(const struct cli *cli, const struct tm_point_disk *d)
{
	char size[16];
	size_t i;

	for (i = 0; i < d->segments.n; i++) {
		const struct tm_segment *s = &d->segments.v[i];

		cli_say(cli, "    %s segment at %" PRIu64 ", %s%s\n",
			tm_segment_kind_name(s->kind), s->start,
			size_text(s->len, size, sizeof(size)),
			s->torn ? ", changed while it was read" : "");
	}
}

static int show_disk(struct cli *cli, struct place *place, const char *name,
		     const struct tm_point_disk *d, json_t **list,
		     struct tm_error *err)
{
	char size[16], cut[TM_ID_SIZE] = "-";
	json_t *json;
	int r;

	if (!tm_id_is_none(&d->cut))
		tm_id_format(cut, &d->cut);
	cli_say(cli, "  disk %s: %s, %s\n"
		"    cut            %s\n"
		"    disk snapshot  %s\n"
		"    hash snapshot  %s\n", d->name,
		size_text(d->size, size, sizeof(size)),
		tm_ship_mode_name(d->mode), cut, d->vhd_snapshot,
		d->hash_snapshot);
	r = changed(cli, place, name, d, &json, err);
	if (json_is_null(json)) {
		json_decref(*list);
		*list = json;
	} else if (json) {
		/* Without effect where it is null already. */
		json_array_append_new(*list, json);
	}
	say_segments(cli, d);
	return r;
}

static int show(struct cli *cli, struct place *place,
		const struct tm_point *point, const struct pointinfo *info,
		struct tm_error *err)
{
	char when[TM_TIME_SIZE] = "", cut[TM_ID_SIZE] = "-", text[64];
	json_t *json = tm_point_json(point), *list = json_array();
	size_t i;
	int r = 0;

	tm_time_format(when, point->time);
	if (!tm_id_is_none(&point->cut))
		tm_id_format(cut, &point->cut);
	cli_say(cli, "Recovery point %s\n"
		"  machine %s, %s, %s\n"
		"  cut %s\n"
		"  %s\n", point->name, point->item_name, when,
		tm_consistency_name(point->consistency), cut,
		pointinfo_verified(info, text, sizeof(text)));
	if (*pointinfo_booted(info, text, sizeof(text)))
		cli_say(cli, "  %s, after %.1f s\n", text,
			(double)info->check.boot.milliseconds / 1000);
	if (*pointinfo_fate(info, text, sizeof(text)))
		cli_say(cli, "  %s\n", text);
	for (i = 0; i < point->n_disks && !r; i++)
		r = show_disk(cli, place, point->name, &point->disks[i], &list,
			      err);
	pointinfo_json(info, json);
	json_object_set_new(json, "changed", list);
	cli_result(cli, "point", json);
	return r;
}

static int run(struct cli *cli, struct place *place, const char *which,
	       struct tm_error *err)
{
	struct pointinfos infos;
	struct pointinfo info;
	struct tm_point point;
	int r;

	r = points_find(&place->vault, place->container, &place->id, which,
			&point, err);
	if (r)
		return r;
	r = pointinfos_load(place, &infos, err);
	if (!r) {
		r = pointinfo_read(place, &infos, point.name, &info, err);
		pointinfos_done(&infos);
	}
	if (!r) {
		r = show(cli, place, &point, &info, err);
		pointinfo_done(&info);
	}
	tm_point_done(&point);
	return r;
}

static int show_run(struct cli *cli, const char **args, struct tm_error *err)
{
	struct tm_config config;
	struct place place;
	int r;

	r = settings_load(cli, &config, err);
	if (!r)
		r = place_open(cli, &config, vault_url, item_name, &place, err);
	if (r)
		return r;
	r = run(cli, &place, args[0], err);
	place_close(&place);
	return r;
}

const struct verb verb_points_show = {
	.name = "points show",
	.arguments = "POINT",
	.summary = "show one recovery point",
	.text =
"POINT is its name, the beginning of it that fits no other, or 'latest'. What has\n"
"changed since the point before is found by comparing their hash tables, which\n"
"are read: 16 bytes for each chunk of each.\n",
	.examples =
"  tidemark points show latest\n"
"  tidemark points show 20260102T030405Z --json\n",
	.options = options,
	.min_args = 1,
	.max_args = 1,
	.run = show_run,
};
