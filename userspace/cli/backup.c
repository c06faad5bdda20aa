// SPDX-License-Identifier: MIT
/* backup.c - `tidemark backup` */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "cli/progress.h"
#include "cli/settings.h"
#include "engine/backup.h"
#include "engine/metrics.h"
#include "port/clock.h"

static int compare, full, drop_snapshot, no_freeze, no_precopy;
static int accept_rollback;
static int hook_timeout, cut_timeout;
static char *hook;

static const struct poptOption options[] = {
	{ "compare", 0, POPT_ARG_NONE, &compare, 0,
	  "read and compare everything, whatever tracking says", NULL },
	{ "full", 0, POPT_ARG_NONE, &full, 0,
	  "read everything and send all of it anew", NULL },
	{ "no-freeze", 0, POPT_ARG_NONE, &no_freeze, 0,
	  "do not freeze filesystems for the cut", NULL },
	{ "no-precopy", 0, POPT_ARG_NONE, &no_precopy, 0,
	  "send nothing before the cut, however much there is", NULL },
	{ "cut-hook", 0, POPT_ARG_STRING, &hook, 0,
	  "shell command to run while all disks stand still", "COMMAND" },
	{ "hook-timeout", 0, POPT_ARG_INT, &hook_timeout, 0,
	  "how long the command may take (default 60)", "SECONDS" },
	{ "cut-timeout", 0, POPT_ARG_INT, &cut_timeout, 0,
	  "how long filesystems and disks may stand still (default: as "
	  "configured, 10)", "SECONDS" },
	{ "drop-snapshot", 0, POPT_ARG_NONE, &drop_snapshot, 0,
	  "end a snapshot that was made by hand", NULL },
	{ "accept-rollback", 0, POPT_ARG_NONE, &accept_rollback, 0,
	  "go on although the vault is in an older state than it was", NULL },
	POPT_TABLEEND
};

static void say_counters(const struct cli *cli, const char *what,
			 const struct tm_counters *c)
{
	char read[16], sent[16];

	if (!c->chunks_read)
		return;
	cli_say(cli, "  %-8s read %s in %" PRIu64 " chunks: %" PRIu64
		" as before, %" PRIu64 " cleared, %" PRIu64 " sent (%s)\n",
		what, size_text(c->bytes_read, read, sizeof(read)),
		c->chunks_read, c->chunks_same, c->chunks_cleared,
		c->chunks_uploaded,
		size_text(c->bytes_uploaded, sent, sizeof(sent)));
}

static void say_rounds(const struct cli *cli, const struct tm_rounds *rounds)
{
	char read[16], sent[16];
	size_t i;

	for (i = 0; i < rounds->n; i++) {
		const struct tm_round *round = &rounds->v[i];

		cli_say(cli, "  pre-copy of disk %s, round %" PRIu64
			": read %s, sent %s\n", round->disk, round->number,
			size_text(round->bytes_read, read, sizeof(read)),
			size_text(round->bytes_uploaded, sent, sizeof(sent)));
	}
}

static void say(const struct cli *cli, const struct tm_point *point,
		const struct tm_job *job, uint64_t ns)
{
	struct tm_counters sum = tm_tally_sum(&job->tally);
	char size[16];
	size_t i;

	cli_say(cli, "Recovery point %s, %s\n", point->name,
		tm_consistency_name(point->consistency));
	for (i = 0; i < point->n_disks; i++)
		cli_say(cli, "  disk %s, %s, %s\n", point->disks[i].name,
			size_text(point->disks[i].size, size, sizeof(size)),
			tm_ship_mode_name(point->disks[i].mode));
	say_counters(cli, "tracked", &job->tally.tracked);
	say_counters(cli, "scanned", &job->tally.scanned);
	say_rounds(cli, &job->rounds);
	if (job->tally.chunks_sampled)
		cli_say(cli, "  sampled  %" PRIu64 " chunks that had not changed\n",
			job->tally.chunks_sampled);
	cli_say(cli, "  %" PRIu64 " requests, %" PRIu64 " retries, %.1f s\n",
		sum.requests, sum.retries, ns / 1e9);
}

static void fill_result(struct cli *cli, const struct tm_point *point,
			const struct tm_job *job, uint64_t ns)
{
	json_t *modes = json_object();
	size_t i;

	for (i = 0; i < point->n_disks; i++)
		json_object_set_new(modes, point->disks[i].name,
				    json_string(tm_ship_mode_name(
					point->disks[i].mode)));
	cli_result(cli, "point", json_string(point->name));
	cli_result(cli, "consistency",
		   json_string(tm_consistency_name(point->consistency)));
	cli_result(cli, "modes", modes);
	cli_result(cli, "counters", tm_tally_json(&job->tally));
	cli_result(cli, "precopy", tm_rounds_json(&job->rounds));
	cli_result(cli, "milliseconds", json_integer(ns / 1000000));
}

