// SPDX-License-Identifier: MIT
/* metrics.c - what jobs did, for Prometheus */

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "engine/item.h"
#include "engine/metrics.h"
#include "engine/source.h"
#include "model/prom.h"
#include "port/clock.h"
#include "port/file.h"

#define FILE_MAX (1u << 20)
#define LOCK_TRIES 40
#define LOCK_WAIT_MS 50

#define DISK "tidemark_disk_"

static const struct tm_prom_family families[] = {
	{ "tidemark_build_info", "gauge", "Version of the program." },
	{ "tidemark_last_run_timestamp_seconds", "gauge",
	  "When the last run began, since 1970." },
	{ "tidemark_last_run_end_timestamp_seconds", "gauge",
	  "When the last run that ended did so, since 1970." },
	{ "tidemark_last_run_success", "gauge",
	  "Whether the last run that ended succeeded." },
	{ "tidemark_last_run_duration_seconds", "gauge",
	  "How long the last run that ended took." },
	{ "tidemark_last_success_timestamp_seconds", "gauge",
	  "When the last run that succeeded ended, since 1970." },
	{ "tidemark_runs_total", "counter", "Runs that ended, by result." },
	{ "tidemark_recovery_points_created_total", "counter",
	  "Recovery points made." },
	{ "tidemark_read_bytes_total", "counter",
	  "Bytes of disks that were read." },
	{ "tidemark_uploaded_bytes_total", "counter",
	  "Bytes of disks that were sent." },
	{ "tidemark_sent_bytes_total", "counter",
	  "Bytes sent to the service, in bodies of requests." },
	{ "tidemark_received_bytes_total", "counter",
	  "Bytes received from the service, in bodies of replies." },
	{ "tidemark_changed_chunks_total", "counter",
	  "Chunks that tracking called changed." },
	{ "tidemark_read_chunks_total", "counter", "Chunks that were read." },
	{ "tidemark_same_chunks_total", "counter",
	  "Chunks read that the vault held already." },
	{ "tidemark_cleared_chunks_total", "counter",
	  "Chunks that had become zero, cleared in the vault." },
	{ "tidemark_uploaded_chunks_total", "counter",
	  "Chunks that were sent." },
	{ "tidemark_sampled_chunks_total", "counter",
	  "Unchanged chunks that were read to check tracking." },
	{ "tidemark_requests_total", "counter",
	  "Requests to the service, retries included." },
	{ "tidemark_retries_total", "counter",
	  "Requests that were made again." },
	{ DISK "last_success_timestamp_seconds", "gauge",
	  "When the last backup with the disk ended, since 1970." },
	{ DISK "size_bytes", "gauge", "Size of the disk." },
	{ DISK "tracked", "gauge", "Whether changes of the disk are tracked." },
	{ DISK "tracking_lost", "gauge",
	  "Whether tracking was lost: the next backup compares everything." },
};

#define N_FAMILIES (sizeof(families) / sizeof(families[0]))

/* Of the machine, or of one of its disks. */
static const char *const disk_families[] = {
	DISK "last_success_timestamp_seconds", DISK "size_bytes",
	DISK "tracked", DISK "tracking_lost",
};

enum result { SUCCESS, FAILURE, CANCELLED, N_RESULTS };

static const char *const results[N_RESULTS] = {
	[SUCCESS] = "success",
	[FAILURE] = "failure",
	[CANCELLED] = "cancelled",
};

static const char *job_of(enum tm_job_kind kind)
{
	switch (kind) {
	case TM_JOB_RESTORE:
		return "restore";
	case TM_JOB_VERIFY:
		return "verify";
	case TM_JOB_BOOT:	/* a good start is no word on all the data */
		return "boot";
	default:
		return "backup";
	}
}

/* The samples of a job while they are changed; the first failure stays. */
struct edit {
	struct tm_prom prom;
	const struct metrics *m;
	int r;
};

static void put(struct edit *e, const char *family, double value, bool add)
{
	const struct tm_prom_label labels[] = {
		{ "item", e->m->item }, { "job", job_of(e->m->kind) },
		{ NULL, NULL }
	};

	if (!e->r)
		e->r = (add ? tm_prom_add : tm_prom_set)(&e->prom, family,
							 labels, value);
}

static void set(struct edit *e, const char *family, double value)
{
	put(e, family, value, false);
}

