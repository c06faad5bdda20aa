// SPDX-License-Identifier: MIT
/* verify.c - `tidemark verify` */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cli/progress.h"
#include "cli/settings.h"
#include "cli/verifying.h"
#include "engine/metrics.h"
#include "engine/points.h"
#include "engine/verify.h"

static char *vault_url, *item_name, *disk_name, *sample, *budget;
static int older_than = -1, accept_rollback;

static const struct poptOption options[] = {
	{ "disk", 'd', POPT_ARG_STRING, &disk_name, 0,
	  "only this disk of the point", "DISK" },
	{ "sample", 's', POPT_ARG_STRING, &sample, 0,
	  "read so much of the data, chosen at random", "N%|SIZE" },
	{ "older-than", 0, POPT_ARG_INT, &older_than, 0,
	  "all points that were not verified for so many days", "DAYS" },
	{ "budget", 0, POPT_ARG_STRING, &budget, 0,
	  "of these, as many as this amount of reading is enough for", "SIZE" },
	{ "accept-rollback", 0, POPT_ARG_NONE, &accept_rollback, 0,
	  "go on although the vault is in an older state than it was", NULL },
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)verify_boot_options, 0, NULL,
	  NULL },
	{ "vault", 0, POPT_ARG_STRING, &vault_url, 0,
	  "the vault (default: this machine's)", "URL" },
	{ "item", 'i', POPT_ARG_STRING, &item_name, 0,
	  "name or id of the machine (default: this one)", "NAME" },
	POPT_TABLEEND
};

struct verb_run {
	struct cli *cli;
	struct place *place;
	struct verify_options how;
	uint64_t budget;	/* bytes; 0: no limit */
	uint64_t bytes;		/* received */
	uint64_t chunks;	/* checked */
	unsigned int bad;	/* points */
	struct tm_error why;	/* the first of them */
};

static json_t *bad_json(const struct tm_check_disk *d, uint32_t chunk_size)
{
	json_t *list = json_array();
	const struct tm_extent *x;

	tm_extents_for_each(x, &d->bad_chunks)
		json_array_append_new(list, json_pack(
			"{s:I, s:I, s:I}", "chunk", (json_int_t)x->start,
			"chunks", (json_int_t)x->len, "offset",
			(json_int_t)(x->start * chunk_size)));
	return list;
}

static uint32_t chunk_size_of(const struct tm_point *point, const char *disk)
{
	const struct tm_point_disk *d = tm_point_find_disk(point, disk);

	return d ? d->chunk_size : 0;
}

static json_t *finding_json(const struct tm_check_disk *d, uint32_t chunk_size)
{
	return json_pack("{s:s, s:I, s:I, s:I, s:b, s:b, s:o}", "disk", d->name,
			 "chunks_checked", (json_int_t)d->chunks_checked,
			 "chunks_unproved", (json_int_t)d->chunks_unproved,
			 "chunks_bad",
			 (json_int_t)tm_extents_total(&d->bad_chunks),
			 "header_bad", d->header_bad,
			 "footer_bad", d->footer_bad, "bad",
			 bad_json(d, chunk_size));
}

/* The first that is wrong, by disk, offset and chunk. */
static void name_first(const struct tm_check *check,
		       const struct tm_point *point, char *buf, size_t size)
{
	size_t i;

	for (i = 0; i < check->n_disks; i++) {
		const struct tm_check_disk *d = &check->disks[i];

		if (d->bad_chunks.n) {
			uint64_t chunk = d->bad_chunks.v[0].start;

			snprintf(buf, size, "the first is disk '%s', offset %"
				 PRIu64 ", chunk %" PRIu64, d->name,
				 chunk * chunk_size_of(point, d->name), chunk);
			return;
		}
	}
	for (i = 0; i < check->n_disks; i++) {
		const struct tm_check_disk *d = &check->disks[i];

		if (d->header_bad || d->footer_bad || d->chunks_unproved) {
			snprintf(buf, size, "disk '%s'%s", d->name,
				 d->header_bad ? ", its LUKS header" :
				 d->footer_bad ? ", the footer of its VHD" :
				 "");
			return;
		}
	}
	snprintf(buf, size, "an earlier check found it");
}

static void say_bad(struct cli *cli, const struct tm_check *check,
		    const struct tm_point *point)
{
	const struct tm_extent *x;
	size_t i;

	for (i = 0; i < check->n_disks; i++) {
		const struct tm_check_disk *d = &check->disks[i];
		uint32_t size = chunk_size_of(point, d->name);

		tm_extents_for_each(x, &d->bad_chunks)
			cli_say(cli, "  disk %s, offset %" PRIu64
				", chunk %" PRIu64 ": %" PRIu64
				" chunks are not what was backed up\n",
				d->name, x->start * size, x->start, x->len);
	}
}

static int judge(struct cli *cli, const struct tm_check *check,
		 const struct tm_point *point, json_t *result,
		 struct tm_error *err)
{
	uint64_t bad = 0, unproved = 0, checked = 0;
	json_t *list = json_array();
	char first[192];
	size_t i;

