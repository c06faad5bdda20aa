// SPDX-License-Identifier: MIT
/* restore.c - `tidemark restore disk` */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "cli/progress.h"
#include "cli/settings.h"
#include "cli/shown.h"
#include "engine/check.h"
#include "engine/hold.h"
#include "engine/metrics.h"
#include "engine/points.h"
#include "engine/restore.h"
#include "engine/sinkblob.h"
#include "port/clock.h"

static char *vault_url, *item_name, *format, *point_name, *credentials;
static int resume, in_use, smaller, accept_rollback;

/* TARGET, and where the URL is. */
#define UPLOAD "upload:"

static const struct poptOption options[] = {
	{ "point", 'p', POPT_ARG_STRING, &point_name, 0,
	  "which recovery point (default: latest)", "POINT" },
	{ "format", 'f', POPT_ARG_STRING, &format, 0,
	  "of a file: raw (default) or vhd", "FORMAT" },
	{ "resume", 0, POPT_ARG_NONE, &resume, 0,
	  "go on where one broke off: leave what is right already", NULL },
	{ "mounted", 0, POPT_ARG_NONE, &in_use, 0,
	  "also to a device that is mounted, or in use", NULL },
	{ "smaller", 0, POPT_ARG_NONE, &smaller, 0,
	  "also to a device that is smaller: the disk's end is left out", NULL },
	{ "target-credentials", 0, POPT_ARG_STRING, &credentials, 0,
	  "of a blob in another account: a file, or fd:N", "PLACE" },
	{ "accept-rollback", 0, POPT_ARG_NONE, &accept_rollback, 0,
	  "go on although the vault is in an older state than it was", NULL },
	{ "vault", 0, POPT_ARG_STRING, &vault_url, 0,
	  "the vault (default: this machine's)", "URL" },
	{ "item", 'i', POPT_ARG_STRING, &item_name, 0,
	  "name or id of the machine (default: this one)", "NAME" },
	POPT_TABLEEND
};

static int read_format(const struct cli *cli, enum sink_format *ret,
		       struct tm_error *err)
{
	*ret = SINK_RAW;
	if (format && !strcmp(format, "vhd"))
		*ret = SINK_VHD;
	else if (format && strcmp(format, "raw"))
		return cli_usage(cli, err, "'%s' is no format: raw or vhd",
				 format);
	return 0;
}

/* Looks at what is there; nothing is lost before the question. */
static int open_target(const struct cli *cli, const struct vault *v,
		       const char *path, const struct tm_point_disk *disk,
		       struct sink **ret, struct tm_error *err)
{
	struct sink_options how = { .disk_size = disk->size, .resume = resume };
	const struct sink_place_options place = {
		.size = disk->size, .state = v->config->state,
		.in_use = in_use, .smaller = smaller,
	};
	struct stat st;
	bool device = !stat(path, &st) && S_ISBLK(st.st_mode);
	int r;

	r = read_format(cli, &how.format, err);
	if (r)
		return r;
	if ((in_use || smaller) && !device)
		return cli_usage(cli, err, "only a device takes --mounted or --smaller");
	if (tm_blob_url_is(path) || !strncmp(path, UPLOAD, strlen(UPLOAD))) {
		if (format && how.format == SINK_RAW)
			return cli_usage(cli, err, "a blob is a VHD");
		return tm_blob_url_is(path) ?
			sink_blob_new(path, v, credentials, &how, ret, err) :
			sink_upload_new(path + strlen(UPLOAD), v, &how, ret,
					err);
	}
	if (device) {
		if (format)
			return cli_usage(cli, err, "a device takes no --format");
		return sink_device_new(path, &place, ret, err);
	}
	return sink_file_new(path, &how, ret, err);
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
			  const struct sink *sink,
			  const struct restore_result *done, uint64_t ns)
{
	char size[16], written[16];

	progress_end();
	cli_say(cli, "Disk '%s' of %s is restored to '%s'\n"
		"  %s, %s of it written; %llu chunks checked, %.1f s\n",
		disk->name, point->name, sink->name,
		size_text(done->bytes, size, sizeof(size)),
		size_text(done->bytes_written, written, sizeof(written)),
		(unsigned long long)done->chunks, ns / 1e9);
	if (done->chunks_held)
		cli_say(cli, "  %llu chunks were right already\n",
			(unsigned long long)done->chunks_held);
	if (done->bytes_cut)
		report_warning(&cli->report,
			       "'%s' is smaller than disk '%s': %llu bytes at its end, not all zero, are not there",
			       sink->name, disk->name,
			       (unsigned long long)done->bytes_cut);
	cli_result(cli, "point", json_string(point->name));
	cli_result(cli, "disk", json_string(disk->name));
	cli_result(cli, "target", shown_json(sink->name));
	cli_result(cli, "copied_by_service", json_boolean(done->copied));
	cli_result(cli, "bytes", json_integer(done->bytes));
	cli_result(cli, "bytes_written", json_integer(done->bytes_written));
	cli_result(cli, "bytes_cut", json_integer(done->bytes_cut));
	cli_result(cli, "bytes_received", json_integer(done->bytes_received));
	cli_result(cli, "chunks_checked", json_integer(done->chunks));
	cli_result(cli, "chunks_held", json_integer(done->chunks_held));
	cli_result(cli, "milliseconds", json_integer(ns / 1000000));
}

