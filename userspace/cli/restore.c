// SPDX-License-Identifier: MIT
/* restore.c - `tidemark restore disk` */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "cli/progress.h"
#include "cli/settings.h"
#include "engine/check.h"
#include "engine/hold.h"
#include "engine/metrics.h"
#include "engine/points.h"
#include "engine/restore.h"
#include "port/clock.h"

static char *vault_url, *item_name, *format, *point_name;

static const struct poptOption options[] = {
	{ "point", 'p', POPT_ARG_STRING, &point_name, 0,
	  "which recovery point (default: latest)", "POINT" },
	{ "format", 'f', POPT_ARG_STRING, &format, 0,
	  "of a file: raw (default) or vhd", "FORMAT" },
	{ "vault", 0, POPT_ARG_STRING, &vault_url, 0,
	  "the vault (default: this machine's)", "URL" },
	{ "item", 'i', POPT_ARG_STRING, &item_name, 0,
	  "name or id of the machine (default: this one)", "NAME" },
	POPT_TABLEEND
};

static int choose_target(const struct cli *cli, const char *path,
			 struct restore_options *how, struct tm_error *err)
{
	char question[512];
	struct stat st;
	int r;

	how->path = path;
	how->format = RESTORE_RAW;
	if (format && !strcmp(format, "vhd"))
		how->format = RESTORE_VHD;
	else if (format && strcmp(format, "raw"))
		return cli_usage(cli, err, "'%s' is no format: raw or vhd",
				 format);
	if (stat(path, &st))
		return 0;
	if (S_ISBLK(st.st_mode)) {
		if (format)
			return cli_usage(cli, err, "a device takes no --format");
		how->format = RESTORE_DEVICE;
	} else if (!S_ISREG(st.st_mode)) {
		return tm_error_set(err, -EINVAL, TM_EXIT_REFUSED, path,
				    "cannot restore to '%s': neither a file nor a block device",
				    path);
	}
	snprintf(question, sizeof(question),
		 "'%s' is there already: everything in it would be lost.",
		 path);
	r = cli_confirm(cli, question, err);
	how->overwrite = !r;
	return r;
}

static int find_disk(const struct tm_point *point, const char *name,
		     const struct tm_point_disk **ret, struct tm_error *err)
{
	*ret = tm_point_find_disk(point, name);
	if (*ret)
		return 0;
	tm_error_set(err, -ENOENT, TM_EXIT_NOT_FOUND, name,
		     "cannot find disk '%s' in recovery point '%s'", name,
		     point->name);
	tm_error_action(err, "see 'tidemark points show %s'", point->name);
	return -ENOENT;
}

static void report_result(struct cli *cli, const struct tm_point *point,
			  const struct tm_point_disk *disk,
			  const struct restore_options *how,
			  const struct restore_result *done, uint64_t ns)
{
	char size[16], written[16];

	progress_end();
	cli_say(cli, "Disk '%s' of %s is restored to '%s'\n"
		"  %s, %s of it not zero; %llu chunks checked, %.1f s\n",
		disk->name, point->name, how->path,
		size_text(done->bytes, size, sizeof(size)),
		size_text(done->bytes_written, written, sizeof(written)),
		(unsigned long long)done->chunks, ns / 1e9);
	cli_result(cli, "point", json_string(point->name));
	cli_result(cli, "disk", json_string(disk->name));
	cli_result(cli, "target", json_string(how->path));
	cli_result(cli, "bytes", json_integer(done->bytes));
	cli_result(cli, "bytes_written", json_integer(done->bytes_written));
	cli_result(cli, "chunks_checked", json_integer(done->chunks));
	cli_result(cli, "milliseconds", json_integer(ns / 1000000));
}

static int run(struct cli *cli, struct place *place, const char **args,
	       struct restore_result *ret, struct tm_error *err)
{
	uint64_t start = clock_now_ns();
	struct restore_options how = { 0 };
	const struct tm_point_disk *disk;
	struct hold *hold = NULL;
	struct tm_point point;
	int r;

	r = points_find(&place->vault, place->container, &place->id,
			point_name ? point_name : "latest", &point, err);
	if (r)
		return r;
	r = find_disk(&point, args[0], &disk, err);
	if (!r)
		r = choose_target(cli, args[1], &how, err);
	if (!r)
		r = check_warn(&place->vault, place->container, point.name,
			       err);
	if (!r)
		r = hold_take(&place->vault, place->container, &point,
			      "restore", &hold, err);
	if (!r)
		r = restore_disk(&place->vault, place->container, disk, &how,
				 ret, err);
	hold_release(hold);
	if (!r)
		report_result(cli, &point, disk, &how, ret,
			      clock_now_ns() - start);
	tm_point_done(&point);
	return r;
}

static int restore_run(struct cli *cli, const char **args, struct tm_error *err)
{
	struct metrics_outcome outcome = { 0 };
	struct restore_result done = { 0 };
	struct metrics metrics;
	struct tm_config config;
	struct place place;
	int r;

	r = settings_load(cli, &config, err);
	if (!r)
		r = place_open(cli, &config, vault_url, item_name, &place, err);
	if (r)
		return r;
	metrics_begin(&metrics, &config, &cli->report, TM_JOB_RESTORE,
		      place.item);
	r = run(cli, &place, args, &done, err);
	outcome.r = r;
	outcome.counters.chunks_read = done.chunks;
	metrics_count(&outcome, &place.vault);
	metrics_end(&metrics, &outcome);
	place_close(&place);
	return r;
}

const struct verb verb_restore_disk = {
	.name = "restore disk",
	.arguments = "DISK TARGET",
	.summary = "bring a disk back, to a file or a device",
	.text =
"TARGET is a file, which is made (raw, or a fixed VHD with --format vhd), or a\n"
"block device at least as large as the disk. Every chunk is checked against the\n"
"hash table before it is written; what cannot be proved ends the restore (exit\n"
"status 9). A file appears under its name only when it is whole. What is there\n"
"already is replaced only after a question, or with --yes.\n",
	.examples =
"  tidemark restore disk root /mnt/root.img\n"
"  tidemark restore disk root /dev/sdb --point 20260102T030405Z --yes\n"
"  tidemark restore disk root root.vhd --format vhd \\\n"
"      --vault https://acme.blob.core.windows.net/backups --item db1\n",
	.options = options,
	.min_args = 2,
	.max_args = 2,
	.run = restore_run,
};
