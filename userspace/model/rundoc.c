// SPDX-License-Identifier: MIT
#include "model/rundoc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/json.h"

static const char *const states[] = {
	[TM_RUN_RUNNING] = "running",
	[TM_RUN_COMMITTED] = "committed",
	[TM_RUN_FAILED] = "failed",
	[TM_RUN_SWEPT] = "swept",
};

static const char *const job_kinds[] = {
	[TM_JOB_BACKUP] = "backup",
	[TM_JOB_RESTORE] = "restore",
	[TM_JOB_VERIFY] = "verify",
	[TM_JOB_BOOT] = "boot",
};

static const char *const job_statuses[] = {
	[TM_JOB_IN_PROGRESS] = "InProgress",
	[TM_JOB_CANCELLING] = "Cancelling",
	[TM_JOB_CANCELLED] = "Cancelled",
	[TM_JOB_COMPLETED] = "Completed",
	[TM_JOB_WARNINGS] = "CompletedWithWarnings",
	[TM_JOB_FAILED] = "Failed",
};

static const char *const hows[] = {
	[TM_CHECK_WHOLE] = "whole",
	[TM_CHECK_SAMPLE] = "sample",
};

const char *tm_check_how_name(enum tm_check_how how)
{
	return hows[how];
}

const char *tm_run_state_name(enum tm_run_state state)
{
	return states[state];
}

const char *tm_job_kind_name(enum tm_job_kind kind)
{
	return job_kinds[kind];
}

const char *tm_job_status_name(enum tm_job_status status)
{
	return job_statuses[status];
}

/* All three documents are called by the NAME of a run. */
static void parse_name(struct tm_json *j, const json_t *obj,
		       char name[TM_RUN_NAME_SIZE])
{
	tm_json_run_name(j, obj, "name", TM_JSON_REQUIRED, name);
	if (!j->r && strcmp(name, j->document))
		tm_json_bad(j, "name", "is that of another");
}

int tm_rounds_add(struct tm_rounds *rounds, const struct tm_round *round)
{
	struct tm_round *v = reallocarray(rounds->v, rounds->n + 1,
					  sizeof(*v));

	if (!v)
		return -ENOMEM;
	rounds->v = v;
	v[rounds->n++] = *round;
	return 0;
}

static void rounds_done(struct tm_rounds *rounds)
{
	free(rounds->v);
	*rounds = (struct tm_rounds){ .n = 0 };
}

static void parse_rounds(struct tm_json *j, const json_t *obj,
			 struct tm_rounds *ret)
{
	const json_t *one, *array = tm_json_array(j, obj, "precopy",
						  TM_JSON_OPTIONAL);
	size_t i;

	json_array_foreach(array, i, one) {
		struct tm_round round = { .number = 0 };

		tm_json_name(j, one, "disk", TM_JSON_REQUIRED, round.disk);
		tm_json_u64(j, one, "round", TM_JSON_REQUIRED, &round.number);
		tm_json_id(j, one, "cut", TM_JSON_OPTIONAL, &round.cut);
		tm_json_u64(j, one, "bytes_read", TM_JSON_OPTIONAL,
			    &round.bytes_read);
		tm_json_u64(j, one, "bytes_uploaded", TM_JSON_OPTIONAL,
			    &round.bytes_uploaded);
		tm_json_u64(j, one, "bytes_left", TM_JSON_OPTIONAL,
			    &round.bytes_left);
		if (!j->r)
			j->r = tm_rounds_add(ret, &round);
		if (j->r)
			return;
	}
}

static json_t *round_json(const struct tm_round *round)
{
	json_t *obj = json_object();
	int r = obj ? 0 : -ENOMEM;

	tm_json_put_string(&r, obj, "disk", round->disk);
	tm_json_put_u64(&r, obj, "round", round->number);
	tm_json_put_id(&r, obj, "cut", &round->cut);
	tm_json_put_u64(&r, obj, "bytes_read", round->bytes_read);
	tm_json_put_u64(&r, obj, "bytes_uploaded", round->bytes_uploaded);
	tm_json_put_u64(&r, obj, "bytes_left", round->bytes_left);
	if (r) {
		json_decref(obj);
		return NULL;
	}
	return obj;
}

json_t *tm_rounds_json(const struct tm_rounds *rounds)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; array && i < rounds->n; i++)
		if (json_array_append_new(array, round_json(&rounds->v[i]))) {
			json_decref(array);
			return NULL;
		}
	return array;
}

/* Only where there were any. */
static void put_rounds(int *r, json_t *obj, const struct tm_rounds *rounds)
{
	if (!*r && rounds->n)
		tm_json_put(r, obj, "precopy", tm_rounds_json(rounds));
}

