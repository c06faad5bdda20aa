// SPDX-License-Identifier: MIT
/* estimate.c - `tidemark estimate` */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "cli/progress.h"
#include "cli/settings.h"
#include "engine/estimate.h"
#include "model/precopy.h"

/* `backup` sends as much as differs; of what has changed, that is most. */
static const char *at_most(const struct estimate *e)
{
	return e->mode == TM_SHIP_COMPARE ?
		", if all of it differs; nothing is known of that before" :
		e->mode == TM_SHIP_FULL ? ", less what is zero" : "";
}

static void say_numbers(const struct cli *cli, const struct tm_estimate *n,
			const char *note)
{
	char size[16], rate[16], time[24];

	cli_say(cli, "  read      %s\n",
		size_text(n->bytes_read, size, sizeof(size)));
	cli_say(cli, "  send      at most %s%s\n",
		size_text(n->bytes_sent, size, sizeof(size)), note);
	cli_say(cli, "  requests  about %" PRIu64 ": %" PRIu64
		" of pages, %" PRIu64 " of the hash table\n", n->requests,
		n->page_puts, n->table_requests);
	cli_say(cli, "  time      at most %s at what a standard page blob takes, 60 MiB and 500 requests a second; reading comes on top where it is slower\n",
		duration_text(n->seconds, time, sizeof(time)));
	if (n->store_bytes)
		cli_say(cli, "  store     %s for each MiB/s that is overwritten while it is sent, at most %s\n",
			size_text(n->store_per_mib_s, rate, sizeof(rate)),
			size_text(n->store_bytes, size, sizeof(size)));
	else
		cli_say(cli, "  store     none: no snapshot has to keep anything\n");
	cli_say(cli, "  storage   at most %.3f GB-months more, for each month that it is kept\n",
		tm_estimate_gb_months(n));
}

static json_t *numbers_json(const struct tm_estimate *n)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f}",
			 "bytes_read", (json_int_t)n->bytes_read,
			 "bytes_sent_max", (json_int_t)n->bytes_sent,
			 "page_puts", (json_int_t)n->page_puts,
			 "table_requests", (json_int_t)n->table_requests,
			 "requests", (json_int_t)n->requests,
			 "seconds_max", (json_int_t)n->seconds,
			 "store_bytes_max", (json_int_t)n->store_bytes,
			 "store_bytes_per_mib_s",
			 (json_int_t)n->store_per_mib_s,
			 "bytes_added_max", (json_int_t)n->bytes_added,
			 "gb_months_max", tm_estimate_gb_months(n));
}

static json_t *disk_json(const struct tm_disk *disk, const struct estimate *e)
{
	json_t *obj = numbers_json(&e->n);

	json_object_set_new(obj, "name", json_string(disk->name));
	json_object_set_new(obj, "bytes", json_integer(e->size_bytes));
	json_object_set_new(obj, "tracked", json_boolean(e->tracked));
	json_object_set_new(obj, "mode",
			    json_string(tm_ship_mode_name(e->mode)));
	json_object_set_new(obj, "why", json_string(e->why));
	return obj;
}

/* Does `backup` begin before the cut? */
static void say_ahead(struct cli *cli, const struct tm_config *config,
		      uint64_t bytes)
{
	const struct tm_precopy rule = {
		.from = config->precopy,
		.remainder = config->precopy_remainder,
	};
	bool ahead = tm_precopy_next(&rule, 0, 0, bytes) == TM_PRECOPY_GO;
	char size[16];

	if (ahead)
		cli_say(cli, "Pre-copy: sent before the cut but for about %s, while the disks are in use. What\n"
			"is written meanwhile is sent again, at most as much once more. A store has to\n"
			"keep what is overwritten while the rest is sent.\n",
			size_text(rule.remainder, size, sizeof(size)));
	cli_result(cli, "precopy", json_boolean(ahead));
}

struct sum {
	struct tm_estimate n;
	uint64_t bytes_ahead;
};

