// SPDX-License-Identifier: MIT
/* replace.c - `tidemark restore replace` */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "cli/progress.h"
#include "cli/settings.h"
#include "engine/check.h"
#include "engine/metrics.h"
#include "engine/points.h"
#include "engine/replace.h"
#include "engine/replacing.h"
#include "port/clock.h"

static char *point_name;
static int dry_run, no_backup, compare, accept_rollback;

static const struct poptOption options[] = {
	{ "point", 'p', POPT_ARG_STRING, &point_name, 0,
	  "which recovery point (default: that of the one that broke off, or latest)",
	  "POINT" },
	{ "dry-run", 'n', POPT_ARG_NONE, &dry_run, 0,
	  "only say how much would be moved and written", NULL },
	{ "no-backup", 0, POPT_ARG_NONE, &no_backup, 0,
	  "make no recovery point of the disk as it is now", NULL },
	{ "compare", 0, POPT_ARG_NONE, &compare, 0,
	  "read all of the disk, whatever tracking says", NULL },
	{ "accept-rollback", 0, POPT_ARG_NONE, &accept_rollback, 0,
	  "go on although the vault is in an older state than it was", NULL },
	POPT_TABLEEND
};

static void say(const struct cli *cli, const char *disk, const char *point,
		const struct replace_result *done)
{
	const struct restore_result *d = &done->disk;
	char moved[16], written[16];

	size_text(d->bytes_received, moved, sizeof(moved));
	if (dry_run) {
		cli_say(cli, "Disk '%s' is %s from %s: %s would be moved, %s written\n",
			disk, d->bytes_differing ? "different" : "no different",
			point, moved, size_text(d->bytes_differing, written,
						sizeof(written)));
		return;
	}
	cli_say(cli, "Disk '%s' is back at %s\n"
		"  %llu of %llu chunks were right already; %s moved\n", disk,
		point, (unsigned long long)d->chunks_held,
		(unsigned long long)d->chunks, moved);
	if (*done->way_back)
		cli_say(cli, "  the way back: 'tidemark restore replace %s --point %s'\n",
			disk, done->way_back);
}

static void fill_result(struct cli *cli, const char *disk, const char *point,
			const struct replace_result *done, uint64_t ns)
{
	const struct restore_result *d = &done->disk;

	cli_result(cli, "disk", json_string(disk));
	cli_result(cli, "point", json_string(point));
	cli_result(cli, "way_back", *done->way_back ?
		   json_string(done->way_back) : json_null());
	cli_result(cli, "dry_run", json_boolean(dry_run));
	cli_result(cli, "completed_earlier_one", json_boolean(done->again));
	cli_result(cli, "by_tracking", json_boolean(done->tracked));
	cli_result(cli, "bytes", json_integer(d->bytes));
	cli_result(cli, dry_run ? "bytes_to_move" : "bytes_received",
		   json_integer(d->bytes_received));
	cli_result(cli, dry_run ? "bytes_to_write" : "bytes_written",
		   json_integer(dry_run ? d->bytes_differing :
				d->bytes_written));
	cli_result(cli, "chunks_held", json_integer(d->chunks_held));
	cli_result(cli, "chunks_hashed", json_integer(d->chunks_hashed));
	cli_result(cli, "milliseconds", json_integer(ns / 1000000));
}

static int ask(const struct cli *cli, const struct tm_disk *disk,
	       const char *point, struct tm_error *err)
{
	char question[512];
	int r;

	if (dry_run)
		return 0;
	snprintf(question, sizeof(question),
		 "Disk '%s' (%s) goes back to %s: what has changed since is lost%s.",
		 disk->name, disk->path, point, no_backup ? "" :
		 ", but for a recovery point that is made before");
	r = cli_confirm(cli, question, err);
	if (!r)
		cli_say(cli, "Until this has ended disk '%s' is not consistent\n"
			"  where it breaks off, run it again\n", disk->name);
	return r;
}

/* The latest may be the way back, where one that broke off came from. */
static int choose(struct cli *cli, const struct tm_config *config,
		  struct vault *v, const struct tm_disk *disk,
		  struct tm_point *ret, struct tm_error *err)
{
	const char *which = point_name ? point_name : "latest";
	struct tm_replace begun = { .rest = NULL };
	bool goes_on = false;
	int r = 0;