int tm_run_parse(const void *text, size_t len, const char *name,
		 struct tm_run *ret, struct tm_error *err)
{
	struct tm_json j = { .document = name, .err = err };
	struct tm_run run = { .started = 0 };
	int state = TM_RUN_RUNNING, r;

	r = tm_json_load(text, len, name, &run.rest, err);
	if (r)
		return r;
	parse_name(&j, run.rest, run.name);
	tm_json_word(&j, run.rest, "state", TM_JSON_REQUIRED, states, 4,
		     &state);
	run.state = (enum tm_run_state)state;
	tm_json_id(&j, run.rest, "item", TM_JSON_OPTIONAL, &run.item);
	tm_json_id(&j, run.rest, "cut", TM_JSON_OPTIONAL, &run.cut);
	tm_json_time(&j, run.rest, "started", TM_JSON_OPTIONAL, &run.started);
	tm_json_time(&j, run.rest, "ended", TM_JSON_OPTIONAL, &run.ended);
	tm_json_string(&j, run.rest, "host", TM_JSON_OPTIONAL, run.host,
		       sizeof(run.host));
	parse_rounds(&j, run.rest, &run.rounds);
	if (j.r) {
		tm_run_done(&run);
		return j.r;
	}
	*ret = run;
	return 0;
}

int tm_run_text(const struct tm_run *run, char **ret)
{
	int r = 0;
	json_t *obj = tm_json_begin(&r, run->rest);

	tm_json_put_string(&r, obj, "name", run->name);
	tm_json_put_string(&r, obj, "state", states[run->state]);
	tm_json_put_id(&r, obj, "item", &run->item);
	tm_json_put_id(&r, obj, "cut", &run->cut);
	tm_json_put_time(&r, obj, "started", run->started);
	tm_json_put_time(&r, obj, "ended", run->ended);
	tm_json_put_string(&r, obj, "host", run->host);
	put_rounds(&r, obj, &run->rounds);
	if (!r)
		r = tm_json_text(obj, ret);
	json_decref(obj);
	return r;
}

void tm_run_done(struct tm_run *run)
{
	rounds_done(&run->rounds);
	json_decref(run->rest);
	*run = (struct tm_run){ .rest = NULL };
}

int tm_job_parse(const void *text, size_t len, const char *name,
		 struct tm_job *ret, struct tm_error *err)
{
	struct tm_json j = { .document = name, .err = err };
	struct tm_job job = { .started = 0 };
	int kind = TM_JOB_BACKUP, status = TM_JOB_IN_PROGRESS, r;
	const json_t *tally;

	r = tm_json_load(text, len, name, &job.rest, err);
	if (r)
		return r;
	parse_name(&j, job.rest, job.name);
	tm_json_word(&j, job.rest, "kind", TM_JSON_REQUIRED, job_kinds, 4,
		     &kind);
	job.kind = (enum tm_job_kind)kind;
	tm_json_word(&j, job.rest, "status", TM_JSON_REQUIRED, job_statuses, 6,
		     &status);
	job.status = (enum tm_job_status)status;
	tm_json_run_name(&j, job.rest, "point", TM_JSON_OPTIONAL, job.point);
	tm_json_time(&j, job.rest, "started", TM_JSON_OPTIONAL, &job.started);
	tm_json_time(&j, job.rest, "ended", TM_JSON_OPTIONAL, &job.ended);
	tm_json_string(&j, job.rest, "message", TM_JSON_OPTIONAL, job.message,
		       sizeof(job.message));
	tally = tm_json_object(&j, job.rest, "counters", TM_JSON_OPTIONAL);
	if (tally)
		j.r = tm_tally_parse(tally, name, &job.tally, err);
	parse_rounds(&j, job.rest, &job.rounds);
	if (j.r) {
		tm_job_done(&job);
		return j.r;
	}
	*ret = job;
	return 0;
}

int tm_job_text(const struct tm_job *job, char **ret)
{
	int r = 0;
	json_t *obj = tm_json_begin(&r, job->rest);

	tm_json_put_string(&r, obj, "name", job->name);
	tm_json_put_string(&r, obj, "kind", job_kinds[job->kind]);
	tm_json_put_string(&r, obj, "status", job_statuses[job->status]);
	tm_json_put_string(&r, obj, "point", job->point);
	tm_json_put_time(&r, obj, "started", job->started);
	tm_json_put_time(&r, obj, "ended", job->ended);
	tm_json_put_string(&r, obj, "message", job->message);
	if (!r)
		tm_json_put(&r, obj, "counters", tm_tally_json(&job->tally));
	put_rounds(&r, obj, &job->rounds);
	if (!r)
		r = tm_json_text(obj, ret);
	json_decref(obj);
	return r;
}

