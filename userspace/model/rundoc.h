/* SPDX-License-Identifier: MIT */
/*
 * rundoc.h - runs/NAME and jobs/NAME in a machine's container
 *
 * A run that ends without finishing its document is abandoned: the next run,
 * which holds the lock, sweeps it. Jobs are for people.
 */
#ifndef TIDEMARK_MODEL_RUNDOC_H
#define TIDEMARK_MODEL_RUNDOC_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "model/counters.h"
#include "model/error.h"
#include "model/names.h"

enum tm_run_state {
	TM_RUN_RUNNING,
	TM_RUN_COMMITTED,	/* its point exists */
	TM_RUN_FAILED,		/* ended without a point, and said so */
	TM_RUN_SWEPT,		/* found abandoned; has a tombstone */
};

/* One disk in one round of what was sent ahead of the cut. */
struct tm_round {
	char disk[TM_NAME_SIZE];
	uint64_t number;		/* from 1 on */
	struct tm_id cut;		/* from which on changes remained to be sent */
	uint64_t bytes_read;
	uint64_t bytes_uploaded;
	uint64_t bytes_left;		/* to be sent, when it was done */
};

/* In order. Embedded in zeroed structures; freed with them. */
struct tm_rounds {
	struct tm_round *v;		/* owned */
	size_t n;
};

struct tm_run {
	char name[TM_RUN_NAME_SIZE];
	enum tm_run_state state;
	struct tm_id item;
	struct tm_id cut;		/* zero if nothing is tracked */
	int64_t started;		/* server's times; 0: not yet */
	int64_t ended;
	char host[TM_NAME_SIZE];	/* for people */
	struct tm_rounds rounds;
	json_t *rest;
};

enum tm_job_kind {
	TM_JOB_BACKUP,
	TM_JOB_RESTORE,
	TM_JOB_VERIFY,
	TM_JOB_BOOT,
};

enum tm_job_status {
	TM_JOB_IN_PROGRESS,
	TM_JOB_CANCELLING,
	TM_JOB_CANCELLED,
	TM_JOB_COMPLETED,
	TM_JOB_WARNINGS,		/* "CompletedWithWarnings" */
	TM_JOB_FAILED,
};

struct tm_job {
	char name[TM_RUN_NAME_SIZE];
	enum tm_job_kind kind;
	enum tm_job_status status;
	char point[TM_RUN_NAME_SIZE];	/* made or used; "" if none */
	int64_t started;
	int64_t ended;
	char message[512];		/* error or warning; "" if none */
	struct tm_tally tally;
	struct tm_rounds rounds;
	json_t *rest;
};

/* 0 or -ENOMEM. */
int tm_rounds_add(struct tm_rounds *rounds, const struct tm_round *round);

/* [{"disk":...,"round":1,...},...]; NULL when out of memory. */
json_t *tm_rounds_json(const struct tm_rounds *rounds);

/* As in point.h: the name inside must be @name, *@ret is overwritten. */
int tm_run_parse(const void *text, size_t len, const char *name,
		 struct tm_run *ret, struct tm_error *err);
int tm_run_text(const struct tm_run *run, char **ret);
void tm_run_done(struct tm_run *run);
const char *tm_run_state_name(enum tm_run_state state);

int tm_job_parse(const void *text, size_t len, const char *name,
		 struct tm_job *ret, struct tm_error *err);
int tm_job_text(const struct tm_job *job, char **ret);
void tm_job_done(struct tm_job *job);
/* "InProgress" and so on. */
const char *tm_job_status_name(enum tm_job_status status);
const char *tm_job_kind_name(enum tm_job_kind kind);

#endif
