// SPDX-License-Identifier: MIT
/* meta.c - `tidemark meta dump` and `tidemark meta check` */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "model/meta.h"
#include "model/names.h"
#include "port/disk.h"

static int read_disk(void *arg, uint64_t off, void *data, size_t len)
{
	return disk_read_one(arg, off, data, len);
}

static int inspect(const char *path, struct tm_meta_report *ret,
		   struct tm_error *err)
{
	struct disk *disk;
	int r = disk_open(path, &disk);

	if (r)
		return tm_error_set(err, r, tm_exit_from_errno(r), path,
				    "cannot open '%s': %s", path,
				    r == -ENOTBLK ? "neither a device nor a file"
						  : strerror(-r));
	r = tm_meta_inspect(read_disk, disk, disk_size(disk), path, ret, err);
	disk_close(disk);
	return r;
}

static json_t *id_json(const struct tm_id *id)
{
	char s[TM_ID_SIZE];

	if (tm_id_is_none(id))
		return json_null();
	tm_id_format(s, id);
	return json_string(s);
}

static json_t *flags_json(uint32_t flags)
{
	json_t *list = json_array();

	if (flags & TM_SUPER_UNCLEAN)
		json_array_append_new(list, json_string("unclean"));
	if (flags & TM_SUPER_LOST)
		json_array_append_new(list, json_string("lost"));
	return list;
}

static json_t *super_json(const struct tm_super *s)
{
	json_t *merged = json_array();

	for (uint32_t i = 0; i < s->nr_merged; i++)
		json_array_append_new(merged, id_json(&s->merged[i]));
	return json_pack(
		"{s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, "
		"s:o, s:o}",
		"set", id_json(&s->setid), "sequence", (json_int_t)s->seq,
		"origin_sectors", (json_int_t)s->geo.origin_sectors,
		"chunk_sectors", (json_int_t)s->geo.chunk_sectors,
		"region_sectors", (json_int_t)s->geo.region_sectors,
		"chunks", (json_int_t)s->geo.nr_chunks,
		"meta_sectors", (json_int_t)s->geo.meta_sectors,
		"epoch", (json_int_t)s->epoch,
		"next_epoch", (json_int_t)s->next_epoch,
		"frozen_epoch", (json_int_t)s->frozen_epoch,
		"base", id_json(&s->base), "cut", id_json(&s->cut),
		"merged", merged, "flags", flags_json(s->flags));
}

static json_t *area_json(const struct tm_meta_area *a)
{
	return json_pack("{s:s, s:i, s:I, s:I, s:I, s:I, s:I, s:I}",
			 "kind", a->kind == TM_AREA_CHUNK ? "chunk" : "region",
			 "number", (int)a->number,
			 "start", (json_int_t)a->start,
			 "sectors", (json_int_t)a->sectors,
			 "current", (json_int_t)a->current,
			 "older", (json_int_t)a->older,
			 "newer", (json_int_t)a->newer,
			 "bad", (json_int_t)a->bad);
}

static void result(struct cli *cli, const struct tm_meta_report *report)
{
	json_t *copies = json_array(), *areas = json_array();
	json_t *extents = json_array();
	const struct tm_extent *x;

	for (int i = 0; i < TM_SUPER_COPIES; i++)
		json_array_append_new(copies, json_string(
			tm_meta_copy_name(report->copy_error[i])));
	cli_result(cli, "state", json_string(
		tm_meta_state_name(report->state)));
	cli_result(cli, "copies", copies);
	if (report->state == TM_META_GOOD) {
		cli_result(cli, "superblock",
			   super_json(&report->copy[report->ruling]));
		for (int i = 0; i < 4; i++)
			json_array_append_new(areas,
					      area_json(&report->area[i]));
		cli_result(cli, "everything_changed", report->everything ?
			   json_string(report->everything) : json_null());
		cli_result(cli, "regions_logged",
			   json_integer((json_int_t)report->logged));
		cli_result(cli, "chunks_changed",
			   json_integer((json_int_t)report->changed));
		tm_extents_for_each(x, &report->changed_chunks)
			json_array_append_new(extents, json_pack("[I, I]",
				(json_int_t)x->start, (json_int_t)x->len));
		cli_result(cli, "changed", json_incref(extents));
		cli_result(cli, "changed_cut_short",
			   json_boolean(report->more));
		cli_result(cli, "areas", json_incref(areas));
	}
	json_decref(areas);
	json_decref(extents);
}

