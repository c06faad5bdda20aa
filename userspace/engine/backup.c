// SPDX-License-Identifier: MIT
/*
 * backup.c - one run: from disks at one instant to a recovery point
 *
 *	ALONE     -> LEASED     [take_leases]   nobody else writes
 *	LEASED    -> PLANNED    [plan]          what died before is settled; it
 *	                                        is known what must be read
 *	PLANNED   -> NAMED      [name_run]
 *	NAMED     -> AHEAD      [precopy]       blobs hold most of the live disks;
 *	                                        if they were much, runs/NAME exists
 *	AHEAD     -> CUT        [cut]           disks stand; runs/NAME exists
 *	CUT       -> SHIPPED    [ship]          blobs hold the disks as cut
 *	SHIPPED   -> SNAPPED    [snapshot]      snapshots hold them for good
 *	SNAPPED   -> COMMITTED  [outcome_commit] points/NAME exists
 *	any but COMMITTED -> failed [outcome_undo] cut merged back; tombstone
 *
 * A run that dies at any moment leaves a runs/NAME without a point at most; the
 * next run settles it.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "engine/judge.h"
#include "engine/outcome.h"
#include "engine/points.h"
#include "engine/precopy.h"
#include "engine/record.h"
#include "engine/replacing.h"
#include "engine/roots.h"
#include "engine/sample.h"
#include "engine/ship.h"
#include "port/file.h"

static void run_path(const struct tm_config *config, const struct tm_id *item,
		     const char *what, char *path, size_t size)
{
	char id[TM_ID_SIZE];

	tm_id_format(id, item);
	snprintf(path, size, "%s/%s.%s", config->run, id, what);
}

void backup_job_path(const struct tm_config *config, const struct tm_id *item,
		     char *path, size_t size)
{
	run_path(config, item, "job", path, size);
}

void backup_lock_path(const struct tm_config *config, const struct tm_id *item,
		      char *path, size_t size)
{
	run_path(config, item, "lock", path, size);
}

static int lock_machine(struct backup *b, struct tm_error *err)
{
	const struct tm_config *config = b->vault->config;
	char path[512];
	int r;

	backup_lock_path(config, &b->disks[0].item, path, sizeof(path));
	r = file_make_dirs(config->run, 0755);
	if (!r)
		r = file_lock(path, &b->lock_fd);
	if (r == -EAGAIN)
		return tm_error_set(err, -EBUSY, TM_EXIT_BUSY, path,
				    "cannot back up: another run is under way on this machine");
	if (r)
		return tm_error_set(err, r, TM_EXIT_FAILED, path,
				    "cannot lock '%s': %s", path, strerror(-r));
	return 0;
}

static int check_same_machine(const struct tm_disk *disks, size_t n,
			      struct tm_error *err)
{
	size_t i;

	for (i = 1; i < n; i++) {
		if (tm_id_equal(&disks[i].item, &disks[0].item) &&
		    !strcmp(disks[i].vault, disks[0].vault))
			continue;
		tm_error_set(err, -EXDEV, TM_EXIT_REFUSED, disks[i].name,
			     "cannot back up disks '%s' and '%s' in one run: they are in different vaults",
			     disks[0].name, disks[i].name);
		tm_error_action(err, "name the disks of one vault");
		return -EXDEV;
	}
	return 0;
}

static int open_disks(struct backup *b, struct tm_error *err)
{
	size_t i;
	int r = 0;

	b->targets = calloc(b->n, sizeof(*b->targets));
	b->lasts = calloc(b->n, sizeof(*b->lasts));
	if (!b->targets || !b->lasts)
		return tm_error_set(err, -ENOMEM, TM_EXIT_FAILED, NULL,
				    "cannot back up: out of memory");
	r = replacing_refuse(b->vault->config, b->disks, b->n, err);
	for (i = 0; i < b->n && !r; i++)
		r = target_init(&b->targets[i], &b->disks[i], b->vault->config,
				err);
	return r;
}

static const struct tm_point_disk *last_of(const struct backup *b, size_t i)
{
	return *b->lasts[i].name ?
		tm_point_find_disk(&b->lasts[i], b->disks[i].name) : NULL;
}

static int lease_one(struct backup *b, size_t i, struct tm_error *err)
{
	struct target *t = &b->targets[i];
	int r;

	r = points_newest_with(b->vault, b->container, b->past.points,
			       b->past.n_points, t->doc->name, &b->lasts[i],
			       err);
	if (!r)
		r = target_lease(t, last_of(b, i), b->vault, b->leases, err);
	return r;
}

/* The lock first, then every page blob; what is known of the past in between. */
static int take_leases(struct backup *b, struct tm_error *err)
{
	struct blob lock = vault_blob(b->vault, b->container, TM_PATH_LOCK);
	char record[512], id[BLOB_LEASE_ID_SIZE];
	size_t i;
	int r;

	run_path(b->vault->config, &b->disks[0].item, "leases", record,
		 sizeof(record));
	r = leases_new(b->vault, record, &b->leases, err);
	if (!r)
		r = leases_add(b->leases, &lock, id, err);
	if (!r)
		r = past_settle(b->vault, b->container, &b->past, err);
	for (i = 0; i < b->n && !r; i++)
		r = lease_one(b, i, err);
	for (i = 0; i < b->n && !r; i++)
		r = target_raise(&b->targets[i], err);
	return r;
}

