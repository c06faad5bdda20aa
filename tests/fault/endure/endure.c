// SPDX-License-Identifier: MIT
/*
 * endure - one process that makes one backup after another
 *
 *	endure ROUNDS EVERY DIR
 *
 * In each round the machine's disks, which are image files and protected, are
 * changed and backed up by the engine as `tidemark backup` does it; in every
 * EVERYth each is restored to a file in DIR and compared, and the point is
 * verified. Points older than the last KEEP are deleted. TIDEMARK_STATE_DIR and
 * TIDEMARK_RUN_DIR are as for tidemark; metrics are kept in DIR.
 *
 * Prints for each round "ROUND DESCRIPTORS THREADS RSSANON HEAP", what the
 * process holds at its end; the last two in KiB and bytes. The exit status is 1
 * when something went wrong, which is then said.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "engine/backup.h"
#include "engine/item.h"
#include "engine/metrics.h"
#include "engine/restore.h"
#include "engine/verify.h"
#include "usage.h"
#include "images.h"
#include "prune.h"

#define KEEP 4u

struct endure {
	struct tm_config config;
	struct report report;
	const char *dir;
	char kept[KEEP][TM_RUN_NAME_SIZE];	/* ring, by round */
};

static void warn(void *arg, const char *message)
{
	(void)arg;
	fprintf(stderr, "endure: warning: %s\n", message);
}

static int no_settings(struct tm_error *err)
{
	return tm_error_set(err, -EINVAL, TM_EXIT_USAGE, NULL,
			    "TIDEMARK_STATE_DIR and TIDEMARK_RUN_DIR are needed");
}

static int configure(struct endure *e, const char *dir, struct tm_error *err)
{
	const char *state = getenv("TIDEMARK_STATE_DIR");
	const char *run = getenv("TIDEMARK_RUN_DIR");
	int r;

	if (!state || !run)
		return no_settings(err);
	e->dir = dir;
	e->report.warning = warn;
	tm_config_init(&e->config);
	r = tm_config_set(&e->config, "paths.state", state, err);
	if (!r)
		r = tm_config_set(&e->config, "paths.run", run, err);
	if (!r)
		r = tm_config_set(&e->config, "paths.metrics", dir, err);
	return r;
}

/* What a verb does around its work. */
static void count(struct endure *e, struct vault *v, enum tm_job_kind kind,
		  const struct item_disks *disks, int r)
{
	struct metrics_outcome outcome = { .r = r };
	struct metrics metrics;

	metrics_begin(&metrics, &e->config, &e->report, kind,
		      disks->v[0].item_name);
	if (kind == TM_JOB_BACKUP) {
		outcome.disks = disks->v;
		outcome.n_disks = disks->n;
	}
	metrics_count(&outcome, v);
	metrics_end(&metrics, &outcome);
}

static int back_up(struct endure *e, const struct item_disks *disks,
		   struct tm_point *ret, struct tm_error *err)
{
	const struct backup_options how = { 0 };
	struct tm_job job = { 0 };
	struct vault v;
	int r;

	r = vault_open(&v, &e->config, disks->v[0].vault, &e->report, err);
	if (r)
		return r;
	r = backup_run(&v, disks->v, disks->n, &how, ret, &job, err);
	tm_job_done(&job);
	count(e, &v, TM_JOB_BACKUP, disks, r);
	vault_close(&v);
	return r;
}

static int restore_one(struct endure *e, struct vault *v,
		       const struct tm_disk *disk, const struct tm_point *point,
		       struct tm_error *err)
{
	const struct tm_point_disk *there =
		tm_point_find_disk(point, disk->name);
	const struct restore_options all = { .compare = false };
	struct sink_options how = { .format = SINK_RAW };
	struct restore_result done;
	struct sink *sink;
	char path[512];
	int r;

