// SPDX-License-Identifier: MIT
/* record.c - what a run writes about itself */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "engine/document.h"
#include "engine/points.h"
#include "engine/record.h"
#include "port/crypto.h"
#include "port/refusal.h"

/*
 * Names only ever go on from the newest, so one wrong Date would date all that
 * comes after it, for good. This machine's clock says so much: by a certificate
 * that is good at both times TLS would hardly have come about.
 */
#define CLOCKS_APART_S	(366 * INT64_C(86400))

static int check_date(const struct vault *v, int64_t now, struct tm_error *err)
{
	int64_t skew_s = blobservice_skew(v->service);
	char date[TM_TIME_SIZE], how_far[48];

	if (llabs(skew_s) <= CLOCKS_APART_S)
		return 0;
	refusal_skew_text(skew_s, how_far, sizeof(how_far));
	if (tm_time_format(date, now))
		strcpy(date, "no time");
	tm_error_set(err, -EPROTO, TM_EXIT_UNAVAILABLE, v->url,
		     "cannot name a run: the storage service's Date is %s, and this machine's clock is %s it",
		     date, how_far);
	tm_error_action(err, "set this machine's clock; if it is right, see what answers in the service's place");
	return -EPROTO;
}

/* The time in the last name that has one; 0 if there is none. */
static int64_t newest_time(char *const *names, size_t n)
{
	int64_t seconds;
	struct tm_id id;

	while (n--) {
		if (!tm_run_name_parse(names[n], &seconds, &id))
			return seconds;
	}
	return 0;
}

int record_name(struct vault *v, char *const *points, size_t n,
		char ret[TM_RUN_NAME_SIZE], struct tm_error *err)
{
	int64_t now, newest = newest_time(points, n);
	struct tm_id id;
	int r;

	r = vault_time(v, &now, err);
	if (!r)
		r = check_date(v, now, err);
	if (r)
		return r;
	/* Names are sorted: two in one second would stand in random order. */
	if (now <= newest)
		now = newest + 1;
	r = crypto_random(id.b, sizeof(id.b));
	if (!r)
		r = tm_run_name_format(ret, now, &id);
	if (r)
		return tm_error_set(err, r, TM_EXIT_FAILED, NULL,
				    "cannot name a run: %s", strerror(-r));
	return 0;
}

static int text_failed(const char *name, int r, struct tm_error *err)
{
	return tm_error_set(err, r, TM_EXIT_FAILED, name,
			    "cannot describe run '%s': %s", name, strerror(-r));
}

int record_run(struct vault *v, const char *container,
	       const struct tm_run *run, bool first, struct tm_error *err)
{
	char path[TM_PATH_SIZE];
	char *text;
	int r = tm_run_text(run, &text);

	if (r)
		return text_failed(run->name, r, err);
	tm_path_run(path, run->name);
	r = first ?
		document_create(v, container, path, text, NULL, NULL, err) :
		document_put(v, container, path, text, err);
	free(text);
	return r;
}

int record_job(struct vault *v, const char *container,
	       const struct tm_job *job, struct tm_error *err)
{
	char path[TM_PATH_SIZE];
	char *text;
	int r = tm_job_text(job, &text);

	if (r)
		return text_failed(job->name, r, err);
	tm_path_job(path, job->name);
	r = document_put(v, container, path, text, err);
	free(text);
	return r;
}

int record_point(struct vault *v, const char *container,
		 const struct tm_point *point, struct tm_error *err)
{
	char path[TM_PATH_SIZE];
	char *text;
	int r = tm_point_text(point, &text);

	if (r)
		return text_failed(point->name, r, err);
	tm_path_point(path, point->name);
	r = document_create(v, container, path, text, NULL, NULL, err);
	free(text);
	if (r == -EEXIST) {
		tm_error_set(err, r, TM_EXIT_BUSY, point->name,
			     "cannot commit run '%s': another run has declared it dead",
			     point->name);
		tm_error_action(err, "see that one machine alone backs up this item, then run it again");
	}
	return r;
}

int record_tombstone(struct vault *v, const char *container, const char *name,
		     bool *ret_point, struct tm_error *err)
{
	struct tm_point stone, there;
	char path[TM_PATH_SIZE];
	int64_t now;
	char *text;
	int r;

	*ret_point = false;
	r = vault_time(v, &now, err);
	if (r)
		return r;
	tm_point_tombstone(&stone, name, now);
	r = tm_point_text(&stone, &text);
	tm_point_done(&stone);
	if (r)
		return text_failed(name, r, err);
	tm_path_point(path, name);
	r = document_create(v, container, path, text, TM_KIND_TOMBSTONE, NULL,
			    err);
	free(text);
	if (r != -EEXIST)
		return r;
	r = points_read(v, container, name, &there, err);
	if (r)
		return r;
	*ret_point = !there.tombstone;
	tm_point_done(&there);
	return 0;
}