void tm_job_done(struct tm_job *job)
{
	rounds_done(&job->rounds);
	json_decref(job->rest);
	*job = (struct tm_job){ .rest = NULL };
}

/* [[START, LEN], ...] */
static void parse_extents(struct tm_json *j, const json_t *array,
			  struct tm_extents *ret)
{
	const json_t *pair;
	size_t i;

	json_array_foreach(array, i, pair) {
		json_t *start = json_array_get(pair, 0);
		json_t *len = json_array_get(pair, 1);

		if (json_array_size(pair) != 2 || !json_is_integer(start) ||
		    !json_is_integer(len) || json_integer_value(start) < 0 ||
		    json_integer_value(len) < 1 ||
		    json_integer_value(len) >
			    INT64_MAX - json_integer_value(start)) {
			tm_json_bad(j, "bad_chunks",
				    "is not a list of [start, length]");
			return;
		}
		j->r = tm_extents_add(ret, (uint64_t)json_integer_value(start),
				      (uint64_t)json_integer_value(len));
		if (j->r)
			return;
	}
}

static json_t *extents_json(const struct tm_extents *e)
{
	json_t *array = json_array();
	const struct tm_extent *x;

	tm_extents_for_each(x, e)
		if (json_array_append_new(array, json_pack("[I, I]",
				(json_int_t)x->start, (json_int_t)x->len))) {
			json_decref(array);
			return NULL;
		}
	return array;
}

static void parse_check_disk(struct tm_json *j, const json_t *obj,
			     struct tm_check *check)
{
	char name[TM_NAME_SIZE] = "";
	struct tm_check_disk *d;

	tm_json_name(j, obj, "name", TM_JSON_REQUIRED, name);
	if (j->r)
		return;
	d = tm_check_add_disk(check, name);
	if (!d) {
		j->r = -ENOMEM;
		return;
	}
	tm_json_u64(j, obj, "chunks_checked", TM_JSON_OPTIONAL,
		    &d->chunks_checked);
	tm_json_u64(j, obj, "chunks_unproved", TM_JSON_OPTIONAL,
		    &d->chunks_unproved);
	tm_json_bool(j, obj, "header_bad", TM_JSON_OPTIONAL, &d->header_bad);
	tm_json_bool(j, obj, "footer_bad", TM_JSON_OPTIONAL, &d->footer_bad);
	parse_extents(j, tm_json_array(j, obj, "bad_chunks", TM_JSON_OPTIONAL),
		      &d->bad_chunks);
}

static void parse_boot(struct tm_json *j, const json_t *obj,
		       struct tm_check_boot *boot)
{
	if (!obj)
		return;
	tm_json_time(j, obj, "time", TM_JSON_REQUIRED, &boot->time);
	tm_json_bool(j, obj, "good", TM_JSON_REQUIRED, &boot->good);
	tm_json_u64(j, obj, "milliseconds", TM_JSON_OPTIONAL,
		    &boot->milliseconds);
	tm_json_string(j, obj, "sign", TM_JSON_OPTIONAL, boot->sign,
		       sizeof(boot->sign));
}

int tm_check_parse(const void *text, size_t len, const char *name,
		   struct tm_check *ret, struct tm_error *err)
{
	struct tm_json j = { .document = name, .err = err };
	struct tm_check check = { .time = 0 };
	const json_t *disks, *one;
	int how = TM_CHECK_WHOLE, r;
	size_t i;

	r = tm_json_load(text, len, name, &check.rest, err);
	if (r)
		return r;
	parse_name(&j, check.rest, check.name);
	parse_boot(&j, tm_json_object(&j, check.rest, "boot",
				      TM_JSON_OPTIONAL), &check.boot);
	/* A machine may have been started that nobody has read. */
	tm_json_time(&j, check.rest, "time", check.boot.time ?
		     TM_JSON_OPTIONAL : TM_JSON_REQUIRED, &check.time);
	tm_json_word(&j, check.rest, "how", TM_JSON_OPTIONAL, hows, 2, &how);
	check.how = (enum tm_check_how)how;
	if (check.how == TM_CHECK_WHOLE)
		check.whole = check.time;
	else
		tm_json_time(&j, check.rest, "whole", TM_JSON_OPTIONAL,
			     &check.whole);
	tm_json_bool(&j, check.rest, "good", TM_JSON_REQUIRED, &check.good);
	disks = tm_json_array(&j, check.rest, "disks", TM_JSON_OPTIONAL);
	json_array_foreach(disks, i, one) {
		parse_check_disk(&j, one, &check);
		if (j.r)
			break;
	}
	if (j.r) {
		tm_check_done(&check);
		return j.r;
	}
	*ret = check;
	return 0;
}