static int name_run(struct backup *b, struct tm_error *err)
{
	int r = record_name(b->vault, b->past.points, b->past.n_points,
			    b->run.name, err);

	if (!r)
		r = vault_time(b->vault, &b->run.started, err);
	if (r)
		return r;
	strcpy(b->job.name, b->run.name);
	b->job.kind = TM_JOB_BACKUP;
	b->job.started = b->run.started;
	b->job.status = TM_JOB_IN_PROGRESS;
	b->run.item = b->disks[0].item;
	gethostname(b->run.host, sizeof(b->run.host) - 1);
	outcome_tell(b);
	return 0;
}

static int settle(struct backup *b, struct target *t, const char *last_cut,
		  struct tm_error *err)
{
	struct source_state *s = &t->state;
	bool committed;

	if (s->frozen == SOURCE_FROZEN_NONE)
		return 0;
	if (s->frozen == SOURCE_FROZEN_LOCAL && !b->how->drop_local) {
		tm_error_set(err, -EBUSY, TM_EXIT_BUSY, t->doc->name,
			     "cannot back up disk '%s': a snapshot of it was made by hand",
			     t->doc->name);
		tm_error_action(err, "see 'tidemark snapshot list'; remove it, "
				     "or give --drop-snapshot");
		return -EBUSY;
	}
	committed = s->frozen == SOURCE_FROZEN_RUN &&
		!strcmp(s->frozen_id, last_cut);
	return t->source->ops->settle(t->source, s->frozen_id, committed, err);
}

static int plan_one(struct backup *b, size_t i, struct tm_error *err)
{
	struct target *t = &b->targets[i];
	const struct tm_point_disk *last = last_of(b, i);
	char last_cut[TM_ID_SIZE] = "";
	int r;

	if (last)
		tm_id_format(last_cut, &last->cut);
	r = judge_vault(b->vault, b->container, &t->doc->item, t->doc->name,
			&b->lasts[i], &t->witness, err);
	if (!r)
		r = settle(b, t, last_cut, err);
	t->anew = b->how->full;
	if (!r)
		r = target_plan(t, last, b->how->compare, err);
	if (!r)
		r = roots_begin(t, err);
	if (!r)
		r = target_put_back(t, err);
	if (!r)
		r = target_fit(t, err);
	return r;
}

static int plan(struct backup *b, struct tm_error *err)
{
	size_t i;
	int r = 0;

	for (i = 0; i < b->n && !r; i++) {
		report_stage(b->vault->report, "prepare", b->disks[i].name);
		r = report_cancelled(b->vault->report, err);
		if (!r)
			r = plan_one(b, i, err);
	}
	return r;
}

static int cut_once(struct backup *b, struct tm_error *err)
{
	struct source **sources;
	char cut_id[SOURCE_CUT_ID_SIZE];
	size_t i;
	int r = 0;

	for (i = 0; i < b->n && !r; i++)
		r = target_mark(&b->targets[i], err);
	if (!r)
		r = source_cut_id_new(cut_id, err);
	if (r)
		return r;
	sources = calloc(b->n, sizeof(*sources));
	if (!sources)
		return tm_error_set(err, -ENOMEM, TM_EXIT_FAILED, NULL,
				    "cannot cut: out of memory");
	for (i = 0; i < b->n; i++)
		sources[i] = b->targets[i].source;
	report_stage(b->vault->report, "cut", NULL);
	r = source_cut(sources, b->n, cut_id, &b->how->cut, &b->cut_report,
		       err);
	free(sources);
	if (r)
		return r;
	tm_id_parse(cut_id, &b->run.cut);
	r = vault_time(b->vault, &b->cut_time, err);
	if (!r)
		r = record_run(b->vault, b->container, &b->run, !b->recorded,
			       err);
	if (!r)
		b->recorded = true;
	for (i = 0; i < b->n && !r; i++)
		r = target_ship_set(&b->targets[i], err);
	return r;
}