static void say_id(struct cli *cli, const char *what, const struct tm_id *id)
{
	char s[TM_ID_SIZE] = "-";

	if (!tm_id_is_none(id))
		tm_id_format(s, id);
	cli_say(cli, "%-14s%s\n", what, s);
}

static void say_super(struct cli *cli, const struct tm_super *s)
{
	char epochs[64] = "";

	if (s->next_epoch)
		snprintf(epochs, sizeof(epochs), ", %" PRIu64 " prepared",
			 s->next_epoch);
	if (s->frozen_epoch)
		snprintf(epochs, sizeof(epochs), ", %" PRIu64 " frozen",
			 s->frozen_epoch);
	say_id(cli, "set", &s->setid);
	cli_say(cli, "%-14s%" PRIu64 "\n", "sequence", s->seq);
	cli_say(cli, "%-14s%" PRIu64 " sectors in %" PRIu64
		" chunks of %" PRIu32 " sectors\n", "origin",
		s->geo.origin_sectors, s->geo.nr_chunks, s->geo.chunk_sectors);
	cli_say(cli, "%-14s%" PRIu64 " regions of %" PRIu64 " sectors\n",
		"regions", s->geo.nr_regions, s->geo.region_sectors);
	cli_say(cli, "%-14s%" PRIu64 "%s\n", "epoch", s->epoch, epochs);
	say_id(cli, "base", &s->base);
	say_id(cli, "cut", &s->cut);
	for (uint32_t i = 0; i < s->nr_merged; i++)
		say_id(cli, i ? "" : "merged", &s->merged[i]);
	cli_say(cli, "%-14s%s%s%s\n", "flags",
		s->flags & TM_SUPER_UNCLEAN ? "unclean " : "",
		s->flags & TM_SUPER_LOST ? "lost" : "", s->flags ? "" : "-");
}

static void say_areas(struct cli *cli, const struct tm_meta_report *report)
{
	cli_say(cli, "\n%-12s%12s%12s%10s%10s%8s%8s\n", "area", "at sector",
		"sectors", "current", "older", "newer", "bad");
	for (int i = 0; i < 4; i++) {
		const struct tm_meta_area *a = &report->area[i];

		cli_say(cli, "%s %u%*s%12" PRIu64 "%12" PRIu64 "%10" PRIu64
			"%10" PRIu64 "%8" PRIu64 "%8" PRIu64 "\n",
			a->kind == TM_AREA_CHUNK ? "chunk" : "region",
			a->number, a->kind == TM_AREA_CHUNK ? 5 : 4, "",
			a->start, a->sectors, a->current, a->older, a->newer,
			a->bad);
	}
}

static void say_changed(struct cli *cli, const struct tm_meta_report *report)
{
	const struct tm_extent *x;

	if (report->everything) {
		cli_say(cli, "\nEverything counts as changed: %s.\n",
			report->everything);
		return;
	}
	cli_say(cli, "\n");
	if (report->logged)
		cli_say(cli, "%" PRIu64 " regions are open to writes, or were "
			"at a crash: all their chunks count.\n",
			report->logged);
	cli_say(cli, "%" PRIu64 " chunks count as changed%s\n",
		report->changed, report->changed ? ":" : ".");
	tm_extents_for_each(x, &report->changed_chunks)
		cli_say(cli, "  %" PRIu64 " + %" PRIu64 "\n", x->start, x->len);
	if (report->more)
		cli_say(cli, "  and more\n");
}

static int dump_run(struct cli *cli, const char **args, struct tm_error *err)
{
	struct tm_meta_report report;
	int r = inspect(args[0], &report, err);

	if (r)
		return r;
	result(cli, &report);
	cli_say(cli, "%-14s%s\n", "metadata", tm_meta_state_name(report.state));
	for (int i = 0; i < TM_SUPER_COPIES; i++)
		cli_say(cli, "copy %d%8s%s%s\n", i, "",
			tm_meta_copy_name(report.copy_error[i]),
			report.state == TM_META_GOOD &&
			report.ruling == (unsigned int)i ? ", rules" : "");
	if (report.state == TM_META_GOOD) {
		say_super(cli, &report.copy[report.ruling]);
		say_areas(cli, &report);
		say_changed(cli, &report);
	}
	tm_meta_report_done(&report);
	return 0;
}

