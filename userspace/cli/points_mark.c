// SPDX-License-Identifier: MIT
/* points_mark.c - `tidemark points keep` and `tidemark points delete` */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "cli/settings.h"
#include "engine/document.h"
#include "engine/mark.h"
#include "engine/points.h"
#include "engine/reap.h"

static char *vault_url, *item_name, *until;
static int force, due;

static const struct poptOption where_options[] = {
	{ "vault", 0, POPT_ARG_STRING, &vault_url, 0,
	  "the vault (default: this machine's)", "URL" },
	{ "item", 'i', POPT_ARG_STRING, &item_name, 0,
	  "name or id of the machine (default: this one)", "NAME" },
	POPT_TABLEEND
};

static const struct poptOption keep_options[] = {
	{ "until", 'u', POPT_ARG_STRING, &until, 0,
	  "a day, a time, 'forever', or 'none'", "DATE" },
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)where_options, 0, NULL,
	  NULL },
	POPT_TABLEEND
};

static const struct poptOption delete_options[] = {
	{ "due", 0, POPT_ARG_NONE, &due, 0,
	  "delete the storage of all points whose day is over", NULL },
	{ "force", 0, POPT_ARG_NONE, &force, 0,
	  "even if the next backup of a disk builds on it", NULL },
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)where_options, 0, NULL,
	  NULL },
	POPT_TABLEEND
};

static int keep(struct cli *cli, struct place *place, const char *which,
		int64_t when, struct tm_error *err)
{
	struct tm_point point;
	bool back = false;
	int r;

	r = points_find(&place->vault, place->container, &place->id, which,
			&point, err);
	if (r)
		return r;
	r = mark_keep(&place->vault, place->container, &place->id, point.name,
		      when, &back, err);
	if (!r) {
		cli_say(cli, "Recovery point %s is kept %s%s\n", point.name,
			when ? "until " : "no longer than others",
			when ? until : "");
		if (back)
			cli_say(cli, "It is no longer marked for deletion\n");
		cli_result(cli, "point", json_string(point.name));
		cli_result(cli, "keep_until", json_string(until));
		cli_result(cli, "undeleted", json_boolean(back));
	}
	tm_point_done(&point);
	return r;
}

static int keep_run(struct cli *cli, const char **args, struct tm_error *err)
{
	struct tm_config config;
	struct place place;
	int64_t when;
	int r;

	if (!until)
		return cli_usage(cli, err, "option '--until' is missing");
	r = tm_keep_parse(until, &when, err);
	if (!r)
		r = settings_load(cli, &config, err);
	if (!r)
		r = place_open(cli, &config, vault_url, item_name, &place, err);
	if (r)
		return r;
	r = keep(cli, &place, args[0], when, err);
	place_close(&place);
	return r;
}

static int confirm(struct cli *cli, const struct place *place, const char *name,
		   struct tm_error *err)
{
	char question[256];

	snprintf(question, sizeof(question),
		 "Recovery point '%s' of '%s' is to be deleted.", name,
		 place->item);
	return cli_confirm(cli, question, err);
}

/* Its day may be over. */
static int finish(struct cli *cli, struct place *place, const char *name,
		  const struct tm_mark *mark, struct tm_error *err)
{
	char when[TM_TIME_SIZE] = "";
	uint64_t snapshots = 0;
	bool done;
	int r;

	r = reap_point(&place->vault, place->container, &place->id, name,
		       &done, &snapshots, err);
	if (r)
		return r;
	tm_time_format(when, tm_mark_due(mark));
	if (done)
		cli_say(cli, "Recovery point %s is deleted\n", name);
	else
		cli_say(cli, "Recovery point %s is marked for deletion; its "
			"storage can go after %s\n"
			"  until then: tidemark points keep %s --until "
			"forever\n", name, when, name);
	cli_result(cli, "point", json_string(name));
	cli_result(cli, "expires", json_string(when));
	cli_result(cli, "storage_deleted", json_boolean(done));
	cli_result(cli, "snapshots_deleted", json_integer(snapshots));
	return 0;
}

/*
 * A point that is none any more, for its deletion was interrupted: what is left
 * of it goes, if that is confirmed. -ENOENT: there is no such one; @err stays as
 * it is.
 */
static int go_on(struct cli *cli, struct place *place, const char *which,
		 struct tm_error *err)
{
	struct tm_error why = TM_ERROR_INIT;
	const char *found = NULL;
	struct tm_mark mark;
	char **names;
	size_t n, i;
	int r;

