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

/* Both documents are called by the NAME of a run. */
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
