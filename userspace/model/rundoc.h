/* SPDX-License-Identifier: MIT */
/*
 * rundoc.h - runs/NAME, jobs/NAME and checks/NAME in a machine's container
 *
 * A run that ends without finishing its document is abandoned: the next run,
 * which holds the lock, sweeps it. Jobs are for people; checks are what verify
 * found about the point of that name, beside it: the point is never changed.
 */
#ifndef TIDEMARK_MODEL_RUNDOC_H
#define TIDEMARK_MODEL_RUNDOC_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "model/counters.h"
#include "model/error.h"
#include "model/extent.h"
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

struct tm_check_disk {
	char name[TM_NAME_SIZE];
	uint64_t chunks_checked;
	uint64_t chunks_unproved;	/* whose entry was zero: nothing to check */
	struct tm_extents bad_chunks;
	bool header_bad;		/* of what is encrypted */
	bool footer_bad;		/* of its VHD */
};

/* How much of the point was read. */
enum tm_check_how {
	TM_CHECK_WHOLE,
	TM_CHECK_SAMPLE,
};

#define TM_SIGN_SIZE 128

/* What became of the machine when it was started from the point. */
struct tm_check_boot {
	int64_t time;			/* server's; 0: never tried */
	bool good;			/* it showed the sign */
	uint64_t milliseconds;		/* until it did, or was given up */
	char sign[TM_SIGN_SIZE];	/* that was waited for */
};

struct tm_check {
	char name[TM_RUN_NAME_SIZE];	/* of the point */
	int64_t time;			/* of the last check; 0: never read */
	int64_t whole;			/* of the last whole one; 0: none */
	enum tm_check_how how;		/* the last one */
	bool good;			/* nothing wrong is known */
	struct tm_check_boot boot;	/* the last one */
	struct tm_check_disk *disks;	/* owned */
	size_t n_disks;
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

int tm_check_parse(const void *text, size_t len, const char *name,
		   struct tm_check *ret, struct tm_error *err);
int tm_check_text(const struct tm_check *check, char **ret);
void tm_check_done(struct tm_check *check);
/* Appends an empty disk and returns it; NULL when out of memory. */
struct tm_check_disk *tm_check_add_disk(struct tm_check *check,
					const char *name);

/*
 * Takes into @check, a new one, what an earlier one of the same point still
 * says: a whole check replaces all; a sample leaves the time of the last whole
 * one, and what was found bad stays so. Either leaves the last boot, unless it is
 * one itself. 0 or -ENOMEM.
 */
int tm_check_follow(struct tm_check *check, const struct tm_check *earlier);

/* "whole" or "sample" */
const char *tm_check_how_name(enum tm_check_how how);

#endif
