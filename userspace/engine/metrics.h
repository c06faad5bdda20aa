/* SPDX-License-Identifier: MIT */
/*
 * metrics.h - what jobs did, for Prometheus: a file for node_exporter's
 * text-file collector
 *
 *	metrics_begin(&m, config, report, TM_JOB_BACKUP, item);
 *	...
 *	metrics_end(&m, &outcome);
 *
 * The file is `paths.metrics`, or tidemark.prom in it if that is a directory; no
 * file is wanted if that is empty. It is replaced as a whole, mode 0644; counters
 * go on from what stands in it, and samples of other machines stay as they are.
 * Whatever goes wrong with it is one warning, and nothing to the job.
 */
#ifndef TIDEMARK_ENGINE_METRICS_H
#define TIDEMARK_ENGINE_METRICS_H

#include "engine/vault.h"
#include "model/diskdoc.h"
#include "model/rundoc.h"

struct metrics {
	const struct tm_config *config;	/* borrowed */
	const struct report *report;	/* borrowed */
	char item[TM_NAME_SIZE];
	enum tm_job_kind kind;
	uint64_t started_ns;
	bool told;			/* that it does not work */
};

/* How a job ended. */
struct metrics_outcome {
	int r;				/* 0 or -errno; -ECANCELED */
	struct tm_counters counters;
	uint64_t chunks_sampled;
	uint64_t bytes_sent;		/* bodies of all requests */
	uint64_t bytes_received;	/* and replies */
	/* Of a backup: the disks that it was of, borrowed; else none. */
	const struct tm_disk *disks;
	size_t n_disks;
};

/* A job of the machine @item begins. */
void metrics_begin(struct metrics *m, const struct tm_config *config,
		   const struct report *report, enum tm_job_kind kind,
		   const char *item);

/* Takes what @v has counted into @outcome, before it is closed. */
void metrics_count(struct metrics_outcome *outcome, const struct vault *v);

void metrics_end(struct metrics *m, const struct metrics_outcome *outcome);

#endif