	if (!point_name)
		r = replacing_load(config, disk->name, &goes_on, &begun, err);
	if (r)
		return r;
	if (goes_on) {
		which = begun.point;
		cli_say(cli, "Disk '%s' is on its way to %s: this goes on\n",
			disk->name, which);
	}
	r = points_find(v, disk->container, &disk->item, which, ret, err);
	if (r == -ENOENT && goes_on)
		tm_error_action(err, "name another point with --point");
	tm_replace_done(&begun);
	return r;
}

static int run(struct cli *cli, const struct tm_config *config,
	       struct vault *v, const struct tm_disk *disk,
	       struct replace_result *ret, struct tm_error *err)
{
	struct replace_options how = {
		.compare = compare, .dry = dry_run, .no_backup = no_backup,
		.backup.cut = {
			.no_freeze = !config->freeze,
			.freeze_timeout_ms = config->freeze_timeout * 1000,
			.hold_timeout_ms = config->cut_timeout * 1000,
			.pool_kib = config->pool / 1024,
			.cow_timeout_s = config->cow_timeout,
		},
	};
	uint64_t start = clock_now_ns();
	struct tm_point point;
	int r;

	r = choose(cli, config, v, disk, &point, err);
	if (r)
		return r;
	r = check_warn(v, disk->container, point.name, err);
	if (!r)
		r = replace_look(disk, err);
	if (!r)
		r = ask(cli, disk, point.name, err);
	if (!r)
		r = replace_disk(v, disk, &point, &how, ret, err);
	if (!r) {
		progress_end();
		say(cli, disk->name, point.name, ret);
		fill_result(cli, disk->name, point.name, ret,
			    clock_now_ns() - start);
	}
	tm_point_done(&point);
	return r;
}

static int job(struct cli *cli, const struct tm_config *config,
	       struct vault *v, const struct tm_disk *disk,
	       struct tm_error *err)
{
	struct metrics_outcome outcome = { 0 };
	struct replace_result done = { 0 };
	struct metrics metrics;

	if (dry_run)
		return run(cli, config, v, disk, &done, err);
	metrics_begin(&metrics, config, &cli->report, TM_JOB_RESTORE,
		      disk->item_name);
	outcome.r = run(cli, config, v, disk, &done, err);
	outcome.counters.chunks_read = done.disk.chunks - done.disk.chunks_held;
	metrics_count(&outcome, v);
	metrics_end(&metrics, &outcome);
	return outcome.r;
}

static int replace_run(struct cli *cli, const char **args, struct tm_error *err)
{
	struct tm_config config;
	struct item_disks disks;
	struct vault vault;
	int r;

	r = settings_load(cli, &config, err);
	config.accept_rollback = accept_rollback;
	if (!r)
		r = item_disks_load(&config, &disks, err);
	if (!r) {
		r = item_disks_select(&disks, args, err);
		if (!r)
			r = vault_open(&vault, &config, disks.v[0].vault,
				       &cli->report, err);
		if (!r) {
			r = job(cli, &config, &vault, &disks.v[0], err);
			vault_close(&vault);
		}
		item_disks_done(&disks);
	}
	return r;
}

const struct verb verb_restore_replace = {
	.name = "restore replace",
	.arguments = "DISK",
	.summary = "bring a disk of this machine back, in place",
	.text =
"DISK, which must not be mounted, goes back to a recovery point; only chunks\n"
"that differ are moved. Which those are is known by tracking, if it goes on\n"
"from the last recovery point, and else by reading the disk. A recovery point\n"
"of the disk as it is now is made first, so that there is a way back.\n"
"\n"
"Where it breaks off, at whatever moment, it is to be run again: it goes on to\n"
"the same point, unless another is named. Until it has ended the disk is not\n"
"consistent: 'tidemark status' says so, and 'tidemark backup' refuses it (exit\n"
"status 11).\n",
	.examples =
"  tidemark restore replace data --dry-run --point 20260102T030405Z\n"
"  tidemark restore replace data --point 20260102T030405Z\n",
	.options = options,
	.min_args = 1,
	.max_args = 1,
	.run = replace_run,
};