	if (mark_names(&place->vault, &place->id, &names, &n, &why))
		return -ENOENT;
	for (i = 0; i < n && !found; i++)
		if (!strncmp(names[i], which, strlen(which)))
			found = names[i];
	if (found && i < n && !strncmp(names[i], which, strlen(which)))
		found = NULL;	/* which of the two? */
	r = found ? mark_read(&place->vault, &place->id, found, &mark, NULL,
			      &why) : -ENOENT;
	if (!r) {
		if (mark.deleted) {
			tm_error_clear(err);
			r = confirm(cli, place, found, err);
			if (!r)
				r = finish(cli, place, found, &mark, err);
		} else {
			r = -ENOENT;
		}
		tm_mark_done(&mark);
	} else {
		r = -ENOENT;
	}
	document_names_free(names, n);
	return r;
}

static int delete_point(struct cli *cli, struct place *place, const char *which,
			struct tm_error *err)
{
	struct tm_mark mark;
	struct tm_point point;
	int r;

	r = points_find(&place->vault, place->container, &place->id, which,
			&point, err);
	if (r == -ENOENT)
		return go_on(cli, place, which, err);
	if (r)
		return r;
	r = confirm(cli, place, point.name, err);
	if (!r)
		r = mark_delete(&place->vault, place->container, &place->id,
				&point, force, &mark, err);
	if (!r) {
		r = finish(cli, place, point.name, &mark, err);
		tm_mark_done(&mark);
	}
	tm_point_done(&point);
	return r;
}

static int delete_due(struct cli *cli, struct place *place,
		      struct tm_error *err)
{
	struct reaped reaped;
	int r;

	r = cli_confirm(cli, "The storage of all points that were marked a day ago is to be deleted.",
			err);
	if (!r)
		r = reap_due(&place->vault, place->container, &place->id,
			     &reaped, err);
	if (r)
		return r;
	cli_say(cli, "%u points deleted, %u left; of %u the day is not over\n",
		reaped.points, reaped.left, reaped.waiting);
	cli_result(cli, "points_deleted", json_integer(reaped.points));
	cli_result(cli, "points_left", json_integer(reaped.left));
	cli_result(cli, "points_waiting", json_integer(reaped.waiting));
	cli_result(cli, "snapshots_deleted",
		   json_integer((json_int_t)reaped.snapshots));
	return 0;
}

static int delete_run(struct cli *cli, const char **args, struct tm_error *err)
{
	struct tm_config config;
	struct place place;
	int r;

	if (due && args[0])
		return cli_usage(cli, err, "--due takes no point");
	if (!due && !args[0])
		return cli_usage(cli, err,
				 "an argument is missing: POINT, or --due");
	r = settings_load(cli, &config, err);
	if (!r)
		r = place_open(cli, &config, vault_url, item_name, &place, err);
	if (r)
		return r;
	r = due ? delete_due(cli, &place, err) :
		delete_point(cli, &place, args[0], err);
	place_close(&place);
	return r;
}

const struct verb verb_points_keep = {
	.name = "points keep",
	.arguments = "POINT --until DATE|forever|none",
	.summary = "keep a recovery point, or have a deleted one back",
	.text =
"A point that is kept cannot be deleted until that day (2026-01-31) is over, or\n"
"until that time (2026-01-31T12:00:00Z, both UTC). One that is marked for\n"
"deletion is had back as long as its storage is there. 'none' takes the wish\n"
"back. Marks are in the vault's container: it takes an administrator's\n"
"credentials.\n",
	.examples =
"  tidemark points keep latest --until forever\n"
"  tidemark points keep 20260102T030405Z --until 2027-01-31\n",
	.options = keep_options,
	.min_args = 1,
	.max_args = 1,
	.run = keep_run,
};

const struct verb verb_points_delete = {
	.name = "points delete",
	.arguments = "POINT | --due",
	.summary = "delete a recovery point, a day later its storage",
	.text =
"Marks the point, which is then listed no more and can be had back for a day\n"
"('points keep'). After that the same again, or --due for all such points,\n"
"deletes its storage, unless somebody is reading it (exit status 7). A point\n"
"that is kept, or the newest that 'verify' found whole, is refused (exit status\n"
"11), and without --force so is one that the next backup of a disk builds on.\n"
"Other points are not touched. If it is interrupted, run it again. It takes an\n"
"administrator's credentials: those of a machine need not be able to delete.\n",
	.examples =
"  tidemark points delete 20260102T030405Z\n"
"  tidemark points delete --due --yes\n",
	.options = delete_options,
	.max_args = 1,
	.run = delete_run,
};
