// SPDX-License-Identifier: MIT
/*
 * backup.c - one run: from disks at one instant to a recovery point
 *
 *	ALONE     -> LEASED     [take_leases]   nobody else writes
 *	LEASED    -> PLANNED    [plan]          what died before is settled; it
 *	                                        is known what must be read
 *	PLANNED   -> CUT        [cut]           disks stand; runs/NAME exists
 *	CUT       -> SHIPPED    [ship]          blobs hold the disks as cut
 *	SHIPPED   -> SNAPPED    [snapshot]      snapshots hold them for good
 *	SNAPPED   -> COMMITTED  [commit]        points/NAME exists
 *	any but COMMITTED -> failed [undo]      the cut is merged back; tombstone
 *
 * A run that dies at any moment leaves a runs/NAME without a point at most; the
 * next run settles it.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "engine/backup.h"
#include "engine/points.h"
#include "engine/record.h"
#include "engine/ship.h"
#include "engine/sweep.h"
#include "engine/target.h"
#include "port/file.h"

struct backup {
	struct vault *vault;
	const struct backup_options *how;
	const char *container;
	const struct tm_disk *disks;
	struct target *targets;
	struct tm_point *lasts;		/* of each target: its newest point */
	size_t n;
	struct leases *leases;
	int lock_fd;
	struct past past;
	struct tm_run run;
	struct source_cut_report cut_report;
	bool recorded;			/* runs/NAME exists */
	bool undecided;			/* whether points/NAME exists is unknown */
	struct tm_job job;
};

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
	for (i = 0; i < b->n && !r; i++)
		r = target_init(&b->targets[i], &b->disks[i], b->vault->config,
				err);
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
		r = target_lease(&b->targets[i], b->vault, b->leases, err);
	for (i = 0; i < b->n && !r; i++)
		r = target_raise(&b->targets[i], err);
	return r;
}

static void name_run(struct backup *b)
{
	strcpy(b->job.name, b->run.name);
	b->job.kind = TM_JOB_BACKUP;
	b->job.started = b->run.started;
	b->job.status = TM_JOB_IN_PROGRESS;
	b->run.item = b->disks[0].item;
	gethostname(b->run.host, sizeof(b->run.host) - 1);
}

/* For `status` on this machine; it is no promise, so failing is no failure. */
static void tell_running(struct backup *b)
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
		tm_error_action(err, "end it, or give --drop-snapshot");
		return -EBUSY;
	}
	committed = s->frozen == SOURCE_FROZEN_RUN &&
		!strcmp(s->frozen_id, last_cut);
	return t->source->ops->settle(t->source, s->frozen_id, committed, err);
}

static int plan_one(struct backup *b, size_t i, struct tm_error *err)
{
	struct target *t = &b->targets[i];
	const struct tm_point_disk *last = NULL;
	char last_cut[TM_ID_SIZE] = "";
	int r;

	r = points_newest_with(b->vault, b->container, b->past.points,
			       b->past.n_points, t->doc->name, &b->lasts[i],
			       err);
	if (r)
		return r;
	if (*b->lasts[i].name)
		last = tm_point_find_disk(&b->lasts[i], t->doc->name);
	if (last)
		tm_id_format(last_cut, &last->cut);
	r = settle(b, t, last_cut, err);
	t->anew = b->how->full;
	if (!r)
		r = target_plan(t, last, b->how->compare, err);
	if (!r)
		r = target_fit(t, err);
	return r;
}

static int plan(struct backup *b, struct tm_error *err)
{
	size_t i;
	int r = 0;

	for (i = 0; i < b->n && !r; i++) {
		report_progress(b->vault->report, "prepare", b->disks[i].name,
				0, 0);
		r = report_cancelled(b->vault->report, err);
		if (!r)
			r = plan_one(b, i, err);
	}
	return r;
}

static void abort_cut(struct backup *b)
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
	report_progress(b->vault->report, "cut", NULL, 0, 0);
	r = source_cut(sources, b->n, cut_id, &b->how->cut, &b->cut_report,
		       err);
	free(sources);
	if (r)
		return r;
	tm_id_parse(cut_id, &b->run.cut);
	r = vault_time(b->vault, &b->run.started, err);
	if (!r)
		r = record_run(b->vault, b->container, &b->run, !b->recorded,
			       err);
	if (!r)
		b->recorded = true;
	for (i = 0; i < b->n && !r; i++)
		r = target_ship_set(&b->targets[i], err);
	return r;
}