static void add(struct edit *e, const char *family, uint64_t value)
{
	put(e, family, (double)value, true);
}

static void set_disk(struct edit *e, const char *family, const char *disk,
		     double value)
{
	const struct tm_prom_label labels[] = {
		{ "item", e->m->item }, { "disk", disk }, { NULL, NULL }
	};

	if (!e->r)
		e->r = tm_prom_set(&e->prom, family, labels, value);
}

static void add_result(struct edit *e, enum result result, uint64_t value)
{
	const struct tm_prom_label labels[] = {
		{ "item", e->m->item }, { "job", job_of(e->m->kind) },
		{ "result", results[result] }, { NULL, NULL }
	};

	if (!e->r)
		e->r = tm_prom_add(&e->prom, "tidemark_runs_total", labels,
				   (double)value);
}

static void add_counters(struct edit *e, const struct metrics_outcome *o)
{
	const struct tm_counters *c = &o->counters;

	add(e, "tidemark_sent_bytes_total", o->bytes_sent);
	add(e, "tidemark_received_bytes_total", o->bytes_received);
	add(e, "tidemark_requests_total", c->requests);
	add(e, "tidemark_retries_total", c->retries);
	add(e, "tidemark_read_chunks_total", c->chunks_read);
	if (e->m->kind != TM_JOB_BACKUP)
		return;
	add(e, "tidemark_read_bytes_total", c->bytes_read);
	add(e, "tidemark_uploaded_bytes_total", c->bytes_uploaded);
	add(e, "tidemark_changed_chunks_total", c->chunks_changed);
	add(e, "tidemark_same_chunks_total", c->chunks_same);
	add(e, "tidemark_cleared_chunks_total", c->chunks_cleared);
	add(e, "tidemark_uploaded_chunks_total", c->chunks_uploaded);
	add(e, "tidemark_sampled_chunks_total", o->chunks_sampled);
	add(e, "tidemark_recovery_points_created_total", !o->r);
}

/* Of a disk as it is after the run. What cannot be asked says nothing. */
static void put_state(struct edit *e, const struct tm_disk *d)
{
	struct tm_error why = TM_ERROR_INIT;
	struct source_state state = { 0 };
	struct source *source = NULL;

	if (!source_new(d->name, d->path, d->chunk_size, e->m->config->state,
			&source, &why) &&
	    !source->ops->state(source, &state, &why)) {
		set_disk(e, DISK "size_bytes", d->name,
			 (double)state.size_bytes);
		set_disk(e, DISK "tracked", d->name, state.tracked);
		set_disk(e, DISK "tracking_lost", d->name,
			 state.tracked && state.lost);
	}
	source_free(source);
}

/* What is protected no longer is not to be watched for ever. */
static void drop_others(struct edit *e)
{
	const struct tm_prom_label item = { "item", e->m->item };
	struct tm_error why = TM_ERROR_INIT;
	struct item_disks disks = { 0 };
	const char **names;
	size_t i, n = 0;

	if (e->r || item_disks_load(e->m->config, &disks, &why))
		return;
	names = calloc(disks.n + 1, sizeof(*names));
	if (!names)
		e->r = -ENOMEM;
	for (i = 0; names && i < disks.n; i++)
		if (!strcmp(disks.v[i].item_name, e->m->item))
			names[n++] = disks.v[i].name;
	for (i = 0; i < sizeof(disk_families) / sizeof(*disk_families) &&
	     !e->r; i++)
		e->r = tm_prom_keep(&e->prom, disk_families[i], &item, "disk",
				    names, n);
	free(names);
	item_disks_done(&disks);
}

static void put_end(struct edit *e, const struct metrics_outcome *o)
{
	uint64_t ns = clock_now_ns() - e->m->started_ns;
	double now = (double)clock_wall_s();
	size_t i;

	add_result(e, !o->r ? SUCCESS : o->r == -ECANCELED ? CANCELLED :
		   FAILURE, 1);
	set(e, "tidemark_last_run_end_timestamp_seconds", now);
	set(e, "tidemark_last_run_success", !o->r);
	set(e, "tidemark_last_run_duration_seconds", (double)ns / 1e9);
	if (!o->r)
		set(e, "tidemark_last_success_timestamp_seconds", now);
	add_counters(e, o);
	for (i = 0; i < o->n_disks; i++) {
		put_state(e, &o->disks[i]);
		if (!o->r)
			set_disk(e, disk_families[0], o->disks[i].name, now);
	}
	if (e->m->kind == TM_JOB_BACKUP)
		drop_others(e);
}