	for (i = 0; i < check->n_disks; i++) {
		const struct tm_check_disk *d = &check->disks[i];

		bad += tm_extents_total(&d->bad_chunks);
		unproved += d->chunks_unproved;
		checked += d->chunks_checked;
		json_array_append_new(list, finding_json(d,
			chunk_size_of(point, d->name)));
	}
	json_object_set_new(result, "point", json_string(check->name));
	json_object_set_new(result, "good", json_boolean(check->good));
	json_object_set_new(result, "how",
			    json_string(tm_check_how_name(check->how)));
	json_object_set_new(result, "disks", list);
	progress_end();
	if (check->good) {
		cli_say(cli, "Recovery point %s is good%s: %" PRIu64
			" chunks checked\n", check->name,
			check->how == TM_CHECK_SAMPLE ?
			" as far as was read" : "", checked);
		return 0;
	}
	say_bad(cli, check, point);
	name_first(check, point, first, sizeof(first));
	tm_error_set(err, -EBADMSG, TM_EXIT_INTEGRITY, check->name,
		     "recovery point '%s' is not whole: of %" PRIu64
		     " chunks %" PRIu64 " are not what was backed up and %"
		     PRIu64 " cannot be proved; %s",
		     check->name, checked, bad, unproved, first);
	tm_error_action(err, "restore another point; 'tidemark backup --full' makes the next one whole");
	return -EBADMSG;
}

/* -EBADMSG if it is not good; @result is filled then too. */
static int verify_one(struct verb_run *run, const struct tm_point *point,
		      json_t *result, struct tm_error *err)
{
	struct place *place = run->place;
	struct tm_check check;
	size_t i;
	int r;

	r = verify_point(&place->vault, place->container, point, &run->how,
			 &check, &run->bytes, err);
	if (r)
		return r;
	for (i = 0; i < check.n_disks; i++)
		run->chunks += check.disks[i].chunks_checked;
	r = judge(run->cli, &check, point, result, err);
	run->bad += !check.good;
	/* What was found is the result, whatever the verdict. */
	run->cli->keep_result = true;
	tm_check_done(&check);
	return r;
}

static int verify_named(struct verb_run *run, const char *which,
			struct tm_error *err)
{
	struct place *place = run->place;
	struct tm_point point;
	int r;

	r = points_find(&place->vault, place->container, &place->id, which,
			&point, err);
	if (r)
		return r;
	r = verify_one(run, &point, run->cli->result, err);
	tm_point_done(&point);
	return r;
}

/* The one that has waited longest is never too much: else it always would be. */
static int is_affordable(struct verb_run *run, const struct tm_point *point,
			 bool first, bool *ret, struct tm_error *err)
{
	struct place *place = run->place;
	uint64_t cost;
	int r;

	*ret = true;
	if (first || !run->budget)
		return 0;
	r = verify_cost(&place->vault, place->container, point, &run->how,
			&cost, err);
	if (!r)
		*ret = run->bytes < run->budget &&
			cost <= run->budget - run->bytes;
	return r;
}

/* *@ret_more is false when the budget is spent. */
static int verify_next(struct verb_run *run, const char *name, bool first,
		       json_t *list, bool *ret_more, struct tm_error *err)
{
	struct place *place = run->place;
	struct tm_point point;
	json_t *result;
	int r;

	r = points_read(&place->vault, place->container, name, &point, err);
	if (r)
		return r;
	if (!point.tombstone)
		r = is_affordable(run, &point, first, ret_more, err);
	if (!r && !point.tombstone && *ret_more) {
		result = json_object();
		r = verify_one(run, &point, result, err);
		if (r == -EBADMSG && json_object_size(result)) {
			if (run->bad == 1)
				run->why = *err;
			r = 0;	/* the others are to be verified all the same */
		}
		if (!r)
			json_array_append(list, result);
		json_decref(result);
	}
	tm_point_done(&point);
	return r;
}

static int verdict(const struct verb_run *run, size_t due, size_t done,
		   struct tm_error *err)
{
	cli_say(run->cli, "%zu of %zu overdue points verified\n", done, due);
	if (!run->bad)
		return 0;
	if (run->bad == 1) {
		*err = run->why;
		return -EBADMSG;
	}
	tm_error_set(err, -EBADMSG, TM_EXIT_INTEGRITY, NULL,
		     "%u recovery points are not whole", run->bad);
	tm_error_action(err, "see 'tidemark points'");
	return -EBADMSG;
}

static int verify_all_overdue(struct verb_run *run, struct tm_error *err)
{
	struct place *place = run->place;
	json_t *list = json_array();
	struct overdue *v;
	bool more = true;
	size_t n, i, done;
	int r;

	r = verify_overdue(&place->vault, place->container, &place->id,
			   INT64_C(86400) * older_than, run->how.sample, &v, &n,
			   err);
	if (r) {
		json_decref(list);
		return r;
	}
	for (i = 0; i < n && !r && more; i++)
		r = verify_next(run, v[i].name, !i, list, &more, err);
	free(v);
	done = json_array_size(list);
	cli_result(run->cli, "overdue", json_integer((json_int_t)n));
	cli_result(run->cli, "points", list);
	cli_result(run->cli, "bytes_received",
		   json_integer((json_int_t)run->bytes));
	progress_end();
	return r ? r : verdict(run, n, done, err);
}