static int load_disks(const struct tm_config *config, const char **args,
		      struct item_disks *ret, struct tm_error *err)
{
	int r = item_disks_load(config, ret, err);

	if (!r && !ret->n) {
		tm_error_set(err, -ENOENT, TM_EXIT_NOT_FOUND, NULL,
			     "cannot back up: no disk of this machine is protected");
		tm_error_action(err, "see 'tidemark protect --help'");
		return -ENOENT;
	}
	if (!r)
		r = item_disks_select(ret, args, err);
	if (r)
		item_disks_done(ret);
	return r;
}

/* From the vault's opening to its closing, counted for Prometheus. */
static int run(struct cli *cli, const struct tm_config *config,
	       const struct item_disks *disks, const struct backup_options *how,
	       struct tm_point *ret_point, struct tm_job *ret_job,
	       struct tm_error *err)
{
	struct metrics_outcome outcome = {
		.disks = disks->v, .n_disks = disks->n,
	};
	struct metrics metrics;
	struct vault vault;
	int r;

	metrics_begin(&metrics, config, &cli->report, TM_JOB_BACKUP,
		      disks->v[0].item_name);
	r = vault_open(&vault, config, disks->v[0].vault, &cli->report, err);
	if (!r) {
		r = backup_run(&vault, disks->v, disks->n, how, ret_point,
			       ret_job, err);
		metrics_count(&outcome, &vault);
		outcome.counters = tm_tally_sum(&ret_job->tally);
		outcome.chunks_sampled = ret_job->tally.chunks_sampled;
		vault_close(&vault);
	}
	outcome.r = r;
	metrics_end(&metrics, &outcome);
	return r;
}

static int backup_verb(struct cli *cli, const char **args, struct tm_error *err)
{
	uint64_t start = clock_now_ns();
	struct backup_options how = { .compare = compare, .full = full };
	struct item_disks disks;
	struct tm_config config;
	struct tm_point point;
	struct tm_job job = { 0 };
	int r;

	if (cut_timeout < 0 || cut_timeout > TM_CUT_TIMEOUT_MAX)
		return cli_usage(cli, err, "option '--cut-timeout' needs 1 to "
				 "%d seconds, not %d", TM_CUT_TIMEOUT_MAX,
				 cut_timeout);
	r = settings_load(cli, &config, err);
	config.accept_rollback = accept_rollback;
	if (!r)
		r = load_disks(&config, args, &disks, err);
	if (r)
		return r;
	how.drop_local = drop_snapshot;
	if (!no_precopy)
		how.precopy = (struct tm_precopy){
			.from = config.precopy,
			.remainder = config.precopy_remainder,
		};
	how.cut.no_freeze = no_freeze || !config.freeze;
	how.cut.freeze_timeout_ms = config.freeze_timeout * 1000;
	how.cut.hold_timeout_ms = config.cut_timeout * 1000;
	if (cut_timeout)
		how.cut.hold_timeout_ms = cut_timeout * 1000;
	how.cut.pool_kib = config.pool / 1024;
	how.cut.cow_timeout_s = config.cow_timeout;
	how.cut.hook = hook;
	how.cut.hook_timeout_ms = hook_timeout > 0 ? hook_timeout * 1000u : 0;
	r = run(cli, &config, &disks, &how, &point, &job, err);
	if (!r) {
		progress_end();
		say(cli, &point, &job, clock_now_ns() - start);
		fill_result(cli, &point, &job, clock_now_ns() - start);
		tm_point_done(&point);
	}
	tm_job_done(&job);
	item_disks_done(&disks);
	return r;
}

const struct verb verb_backup = {
	.name = "backup",
	.arguments = "[DISK...]",
	.summary = "make a recovery point of this machine's disks",
	.text =
"All protected disks, or those named, are cut at one instant and sent to their\n"
"vault. A tracked disk sends what has changed since its last point; of any other\n"
"disk everything is read and what differs is sent.\n"
"\n"
"Ctrl-C, or SIGTERM, ends a backup cleanly (exit status 12): the changes it was\n"
"sending join the next one. A second signal ends the program at once; the next\n"
"backup then settles what was left.\n",
	.examples =
"  tidemark backup\n"
"  tidemark backup root data --json\n",
	.options = options,
	.max_args = -1,
	.run = backup_verb,
};