	if (!there)
		return tm_error_set(err, -ENOENT, TM_EXIT_FAILED, disk->name,
				    "disk '%s' is not in the point",
				    disk->name);
	snprintf(path, sizeof(path), "%s/restored", e->dir);
	how.disk_size = there->size;
	r = sink_file_new(path, &how, &sink, err);
	if (r)
		return r;
	r = restore_disk(v, disk->container, there, sink, &all, &done, err);
	sink_free(sink);
	if (!r && !images_equal(path, disk->path))
		r = tm_error_set(err, -EBADMSG, TM_EXIT_INTEGRITY, disk->name,
				 "disk '%s' is not restored as it was",
				 disk->name);
	return r;
}

/* Restores and verifies, each in a session of its own, as verbs do. */
static int prove(struct endure *e, const struct item_disks *disks,
		 const struct tm_point *point, struct tm_error *err)
{
	const char *container = disks->v[0].container;
	const struct verify_options all = { 0 };
	struct tm_check check = { 0 };
	uint64_t bytes = 0;
	struct vault v;
	size_t i;
	int r = 0;

	for (i = 0; i < disks->n && !r; i++) {
		r = vault_open(&v, &e->config, disks->v[i].vault, &e->report,
			       err);
		if (r)
			return r;
		r = restore_one(e, &v, &disks->v[i], point, err);
		count(e, &v, TM_JOB_RESTORE, disks, r);
		vault_close(&v);
	}
	if (!r)
		r = vault_open(&v, &e->config, disks->v[0].vault, &e->report,
			       err);
	if (r)
		return r;
	r = verify_point(&v, container, point, &all, &check, &bytes, err);
	if (!r && !check.good)
		r = tm_error_set(err, -EBADMSG, TM_EXIT_INTEGRITY, point->name,
				 "recovery point '%s' is not whole",
				 point->name);
	tm_check_done(&check);
	count(e, &v, TM_JOB_VERIFY, disks, r);
	vault_close(&v);
	return r;
}

static int thin_out(struct endure *e, const struct item_disks *disks,
		    unsigned int round, const char *name, struct tm_error *err)
{
	char *oldest = e->kept[round % KEEP];
	struct vault v;
	int r = 0;

	if (*oldest) {
		r = vault_open(&v, &e->config, disks->v[0].vault, &e->report,
			       err);
		if (r)
			return r;
		r = prune(&v, disks->v[0].container, oldest, err);
		vault_close(&v);
	}
	strcpy(oldest, name);
	return r;
}

static int go_round(struct endure *e, unsigned int round, bool thorough,
		    struct tm_error *err)
{
	struct item_disks disks;
	struct tm_point point;
	size_t i;
	int r;

	r = item_disks_load(&e->config, &disks, err);
	if (r)
		return r;
	for (i = 0; i < disks.n && !r; i++)
		r = image_change(disks.v[i].path, round * 16 + (unsigned int)i,
				 disks.v[i].chunk_size, err);
	if (!r)
		r = back_up(e, &disks, &point, err);
	if (r)
		goto out_done;
	if (thorough)
		r = prove(e, &disks, &point, err);
	if (!r)
		r = thin_out(e, &disks, round, point.name, err);
	tm_point_done(&point);
out_done:
	item_disks_done(&disks);
	return r;
}

int main(int argc, char **argv)
{
	struct tm_error err = TM_ERROR_INIT;
	struct endure e = { 0 };
	unsigned int rounds, every, round;
	struct usage usage;

	if (argc != 4 || !atoi(argv[1]) || !atoi(argv[2])) {
		fprintf(stderr, "usage: endure ROUNDS EVERY DIR\n");
		return 2;
	}
	rounds = (unsigned int)atoi(argv[1]);
	every = (unsigned int)atoi(argv[2]);
	if (configure(&e, argv[3], &err))
		goto err_say;
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (round = 1; round <= rounds; round++) {
		if (go_round(&e, round, !(round % every), &err))
			goto err_say;
		if (usage_now(&usage)) {
			perror("endure: /proc");
			return 1;
		}
		printf("%u %u %u %u %zu\n", round, usage.descriptors,
		       usage.threads, usage.rss_anon_kib, usage.heap_bytes);
	}
	return 0;
err_say:
	fprintf(stderr, "endure: %s\n", err.message);
	return 1;
}