/* Why marks do not tell what is missing in the vault; NULL: they do. */
static int look_past(struct backup *b, struct target *t, const char **ret_why,
		     struct tm_error *err)
{
	const struct tm_config *config = b->vault->config;
	bool holds, bypassed = false;
	int r = precopy_holds(t, &holds, err);

	*ret_why = NULL;
	if (r)
		return r;
	if (!holds) {
		*ret_why = "is tracked from another backup on";
		return 0;
	}
	/* Else what is not marked is in no vault, to be compared with. */
	if (config->sample_share &&
	    (t->mode == TM_SHIP_INCREMENTAL || *t->basis))
		r = sample_disk(t, config, &bypassed, err);
	if (bypassed)
		*ret_why = "was written without being tracked";
	return r;
}

/* Is there a disk whose marks are not to be believed? */
static int sample(struct backup *b, bool *ret_bypassed, struct tm_error *err)
{
	size_t i;
	int r = 0;

	*ret_bypassed = false;
	for (i = 0; i < b->n && !r; i++) {
		struct target *t = &b->targets[i];
		const char *why;

		r = look_past(b, t, &why, err);
		if (r || !why)
			continue;
		*ret_bypassed = true;
		report_warning(b->vault->report,
			       "disk '%s' %s; all of it is compared now",
			       t->doc->name, why);
		r = target_distrust(t, err);
	}
	return r;
}

static int cut(struct backup *b, struct tm_error *err)
{
	bool bypassed;
	int r;

	do {
		r = cut_once(b, err);
		if (!r)
			r = sample(b, &bypassed, err);
		if (!r && bypassed)
			outcome_abort_cut(b);
	} while (!r && bypassed);
	if (!r && *b->cut_report.warning)
		report_warning(b->vault->report, "%s", b->cut_report.warning);
	return r;
}

static int ship(struct backup *b, struct tm_error *err)
{
	size_t i;
	int r = 0;

	for (i = 0; i < b->n; i++)
		ship_report(&b->targets[i], b->vault->report);
	for (i = 0; i < b->n && !r; i++)
		r = ship_disk(&b->targets[i], b->vault->report, err);
	return r;
}

static int snapshot(struct backup *b, struct tm_error *err)
{
	size_t i;
	int r = 0;

	for (i = 0; i < b->n && !r; i++)
		r = target_snap(&b->targets[i], b->run.name, err);
	return r;
}

static void close_all(struct backup *b)
{
	char path[512];
	size_t i;

	if (b->leases)
		leases_release(b->leases);
	backup_job_path(b->vault->config, &b->disks[0].item, path,
			sizeof(path));
	unlink(path);
	if (b->leases)
		outcome_count(b, &b->job.tally);
	leases_free(b->leases);
	for (i = 0; i < b->n; i++) {
		if (b->targets)
			target_done(&b->targets[i]);
		if (b->lasts)
			tm_point_done(&b->lasts[i]);
	}
	free(b->targets);
	free(b->lasts);
	past_done(&b->past);
	tm_run_done(&b->run);
	if (b->lock_fd >= 0)
		close(b->lock_fd);
}

int backup_run(struct vault *v, const struct tm_disk *disks, size_t n,
	       const struct backup_options *how, struct tm_point *ret_point,
	       struct tm_job *ret_job, struct tm_error *err)
{
	struct backup b = {
		.vault = v, .how = how, .disks = disks, .n = n,
		.container = disks[0].container, .lock_fd = -1,
	};
	struct tm_point point = { 0 };
	int r;

	v->id = disks[0].vault_id;
	r = check_same_machine(disks, n, err);
	if (!r)
		r = lock_machine(&b, err);
	*ret_job = b.job;
	if (r)
		return r;
	r = open_disks(&b, err);
	if (!r)
		r = take_leases(&b, err);
	if (!r)
		r = plan(&b, err);
	if (!r)
		r = name_run(&b, err);
	if (!r)
		r = precopy(&b, err);
	if (!r)
		r = cut(&b, err);
	if (!r)
		r = ship(&b, err);
	if (!r)
		r = snapshot(&b, err);
	if (!r)
		r = outcome_describe(&b, &point, err);
	if (!r)
		r = outcome_commit(&b, &point, err);
	if (!r)
		outcome_finish(&b, &point);
	else
		outcome_undo(&b, r, err);
	close_all(&b);
	/* Whoever goes on with the vault may be told to stop again. */
	atomic_store(&v->finishing, false);
	*ret_job = b.job;
	if (r)
		tm_point_done(&point);
	else
		*ret_point = point;
	return r;
}
