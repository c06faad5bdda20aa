// SPDX-License-Identifier: MIT
/* points_diff.c - `tidemark points diff` */

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include "cli/mounting.h"
#include "cli/points_diff.h"
#include "cli/progress.h"
#include "cli/settings.h"
#include "engine/diff.h"
#include "engine/points.h"

static char *vault_url, *item_name, *disk_name;
static int files;

static const struct poptOption options[] = {
	{ "disk", 'd', POPT_ARG_STRING, &disk_name, 0,
	  "only this disk", "DISK" },
	{ "files", 0, POPT_ARG_NONE, &files, 0,
	  "the files that differ, by path, not the ranges", NULL },
	{ "key-file", 0, POPT_ARG_STRING, &mounting_chosen.key_file, 0,
	  "opens LUKS containers for --files (default: ask)", "FILE" },
	{ "accept-rollback", 0, POPT_ARG_NONE, &mounting_chosen.accept_rollback, 0,
	  "with --files, go on although the vault is in an older state", NULL },
	{ "vault", 0, POPT_ARG_STRING, &vault_url, 0,
	  "the vault (default: this machine's)", "URL" },
	{ "item", 'i', POPT_ARG_STRING, &item_name, 0,
	  "name or id of the machine (default: this one)", "NAME" },
	POPT_TABLEEND
};

static bool wanted(const struct tm_point_disk *d)
{
	return !disk_name || !strcmp(d->name, disk_name);
}

static json_t *ranges_json(const struct tm_extents *bytes)
{
	json_t *list = json_array();
	const struct tm_extent *x;

	tm_extents_for_each(x, bytes)
		json_array_append_new(list, json_pack("{s:I, s:I}", "start",
						      (json_int_t)x->start,
						      "length",
						      (json_int_t)x->len));
	return list;
}

static void tell(struct cli *cli, const struct tm_point_disk *a,
		 const struct tm_point_disk *b, const struct diff *diff,
		 json_t *list)
{
	uint64_t total = tm_extents_total(&diff->bytes);
	const struct tm_extent *x;
	char size[16];

	cli_say(cli, "disk %s: %s in %" PRIu64 " chunks differ\n", b->name,
		size_text(total, size, sizeof(size)), diff->chunks);
	if (diff->chunks_unknown)
		cli_say(cli, "  of %" PRIu64
			" chunks it is not known: they count as changed\n",
			diff->chunks_unknown);
	tm_extents_for_each(x, &diff->bytes)
		cli_say(cli, "  %" PRIu64 " +%" PRIu64 "\n", x->start, x->len);
	json_array_append_new(list, json_pack(
		"{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:o}", "disk", b->name,
		"in", "both", "from_size", (json_int_t)a->size, "to_size",
		(json_int_t)b->size, "bytes", (json_int_t)total, "chunks",
		(json_int_t)diff->chunks, "chunks_unknown",
		(json_int_t)diff->chunks_unknown, "ranges",
		ranges_json(&diff->bytes)));
}

static void tell_alone(struct cli *cli, const struct tm_point_disk *d,
		       const char *where, json_t *list)
{
	cli_say(cli, "disk %s: only in the %s of the two\n", d->name, where);
	json_array_append_new(list, json_pack("{s:s, s:s}", "disk", d->name,
					      "in", where));
}

static int compare(struct cli *cli, struct place *place,
		   const struct tm_point *from, const struct tm_point *to,
		   struct tm_error *err)
{
	json_t *list = json_array();
	struct diff diff;
	size_t i;
	int r = 0;

	for (i = 0; i < from->n_disks; i++) {
		const struct tm_point_disk *a = &from->disks[i];

		if (wanted(a) && !tm_point_find_disk(to, a->name))
			tell_alone(cli, a, "first", list);
	}
	for (i = 0; i < to->n_disks && !r; i++) {
		const struct tm_point_disk *b = &to->disks[i], *a;

		if (!wanted(b))
			continue;
		a = tm_point_find_disk(from, b->name);
		if (!a) {
			tell_alone(cli, b, "second", list);
			continue;
		}
		r = diff_disk(&place->vault, place->container, a, b, &diff,
			      err);
		if (r)
			break;
		tell(cli, a, b, &diff, list);
		diff_done(&diff);
	}
	if (!r && !json_array_size(list))
		r = tm_error_set(err, -ENOENT, TM_EXIT_NOT_FOUND, disk_name,
				 "cannot find disk '%s' in either point",
				 disk_name);
	cli_result(cli, "from", json_string(from->name));
	cli_result(cli, "to", json_string(to->name));
	cli_result(cli, "disks", list);
	return r;
}

static int run(struct cli *cli, const struct tm_config *config,
	       struct place *place, const char **args, struct tm_error *err)
{
	struct tm_point from, to;
	int r;

	r = points_find(&place->vault, place->container, &place->id, args[0],
			&from, err);
	if (r)
		return r;
	r = points_find(&place->vault, place->container, &place->id, args[1],
			&to, err);
	if (!r) {
		r = files ? points_diff_files(cli, config, place, &from, &to,
					      disk_name, err) :
			compare(cli, place, &from, &to, err);
		tm_point_done(&to);
	}
	tm_point_done(&from);
	return r;
}

static int diff_run(struct cli *cli, const char **args, struct tm_error *err)
{
	struct tm_config config;
	struct place place;
	int r;

	if (mounting_chosen.key_file && !files)
		return cli_usage(cli, err, "'--key-file' goes with '--files'");
	mounting_chosen.vault = vault_url;
	mounting_chosen.item = item_name;
	r = settings_load(cli, &config, err);
	if (!r)
		r = place_open(cli, &config, vault_url, item_name, &place, err);
	if (r)
		return r;
	r = run(cli, &config, &place, args, err);
	place_close(&place);
	return r;
}

const struct verb verb_points_diff = {
	.name = "points diff",
	.arguments = "POINT POINT",
	.summary = "show which parts of the disks differ between two points",
	.text =
"Compares the hash tables of the two points, disk by disk, and lists the ranges\n"
"in which they differ, as START +LENGTH in bytes, neighbours merged. No data are\n"
"read. What is hashed is chunks, so that a range is as many whole chunks; where\n"
"one disk is larger, the rest of it counts as changed.\n"
"\n"
"With --files both points are mounted for as long as it takes, as by 'mount', and\n"
"the files that differ are listed, each behind a letter: A for added, D for\n"
"removed, M for changed, R for renamed. Content is not read: what has changed is\n"
"told by the inode: size, times (ctime, which no program can set), mode, owner,\n"
"flags. A path begins with its filesystem's name, as for 'files'.\n",
	.examples =
"  tidemark points diff 20260102T030405Z latest\n"
"  tidemark points diff 20260102T030405Z latest --disk root --json\n"
"  tidemark points diff 20260102T030405Z latest --files\n",
	.options = options,
	.min_args = 2,
	.max_args = 2,
	.run = diff_run,
};