static int one(struct cli *cli, struct vault *v, const struct tm_disk *disk,
	       struct sum *sum, json_t *list, struct tm_error *err)
{
	struct estimate e;
	char size[16];
	int r;

	r = report_cancelled(&cli->report, err);
	if (!r)
		r = estimate_disk(v, disk, &e, err);
	if (r)
		return r;
	if (e.snapshot)
		report_warning(&cli->report,
			       "a backup of disk '%s' has to wait for a snapshot made by hand to be removed; see 'tidemark snapshot list'",
			       disk->name);
	cli_say(cli, "Disk %s, %s: %s, for %s\n", disk->name,
		size_text(e.size_bytes, size, sizeof(size)),
		tm_ship_mode_name(e.mode), e.why);
	say_numbers(cli, &e.n, at_most(&e));
	json_array_append_new(list, disk_json(disk, &e));
	tm_estimate_add(&sum->n, &e.n);
	sum->bytes_ahead += e.bytes_ahead;
	return 0;
}

/* Disks of one vault after the other, each vault opened once. */
static int all(struct cli *cli, const struct tm_config *config,
	       const struct item_disks *disks, struct sum *sum,
	       json_t *list, struct tm_error *err)
{
	struct vault vault;
	size_t i, j;
	int r = 0;

	for (i = 0; i < disks->n && !r; i = j) {
		const char *url = disks->v[i].vault;

		r = vault_open(&vault, config, url, &cli->report, err);
		if (r)
			break;
		for (j = i; j < disks->n && !r &&
		     !strcmp(disks->v[j].vault, url); j++)
			r = one(cli, &vault, &disks->v[j], sum, list, err);
		vault_close(&vault);
	}
	return r;
}

static int nothing_protected(struct tm_error *err)
{
	tm_error_set(err, -ENOENT, TM_EXIT_NOT_FOUND, NULL,
		     "cannot estimate a backup: no disk of this machine is protected");
	tm_error_action(err, "see 'tidemark protect --help'");
	return -ENOENT;
}

static int estimate_run(struct cli *cli, const char **args,
			struct tm_error *err)
{
	struct sum sum = { .n.requests = TM_ESTIMATE_RUN_REQUESTS };
	struct item_disks disks;
	struct tm_config config;
	json_t *list;
	int r;

	r = settings_load(cli, &config, err);
	if (!r)
		r = item_disks_load(&config, &disks, err);
	if (r)
		return r;
	r = disks.n ? item_disks_select(&disks, args, err) :
		nothing_protected(err);
	list = json_array();
	if (!r)
		r = all(cli, &config, &disks, &sum, list, err);
	if (!r && disks.n > 1) {
		cli_say(cli, "All, one after the other\n");
		say_numbers(cli, &sum.n, "");
	}
	if (!r)
		say_ahead(cli, &config, sum.bytes_ahead);
	cli_result(cli, "disks", list);
	cli_result(cli, "total", numbers_json(&sum.n));
	item_disks_done(&disks);
	return r;
}

const struct verb verb_estimate = {
	.name = "estimate",
	.arguments = "[DISK...]",
	.summary = "tell what the next backup will take, before anything is sent",
	.text =
"For each protected disk, or those named, and in total: whether all of it is\n"
"sent, all of it compared, or only what has changed, and why; bytes to read and\n"
"to send, requests, time, room in the store of a snapshot, and storage.\n"
"\n"
"What will differ is not known before it is read, so what is sent is told as if\n"
"everything that is read did. A store holds what is overwritten on the disk\n"
"before it has been sent: that depends on how busy the disk is, and is never more\n"
"than what is to be sent. It is little where most is sent before the cut; that is\n"
"told then. Nothing is changed, here or in the vault.\n",
	.examples =
"  tidemark estimate\n"
"  tidemark estimate root --json\n",
	.max_args = -1,
	.run = estimate_run,
};