/* Is there a disk of which a chunk was written without being marked? */
static int sample(struct backup *b, bool *ret_bypassed, struct tm_error *err)
{
	unsigned int count = b->vault->config->sample_chunks;
	size_t i;
	int r = 0;

	*ret_bypassed = false;
	for (i = 0; i < b->n && !r; i++) {
		struct target *t = &b->targets[i];
		bool bypassed = false;

		if (t->mode != TM_SHIP_INCREMENTAL || !count)
			continue;
		r = ship_sample(t, count, &bypassed, err);
		if (r || !bypassed)
			continue;
		*ret_bypassed = true;
		report_warning(b->vault->report,
			       "disk '%s' was written without being tracked; all of it is compared now",
			       t->doc->name);
		t->mode = TM_SHIP_COMPARE;
		if (tm_extents_add(&t->forced, 0, t->chunks))
			r = tm_error_set(err, -ENOMEM, TM_EXIT_FAILED,
					 t->doc->name,
					 "cannot plan: out of memory");
	}
	return r;
}

static int cut(struct backup *b, struct tm_error *err)
{
	bool bypassed;
	int r;

	r = record_name(b->vault, b->run.name, err);
	if (!r)
		r = vault_time(b->vault, &b->run.started, err);
	if (r)
		return r;
	name_run(b);
	tell_running(b);
	do {
		r = cut_once(b, err);
		if (!r)
			r = sample(b, &bypassed, err);
		if (!r && bypassed)
			abort_cut(b);
	} while (!r && bypassed);
	if (!r && *b->cut_report.warning)
		report_warning(b->vault->report, "%s", b->cut_report.warning);
	return r;
}

static int ship(struct backup *b, struct tm_error *err)
{
	uint64_t total = 0, base = 0;
	size_t i;
	int r = 0;

	for (i = 0; i < b->n; i++)
		total += tm_extents_total(&b->targets[i].ship) *
			b->disks[i].chunk_size;
	for (i = 0; i < b->n && !r; i++) {
		r = ship_disk(&b->targets[i], b->vault->report, base, total,
			      err);
		base += tm_extents_total(&b->targets[i].ship) *
			b->disks[i].chunk_size;
	}
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

static void count(struct backup *b, struct tm_tally *tally)
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

static int describe(struct backup *b, struct tm_point *point,
		    struct tm_error *err)
{
	size_t i;
	int r = 0;

	memset(point, 0, sizeof(*point));
	strcpy(point->name, b->run.name);
	point->time = b->run.started;
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
	point->consistency = consistency(b, point);
	count(b, &point->tally);
	if (!r && tm_point_any_torn(point))
		report_warning(b->vault->report,
			       "a disk that is not tracked changed while it was read");
	return r;
}

/* The commit. If its outcome is unknown, a tombstone decides it if it can. */
static int commit(struct backup *b, const struct tm_point *point,
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
static void finish(struct backup *b, const struct tm_point *point)
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
	}
	b->run.state = TM_RUN_COMMITTED;
	r = vault_time(b->vault, &b->run.ended, &why);
	if (!r)
		r = record_run(b->vault, b->container, &b->run, false, &why);
	b->job.status = TM_JOB_COMPLETED;
	b->job.ended = b->run.ended;
	strcpy(b->job.point, point->name);
	count(b, &b->job.tally);
	if (!r)
		r = record_job(b->vault, b->container, &b->job, &why);
	if (r)
		report_warning(b->vault->report, "%s", why.message);
}

/* Best effort: whatever fails here, the next run settles. */
static void undo(struct backup *b, int cause, const struct tm_error *err)
{
	bool is_point;

	atomic_store(&b->vault->finishing, true);
	if (!b->undecided)
		abort_cut(b);
	if (!b->recorded || b->undecided)
		return;
	record_tombstone(b->vault, b->container, b->run.name, &is_point, NULL);
	b->run.state = TM_RUN_FAILED;
	vault_time(b->vault, &b->run.ended, NULL);
	record_run(b->vault, b->container, &b->run, false, NULL);
	b->job.status = cause == -ECANCELED ? TM_JOB_CANCELLED : TM_JOB_FAILED;
	b->job.ended = b->run.ended;
	snprintf(b->job.message, sizeof(b->job.message), "%.500s",
		 err ? err->message : "");
	count(b, &b->job.tally);
	record_job(b->vault, b->container, &b->job, NULL);
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
		count(b, &b->job.tally);
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

	r = check_same_machine(disks, n, err);
	if (!r)
		r = lock_machine(&b, err);
	if (r)
		return r;
	r = open_disks(&b, err);
	if (!r)
		r = take_leases(&b, err);
	if (!r)
		r = plan(&b, err);
	if (!r)
		r = cut(&b, err);
	if (!r)
		r = ship(&b, err);
	if (!r)
		r = snapshot(&b, err);
	if (!r)
		r = describe(&b, &point, err);
	if (!r)
		r = commit(&b, &point, err);
	if (!r)
		finish(&b, &point);
	else
		undo(&b, r, err);
	close_all(&b);
	if (r) {
		tm_point_done(&point);
		return r;
	}
	*ret_point = point;
	*ret_job = b.job;
	return 0;
}
