// SPDX-License-Identifier: MIT
/* outcome.c - how a run ends: with a point, or with its traces cleared away */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "engine/machine.h"
#include "engine/outcome.h"
#include "engine/record.h"
#include "engine/roots.h"
#include "port/file.h"

void outcome_tell(const struct backup *b)
{
	char path[512];
	char *text;

	backup_job_path(b->vault->config, &b->disks[0].item, path,
			sizeof(path));
	if (tm_job_text(&b->job, &text))
		return;
	file_write(path, 0644, text, strlen(text));
	free(text);
}

void outcome_abort_cut(struct backup *b)
{
	size_t i;

	for (i = 0; i < b->n && b->targets; i++) {
		struct source *s = b->targets[i].source;
		struct tm_error why = TM_ERROR_INIT;

		if (!s || !*s->cut_id)
			continue;
		if (s->ops->abort(s, s->cut_id, &why))
			report_warning(b->vault->report, "%s", why.message);
		*s->cut_id = '\0';
	}
}

static bool is_file(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode);
}

static enum tm_consistency consistency(const struct backup *b,
				       const struct tm_point *point)
{
	size_t i;

	for (i = 0; i < b->n; i++) {
		if (!b->targets[i].state.tracked &&
		    (tm_point_any_torn(point) || !is_file(b->disks[i].path)))
			return TM_CONSISTENCY_NONE;
	}
	if (b->cut_report.frozen && !b->cut_report.unfrozen)
		return TM_CONSISTENCY_FILESYSTEM;
	return TM_CONSISTENCY_CRASH;
}

void outcome_count(struct backup *b, struct tm_tally *tally)
{
	uint64_t requests, retries;
	size_t i;

	memset(tally, 0, sizeof(*tally));
	for (i = 0; i < b->n; i++)
		tm_tally_add(tally, &b->targets[i].tally);
	leases_counters(b->leases, &requests, &retries);
	tally->other.requests = requests +
		blobservice_counters(b->vault->service)->requests;
	tally->other.retries = retries + b->vault->retries;
}

int outcome_describe(struct backup *b, struct tm_point *point,
		     struct tm_error *err)
{
	size_t i;
	int r = 0;

	memset(point, 0, sizeof(*point));
	strcpy(point->name, b->run.name);
	point->time = b->cut_time;
	point->item = b->disks[0].item;
	strcpy(point->item_name, b->disks[0].item_name);
	point->cut = b->run.cut;
	snprintf(point->program, sizeof(point->program), "tidemark %s",
		 TIDEMARK_VERSION);
	for (i = 0; i < b->n && !r; i++) {
		if (strcmp(b->lasts[i].name, point->previous) > 0)
			strcpy(point->previous, b->lasts[i].name);
		r = target_describe(&b->targets[i], point, err);
	}
	if (!r)
		r = machine_describe(b->disks, b->n, &point->machine, err);
	point->consistency = consistency(b, point);
	outcome_count(b, &point->tally);
	if (!r && tm_point_any_torn(point))
		report_warning(b->vault->report,
			       "a disk that is not tracked changed while it was read");
	return r;
}

/* The commit. If its outcome is unknown, a tombstone decides it if it can. */
int outcome_commit(struct backup *b, const struct tm_point *point,
		   struct tm_error *err)
{
	bool is_point;
	int r;

	r = report_cancelled(b->vault->report, err);
	if (r)
		return r;
	r = record_point(b->vault, b->container, point, err);
	if (!r || r == -EEXIST)
		return r;
	atomic_store(&b->vault->finishing, true);
	if (record_tombstone(b->vault, b->container, b->run.name, &is_point,
			     NULL)) {
		b->undecided = true;
		tm_error_action(err, "it is not known whether the point exists; the next run finds out");
		return r;
	}
	return is_point ? 0 : r;
}

/* What is left to do once the point exists cannot make it go away again. */
void outcome_finish(struct backup *b, const struct tm_point *point)
{
	struct tm_error why = TM_ERROR_INIT;
	size_t i;
	int r;

	atomic_store(&b->vault->finishing, true);
	for (i = 0; i < b->n; i++) {
		struct source *s = b->targets[i].source;

		if (s->ops->commit(s, s->cut_id, &why))
			report_warning(b->vault->report, "%s", why.message);
		*s->cut_id = '\0';
		if (roots_remember(&b->targets[i], &point->disks[i], &why))
			report_warning(b->vault->report, "%s", why.message);
	}
	b->run.state = TM_RUN_COMMITTED;
	r = vault_time(b->vault, &b->run.ended, &why);
	if (!r)
		r = record_run(b->vault, b->container, &b->run, false, &why);
	b->job.status = TM_JOB_COMPLETED;
	b->job.ended = b->run.ended;
	strcpy(b->job.point, point->name);
	outcome_count(b, &b->job.tally);
	if (!r)
		r = record_job(b->vault, b->container, &b->job, &why);
	if (r)
		report_warning(b->vault->report, "%s", why.message);
}

/* Best effort: whatever fails here, the next run settles. */
void outcome_undo(struct backup *b, int cause, const struct tm_error *err)
{
	bool is_point;

	atomic_store(&b->vault->finishing, true);
	if (!b->undecided)
		outcome_abort_cut(b);
	if (!b->recorded || b->undecided)
		return;
	if (!record_tombstone(b->vault, b->container, b->run.name, &is_point,
			      NULL) && is_point)
		return;
	b->run.state = TM_RUN_FAILED;
	vault_time(b->vault, &b->run.ended, NULL);
	record_run(b->vault, b->container, &b->run, false, NULL);
	b->job.status = cause == -ECANCELED ? TM_JOB_CANCELLED : TM_JOB_FAILED;
	b->job.ended = b->run.ended;
	snprintf(b->job.message, sizeof(b->job.message), "%.500s",
		 err ? err->message : "");
	outcome_count(b, &b->job.tally);
	record_job(b->vault, b->container, &b->job, NULL);
}