/* Every series is there, at 0, before it first counts: increase() needs it. */
static void put_begin(struct edit *e)
{
	static const struct metrics_outcome nothing = { .r = -EINPROGRESS };
	const struct tm_prom_label version[] = {
		{ "version", TIDEMARK_VERSION }, { NULL, NULL }
	};
	enum result i;

	if (!e->r)
		e->r = tm_prom_set(&e->prom, "tidemark_build_info", version, 1);
	set(e, "tidemark_last_run_timestamp_seconds", (double)clock_wall_s());
	for (i = 0; i < N_RESULTS; i++)
		add_result(e, i, 0);
	add_counters(e, &nothing);
}

static void trouble(struct metrics *m, const char *path, const char *why)
{
	if (!m->told)
		report_warning(m->report, "cannot write metrics to '%s': %s",
			       path, why);
	m->told = true;
}

/* Only what ends in .prom is looked at, and may be taken to be ours. */
static int find_file(const char *setting, char *path, size_t size)
{
	size_t len = strlen(setting);
	struct stat st;

	if (!stat(setting, &st) && S_ISDIR(st.st_mode))
		snprintf(path, size, "%s/tidemark.prom", setting);
	else if (len > 5 && !strcmp(setting + len - 5, ".prom"))
		snprintf(path, size, "%s", setting);
	else
		return -ENOTDIR;
	return 0;
}

/* Two jobs that end at one time must not lose each other's counts. */
static int lock(const struct tm_config *config, int *ret_fd)
{
	char path[PATH_MAX];
	int tries = LOCK_TRIES;
	int r = file_make_dirs(config->run, 0755);

	snprintf(path, sizeof(path), "%s/metrics.lock", config->run);
	if (!r)
		r = file_lock(path, ret_fd);
	while (r == -EAGAIN && tries--) {
		clock_wait_ms(LOCK_WAIT_MS);
		r = file_lock(path, ret_fd);
	}
	return r;
}

static int rewrite(struct metrics *m, const char *path,
		   const struct metrics_outcome *outcome)
{
	struct edit e = { .m = m };
	char *text = NULL;
	size_t len;

	tm_prom_init(&e.prom, families, N_FAMILIES);
	e.r = file_read(path, FILE_MAX, &text, &len);
	if (!e.r)
		e.r = tm_prom_read(&e.prom, text);
	else if (e.r == -ENOENT)
		e.r = 0;
	free(text);
	text = NULL;
	if (outcome)
		put_end(&e, outcome);
	else
		put_begin(&e);
	if (!e.r)
		e.r = tm_prom_text(&e.prom, &text);
	if (!e.r)
		e.r = file_write(path, 0644, text, strlen(text));
	free(text);
	tm_prom_done(&e.prom);
	return e.r;
}

static void update(struct metrics *m, const struct metrics_outcome *outcome)
{
	const char *setting = m->config->metrics;
	char path[PATH_MAX];
	int fd, r;

	if (!*setting)
		return;
	if (find_file(setting, path, sizeof(path))) {
		trouble(m, setting, "neither a directory nor a name that ends in .prom");
		return;
	}
	r = lock(m->config, &fd);
	if (!r) {
		r = rewrite(m, path, outcome);
		close(fd);
	}
	if (r)
		trouble(m, path, r == -EAGAIN ? "another job keeps it locked" :
			strerror(-r));
}

void metrics_begin(struct metrics *m, const struct tm_config *config,
		   const struct report *report, enum tm_job_kind kind,
		   const char *item)
{
	*m = (struct metrics){
		.config = config, .report = report, .kind = kind,
		.started_ns = clock_now_ns(),
	};
	snprintf(m->item, sizeof(m->item), "%s", item);
	update(m, NULL);
}

void metrics_count(struct metrics_outcome *outcome, const struct vault *v)
{
	const struct blob_counters *c = blobservice_counters(v->service);

	outcome->bytes_sent = c->bytes_sent;
	outcome->bytes_received = c->bytes_received;
	outcome->counters.requests = c->requests;
	outcome->counters.retries = v->retries;
}

void metrics_end(struct metrics *m, const struct metrics_outcome *outcome)
{
	update(m, outcome);
}
