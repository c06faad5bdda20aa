// SPDX-License-Identifier: MIT
/* verify.c - `tidemark verify` */

#include <errno.h>
#include "cli/progress.h"
#include "cli/settings.h"
#include "engine/metrics.h"
#include "engine/points.h"
#include "engine/verify.h"

static char *vault_url, *item_name, *disk_name;

static const struct poptOption options[] = {
	{ "disk", 'd', POPT_ARG_STRING, &disk_name, 0,
	  "only this disk of the point", "DISK" },
	{ "vault", 0, POPT_ARG_STRING, &vault_url, 0,
	  "the vault (default: this machine's)", "URL" },
	{ "item", 'i', POPT_ARG_STRING, &item_name, 0,
	  "name or id of the machine (default: this one)", "NAME" },
	POPT_TABLEEND
};

static json_t *finding_json(const struct tm_check_disk *d)
{
	return json_pack("{s:s, s:I, s:I, s:I}", "disk", d->name,
			 "chunks_checked", (json_int_t)d->chunks_checked,
			 "chunks_unproved", (json_int_t)d->chunks_unproved,
			 "chunks_bad",
			 (json_int_t)tm_extents_total(&d->bad_chunks));
}

static int judge(struct cli *cli, const struct tm_check *check,
		 struct tm_error *err)
{
	unsigned long long bad = 0, unproved = 0, checked = 0;
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < check->n_disks; i++) {
		bad += tm_extents_total(&check->disks[i].bad_chunks);
		unproved += check->disks[i].chunks_unproved;
		checked += check->disks[i].chunks_checked;
		json_array_append_new(list, finding_json(&check->disks[i]));
	}
	cli_result(cli, "point", json_string(check->name));
	cli_result(cli, "good", json_boolean(check->good));
	cli_result(cli, "disks", list);
	progress_end();
	if (!check->good) {
		tm_error_set(err, -EBADMSG, TM_EXIT_INTEGRITY, check->name,
			     "recovery point '%s' is not whole: of %llu chunks %llu are not what was backed up and %llu cannot be proved",
			     check->name, checked, bad, unproved);
		tm_error_action(err, "restore another point; 'tidemark backup --full' makes the next one whole");
		return -EBADMSG;
	}
	cli_say(cli, "Recovery point %s is good: %llu chunks checked\n",
		check->name, checked);
	return 0;
}

static int run(struct cli *cli, struct place *place, const char *which,
	       uint64_t *ret_chunks, struct tm_error *err)
{
	struct tm_check check;
	struct tm_point point;
	size_t i;
	int r;

	r = points_find(&place->vault, place->container, &place->id, which,
			&point, err);
	if (r)
		return r;
	r = verify_point(&place->vault, place->container, &point, disk_name,
			 &check, err);
	tm_point_done(&point);
	if (r)
		return r;
	for (i = 0; i < check.n_disks; i++)
		*ret_chunks += check.disks[i].chunks_checked;
	r = judge(cli, &check, err);
	tm_check_done(&check);
	return r;
}

static int verify_run(struct cli *cli, const char **args, struct tm_error *err)
{
	struct metrics_outcome outcome = { 0 };
	struct metrics metrics;
	struct tm_config config;
	struct place place;
	int r;

	r = settings_load(cli, &config, err);
	if (!r)
		r = place_open(cli, &config, vault_url, item_name, &place, err);
	if (r)
		return r;
	metrics_begin(&metrics, &config, &cli->report, TM_JOB_VERIFY,
		      place.item);
	r = run(cli, &place, args[0] ? args[0] : "latest",
		&outcome.counters.chunks_read, err);
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
"compares it with the hash table. What was found is kept in the vault. A point\n"
"that is not whole ends with exit status 9.\n",
	.examples =
"  tidemark verify\n"
"  tidemark verify 20260102T030405Z --disk root\n",
	.options = options,
	.max_args = 1,
	.run = verify_run,
};