/* "2.5%" to 10^6ths, or a size. */
static int parse_sample(const struct cli *cli, struct verify_options *how,
			struct tm_error *err)
{
	char *end;
	double share;

	how->sample = sample;
	if (!sample)
		return 0;
	share = strtod(sample, &end);
	if (end != sample && !strcmp(end, "%") && share > 0 && share <= 100) {
		how->share = (uint64_t)(share * 10000);
		if (!how->share)
			how->share = 1;
		return 0;
	}
	if (!tm_size_parse(sample, &how->bytes) && how->bytes)
		return 0;
	return cli_usage(cli, err, "option '--sample' needs a share (5%%) or a size (10G), not '%s'",
			 sample);
}

static int parse_options(const struct cli *cli, const char **args,
			 struct verb_run *run, struct tm_error *err)
{
	int r = parse_sample(cli, &run->how, err);

	if (r)
		return r;
	run->how.disk = disk_name;
	if (older_than < -1)
		return cli_usage(cli, err, "option '--older-than' needs days, not %d",
				 older_than);
	if (older_than >= 0 && (args[0] || disk_name))
		return cli_usage(cli, err, "--older-than goes with neither a point nor --disk");
	if (budget && older_than < 0)
		return cli_usage(cli, err, "--budget goes with --older-than");
	if (budget && (tm_size_parse(budget, &run->budget) || !run->budget))
		return cli_usage(cli, err, "option '--budget' needs a size (100G), not '%s'",
				 budget);
	return 0;
}

static int run_boot(struct cli *cli, const struct tm_config *config,
		    const char **args, struct tm_error *err)
{
	const struct mounting_choice which = {
		.vault = vault_url, .item = item_name, .point = args[0],
	};

	if (sample || older_than >= 0)
		return cli_usage(cli, err, "--boot goes with neither --sample nor --older-than");
	return verify_boot(cli, config, &which, disk_name, err);
}

static int verify_run(struct cli *cli, const char **args, struct tm_error *err)
{
	struct metrics_outcome outcome = { 0 };
	struct verb_run run = { .cli = cli };
	struct metrics metrics;
	struct tm_config config;
	struct place place;
	bool boot = false;
	int r;

	r = parse_options(cli, args, &run, err);
	if (!r)
		r = verify_boot_wanted(cli, &boot, err);
	if (!r)
		r = settings_load(cli, &config, err);
	config.accept_rollback = accept_rollback;
	if (!r && boot)
		return run_boot(cli, &config, args, err);
	if (!r)
		r = place_open(cli, &config, vault_url, item_name, &place, err);
	if (r)
		return r;
	run.place = &place;
	metrics_begin(&metrics, &config, &cli->report, TM_JOB_VERIFY,
		      place.item);
	r = older_than >= 0 ? verify_all_overdue(&run, err) :
		verify_named(&run, args[0] ? args[0] : "latest", err);
	outcome.counters.chunks_read = run.chunks;
	outcome.r = r;
	metrics_count(&outcome, &place.vault);
	metrics_end(&metrics, &outcome);
	place_close(&place);
	return r;
}

const struct verb verb_verify = {
	.name = "verify",
	.arguments = "[POINT]",
	.summary = "prove a recovery point from what the vault holds",
	.text =
"Reads every chunk of the point (default: the latest) from the vault and\n"
"compares it with the hash table; or, with --sample, all that was never written\n"
"and a share of the data, chosen at random. What was found is kept in the vault\n"
"and shown by 'points'; who restores a point that is not whole is warned. Such a\n"
"point ends with exit status 9.\n"
"\n"
"With --older-than, all points that were neither made nor verified in so many\n"
"days, those that have waited longest first. With --budget no point is begun\n"
"that would read more than is left of it; the first one always is. Only whole\n"
"checks count here, with --sample also samples.\n"
"\n"
"With --boot nothing is compared: QEMU starts the machine from the point, with no\n"
"network and on overlays that are thrown away, until TEXT comes on its serial\n"
"console. Only what it reads is fetched. --disk names the disk to boot from. What\n"
"became of it is kept and shown likewise; who does not start ends with exit\n"
"status 9, and the last lines of the console are shown.\n",
	.examples =
"  tidemark verify\n"
"  tidemark verify 20260102T030405Z --disk root\n"
"  tidemark verify --older-than 30 --budget 500G\n"
"  tidemark verify --older-than 7 --sample 2%\n"
"  tidemark verify --boot --timeout 900\n"
"  tidemark verify --boot 20260102T030405Z --sign 'Welcome to'\n",
	.options = options,
	.max_args = 1,
	.run = verify_run,
};
