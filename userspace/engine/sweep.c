// SPDX-License-Identifier: MIT
/*
 * sweep.c - runs that died, and what became of them
 *
 * A run has died if there is no points/NAME of its name: a run that ends well
 * has a point, and one that ends badly has left a tombstone. Names begin with
 * the server's time, so runs older than the newest name need no look: the run
 * of that name has settled them.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "engine/document.h"
#include "engine/points.h"
#include "engine/record.h"
#include "engine/sweep.h"

#define STAMP_LEN 16	/* YYYYMMDDTHHMMSSZ */

void past_done(struct past *past)
{
	document_names_free(past->points, past->n_points);
	memset(past, 0, sizeof(*past));
}

static bool has_point(const struct past *past, const char *name)
{
	size_t i = past->n_points;

	while (i--) {
		if (!strcmp(past->points[i], name))
			return true;
	}
	return false;
}

static int mark_swept(struct vault *v, const char *container, const char *name,
		      struct tm_error *err)
{
	char path[TM_PATH_SIZE];
	struct tm_run run;
	size_t len;
	char *text;
	int r;

	tm_path_run(path, name);
	r = document_get(v, container, path, &text, &len, err);
	if (r)
		return r;
	r = tm_run_parse(text, len, name, &run, err);
	free(text);
	if (r)
		return r;
	run.state = TM_RUN_SWEPT;
	r = vault_time(v, &run.ended, err);
	if (!r)
		r = record_run(v, container, &run, false, err);
	tm_run_done(&run);
	return r;
}

/* *@ret_again: a run proved committed after all, so the list is out of date. */
static int sweep_one(struct vault *v, const char *container, const char *name,
		     bool *ret_again, struct tm_error *err)
{
	int64_t seconds;
	struct tm_id id;
	bool point;
	int r;

	if (tm_run_name_parse(name, &seconds, &id))
		return 0;	/* no run of ours made it */
	r = record_tombstone(v, container, name, &point, err);
	*ret_again = true;
	if (r || point)
		return r;
	return mark_swept(v, container, name, err);
}

static int sweep(struct vault *v, const char *container, struct past *past,
		 bool *ret_again, struct tm_error *err)
{
	const char *newest = past->n_points ?
		past->points[past->n_points - 1] : "";
	size_t n = 0, i, skip = strlen(TM_DIR_RUNS);
	char **runs = NULL;
	int r;

	r = document_names(v, container, TM_DIR_RUNS, &runs, &n, err);
	for (i = 0; i < n && !r; i++) {
		const char *name = runs[i] + skip;

		if (strncmp(name, newest, STAMP_LEN) >= 0 &&
		    !has_point(past, name))
			r = sweep_one(v, container, name, ret_again, err);
	}
	document_names_free(runs, n);
	return r;
}

int past_settle(struct vault *v, const char *container, struct past *ret,
		struct tm_error *err)
{
	struct past past = { 0 };
	bool again;
	int r;

	do {
		again = false;
		past_done(&past);
		r = points_names_all(v, container, &past.points,
				     &past.n_points, err);
		if (!r)
			r = sweep(v, container, &past, &again, err);
	} while (!r && again);
	if (r)
		past_done(&past);
	else
		*ret = past;
	return r;
}