static int no_metadata(const char *path, enum tm_meta_state state,
		       struct tm_error *err)
{
	switch (state) {
	case TM_META_DAMAGED:
		return tm_error_set(err, -EBADMSG, TM_EXIT_INTEGRITY, path,
				    "cannot use the metadata on '%s': neither "
				    "superblock can be believed", path);
	case TM_META_NEWER:
		return tm_error_set(err, -EPROTONOSUPPORT, TM_EXIT_FAILED, path,
				    "cannot use the metadata on '%s': a newer "
				    "version wrote them", path);
	default:
		return tm_error_set(err, -ENOENT, TM_EXIT_NOT_FOUND, path,
				    "cannot find metadata on '%s': it is %s",
				    path, state == TM_META_BLANK ? "blank" :
				    "in use for something else");
	}
}

static const char *const findings[] = {
	"a superblock copy is not valid; the other rules",
	"the superblock copies differ; the later one rules",
	"the device is shorter than its content",
	"a sector is newer than the superblock: everything counts as changed",
	"sectors do not check: what they cover counts as changed",
};

static unsigned int find(const struct tm_meta_report *report)
{
	const struct tm_super *copy = report->copy;
	unsigned int found = 0;

	if (report->copy_error[0] || report->copy_error[1])
		found |= 1;
	else if (copy[0].seq != copy[1].seq)
		found |= 2;
	if (report->too_short)
		found |= 4;
	for (int i = 0; i < 4; i++) {
		if (report->area[i].newer)
			found |= 8;
		if (report->area[i].bad)
			found |= 16;
	}
	return found;
}

static int check_run(struct cli *cli, const char **args, struct tm_error *err)
{
	struct tm_meta_report report;
	unsigned int found;
	int r = inspect(args[0], &report, err);

	if (r)
		return r;
	result(cli, &report);
	if (report.state != TM_META_GOOD) {
		r = no_metadata(args[0], report.state, err);
		tm_meta_report_done(&report);
		return r;
	}
	found = find(&report);
	for (size_t i = 0; i < sizeof(findings) / sizeof(findings[0]); i++)
		if (found >> i & 1)
			report_warning(&cli->report, "%s", findings[i]);
	if (!found)
		cli_say(cli, "The metadata on '%s' are sound.\n", args[0]);
	if (report.everything)
		cli_say(cli, "Everything counts as changed: %s.\n",
			report.everything);
	else
		cli_say(cli, "%" PRIu64 " of %" PRIu64
			" chunks count as changed.\n", report.changed,
			report.copy[report.ruling].geo.nr_chunks);
	tm_meta_report_done(&report);
	return 0;
}

const struct verb verb_meta_dump = {
	.name = "meta dump",
	.arguments = "DEVICE",
	.summary = "show what a metadata device holds",
	.text = "Reads the metadata of a tracked disk, on a device or in a file, and shows\n"
		"what the kernel would make of them when it starts: which chunks count as\n"
		"changed, and why. Nothing is written. While the disk is tracked, what is\n"
		"shown is what would be left by a power cut now.\n",
	.examples = "  tidemark meta dump /dev/vg/root-meta\n",
	.min_args = 1,
	.max_args = 1,
	.run = dump_run,
};

const struct verb verb_meta_check = {
	.name = "meta check",
	.arguments = "DEVICE",
	.summary = "judge whether a metadata device is sound",
	.text = "Nothing is written. The exit status is 0 if all is well, 3 if there are\n"
		"findings, none of which can lose a change: what is doubtful counts as\n"
		"changed; 4 if there are no metadata, 9 if they cannot be believed.\n",
	.examples = "  tidemark meta check /dev/vg/root-meta\n",
	.min_args = 1,
	.max_args = 1,
	.run = check_run,
};