static json_t *check_disk_json(const struct tm_check_disk *d)
{
	json_t *obj = json_object();
	int r = obj ? 0 : -ENOMEM;

	tm_json_put_string(&r, obj, "name", d->name);
	tm_json_put_u64(&r, obj, "chunks_checked", d->chunks_checked);
	tm_json_put_u64(&r, obj, "chunks_unproved", d->chunks_unproved);
	if (d->header_bad)
		tm_json_put_bool(&r, obj, "header_bad", true);
	if (d->footer_bad)
		tm_json_put_bool(&r, obj, "footer_bad", true);
	if (!r)
		tm_json_put(&r, obj, "bad_chunks",
			    extents_json(&d->bad_chunks));
	if (r) {
		json_decref(obj);
		return NULL;
	}
	return obj;
}

static json_t *boot_json(const struct tm_check_boot *boot)
{
	json_t *obj = json_object();
	int r = obj ? 0 : -ENOMEM;

	tm_json_put_time(&r, obj, "time", boot->time);
	tm_json_put_bool(&r, obj, "good", boot->good);
	tm_json_put_u64(&r, obj, "milliseconds", boot->milliseconds);
	tm_json_put_string(&r, obj, "sign", boot->sign);
	if (r) {
		json_decref(obj);
		return NULL;
	}
	return obj;
}

int tm_check_text(const struct tm_check *check, char **ret)
{
	int r = 0;
	json_t *obj = tm_json_begin(&r, check->rest), *disks = json_array();
	size_t i;

	tm_json_put_string(&r, obj, "name", check->name);
	tm_json_put_time(&r, obj, "time", check->time);
	if (check->time)
		tm_json_put_string(&r, obj, "how", hows[check->how]);
	tm_json_put_time(&r, obj, "whole", check->whole);
	tm_json_put_bool(&r, obj, "good", check->good);
	if (!r && check->boot.time)
		tm_json_put(&r, obj, "boot", boot_json(&check->boot));
	for (i = 0; !r && i < check->n_disks; i++)
		if (json_array_append_new(disks,
					  check_disk_json(&check->disks[i])))
			r = -ENOMEM;
	tm_json_put(&r, obj, "disks", disks);
	if (!r)
		r = tm_json_text(obj, ret);
	json_decref(obj);
	return r;
}

void tm_check_done(struct tm_check *check)
{
	size_t i;

	for (i = 0; i < check->n_disks; i++)
		tm_extents_done(&check->disks[i].bad_chunks);
	free(check->disks);
	json_decref(check->rest);
	*check = (struct tm_check){ .rest = NULL };
}

struct tm_check_disk *tm_check_add_disk(struct tm_check *check,
					const char *name)
{
	struct tm_check_disk *disks;

	disks = reallocarray(check->disks, check->n_disks + 1, sizeof(*disks));
	if (!disks)
		return NULL;
	check->disks = disks;
	disks += check->n_disks++;
	*disks = (struct tm_check_disk){ .chunks_checked = 0 };
	strncpy(disks->name, name, sizeof(disks->name) - 1);
	return disks;
}

static struct tm_check_disk *find_or_add(struct tm_check *check,
					 const char *name)
{
	size_t i;

	for (i = 0; i < check->n_disks; i++)
		if (!strcmp(check->disks[i].name, name))
			return &check->disks[i];
	return tm_check_add_disk(check, name);
}

int tm_check_follow(struct tm_check *check, const struct tm_check *earlier)
{
	size_t i;

	if (!check->boot.time)
		check->boot = earlier->boot;
	if (check->how == TM_CHECK_WHOLE)
		return 0;
	check->whole = earlier->whole;
	if (earlier->good)
		return 0;
	check->good = false;
	for (i = 0; i < earlier->n_disks; i++) {
		const struct tm_check_disk *was = &earlier->disks[i];
		struct tm_check_disk *d = find_or_add(check, was->name);

		if (!d || tm_extents_union(&d->bad_chunks, &d->bad_chunks,
					   &was->bad_chunks))
			return -ENOMEM;
		d->header_bad |= was->header_bad;
		d->footer_bad |= was->footer_bad;
		if (d->chunks_unproved < was->chunks_unproved)
			d->chunks_unproved = was->chunks_unproved;
	}
	return 0;
}