static int run(struct cli *cli, struct place *place, const char **args,
	       struct restore_result *ret, struct tm_error *err)
{
	const struct restore_options how = { .compare = resume };
	uint64_t start = clock_now_ns();
	const struct tm_point_disk *disk;
	struct hold *hold = NULL;
	struct sink *sink = NULL;
	struct tm_point point;
	int r;

	r = points_find(&place->vault, place->container, &place->id,
			point_name ? point_name : "latest", &point, err);
	if (r)
		return r;
	r = find_disk(&point, args[0], &disk, err);
	if (!r)
		r = open_target(cli, &place->vault, args[1], disk, &sink, err);
	if (!r && *sink->there)
		r = cli_confirm(cli, sink->there, err);
	if (!r)
		r = check_warn(&place->vault, place->container, point.name,
			       err);
	if (!r)
		r = hold_take(&place->vault, place->container, &point,
			      "restore", &hold, err);
	if (!r)
		r = restore_disk(&place->vault, place->container, disk, sink,
				 &how, ret, err);
	hold_release(hold);
	if (!r)
		report_result(cli, &point, disk, sink, ret,
			      clock_now_ns() - start);
	sink_free(sink);
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
	config.accept_rollback = accept_rollback;
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
	.summary = "bring a disk back, to a file, a device or a blob",
	.text =
"TARGET is one of\n"
"  a file, which is made: raw, or a fixed VHD with --format vhd\n"
"  a block device at least as large as the disk, not in use\n"
"  https://ACCOUNT.blob.core.windows.net/CONTAINER/NAME, a page blob, which is\n"
"    made: copied by the service where it does that, else streamed\n"
"  upload:PLACE, a managed disk waiting for its upload; PLACE is a file of mode\n"
"    0600, fd:N or env:NAME, and holds its URL with the signature\n"
"\n"
"Every chunk is checked against the hash table before it is written; what cannot\n"
"be proved ends the restore (exit status 9). A file appears under its name only\n"
"when it is whole. What is there already is replaced only after a question, or\n"
"with --yes. A device that is in use (exit status 7) or too small (10) is refused\n"
"without --mounted or --smaller.\n"
"\n"
"With --resume, what the target holds is read first, and what is right is left\n"
"alone: for a device on which a restore broke off. A file is then gathered in\n"
"TARGET.partial, which is kept when it breaks off.\n",
	.examples =
"  tidemark restore disk root /mnt/root.img\n"
"  tidemark restore disk root /dev/sdb --point 20260102T030405Z --yes\n"
"  tidemark restore disk root root.vhd --format vhd \\\n"
"      --vault https://acme.blob.core.windows.net/backups --item db1\n"
"  az disk grant-access -n new -g rg --access-level Write \\\n"
"      --duration-in-seconds 86400 --query accessSas -o tsv |\n"
"      tidemark restore disk root upload:fd:0\n",
	.options = options,
	.min_args = 2,
	.max_args = 2,
	.run = restore_run,
};
