// SPDX-License-Identifier: MIT
/* reap.c - the end of a point: its storage, a day after it was marked */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "engine/document.h"
#include "engine/hold.h"
#include "engine/mark.h"
#include "engine/points.h"
#include "engine/reap.h"
#include "engine/reapsnap.h"
#include "engine/record.h"
#include "engine/seize.h"

struct reaping {
	struct vault *vault;
	const char *container;
	const struct tm_id *item;
	const char *name;
	int64_t now;
	struct claims *claims;
};

/* Under the seizure: nobody can have it back from here on. */
static int is_due(const struct reaping *p, bool *ret, struct tm_error *err)
{
	struct tm_mark mark;
	int r = mark_read(p->vault, p->item, p->name, &mark, NULL, err);

	if (r)
		return r;
	*ret = mark.deleted && tm_mark_due(&mark) <= p->now &&
		!tm_mark_keeps(&mark, p->now);
	tm_mark_done(&mark);
	return 0;
}

static int check_unread(const struct reaping *p, struct tm_error *err)
{
	char until[TM_TIME_SIZE] = "";
	struct tm_hold hold;
	bool held;
	int r;

	r = hold_find(p->vault, p->container, p->name, p->now, &held, &hold,
		      err);
	if (r || !held)
		return r;
	tm_time_format(until, hold.until);
	tm_error_set(err, -EBUSY, TM_EXIT_BUSY, p->name,
		     "cannot delete the storage of point '%s': %s by '%s' is under way, until %s if not longer",
		     p->name, *hold.why ? hold.why : "reading", hold.host,
		     until);
	tm_error_action(err, "try again when it has ended");
	tm_hold_done(&hold);
	return -EBUSY;
}

/* The one moment at which the point ceases to be: a request, under a lease. */
static int entomb(const struct reaping *p, const struct seizure *seizure,
		  const struct tm_point *point, struct tm_error *err)
{
	struct blob_cond cond = { .lease_id = seizure->id };
	struct tm_point stone;
	char *text;
	int r = tm_point_end(&stone, point, p->now);

	if (!r) {
		r = tm_point_text(&stone, &text);
		tm_point_done(&stone);
	}
	if (r)
		return tm_error_set(err, r, TM_EXIT_FAILED, p->name,
				    "cannot delete point '%s': %s", p->name,
				    strerror(-r));
	r = document_replace(p->vault, p->container, seizure->path, text,
			     TM_KIND_TOMBSTONE, &cond, err);
	free(text);
	return r;
}

static int decide(const struct reaping *p, const struct seizure *seizure,
		  const struct tm_point *point, bool *ret_gone,
		  struct tm_error *err)
{
	int r;

	*ret_gone = point->tombstone;
	if (*ret_gone)
		return 0;
	r = is_due(p, ret_gone, err);
	if (r || !*ret_gone)
		return r;
	r = check_unread(p, err);
	if (!r)
		r = mark_check_proved(p->vault, p->container, p->item, p->name,
				      err);
	if (!r)
		r = entomb(p, seizure, point, err);
	return r;
}

/*
 * *@ret_gone: the point is none any more, so its storage is to go; *@ret, to be
 * freed in any case, has what it named.
 */
static int end_point(const struct reaping *p, bool *ret_gone,
		     struct tm_point *ret, struct tm_error *err)
{
	struct seizure seizure;
	bool is_point;
	int r;

	r = seize(p->vault, p->container, p->name, &seizure, err);
	if (r == -ENOENT) {
		/* Deleted by hand; a late request shall not make it again. */
		tm_error_clear(err);
		*ret_gone = true;
		return record_tombstone(p->vault, p->container, p->name,
					&is_point, err);
	}
	if (r)
		return r;
	r = points_read(p->vault, p->container, p->name, ret, err);
	if (!r)
		r = decide(p, &seizure, ret, ret_gone, err);
	seize_end(&seizure);
	return r;
}

static int delete_documents(const struct reaping *p, struct tm_error *err)
{
	char path[TM_PATH_SIZE];
	char **paths;
	size_t n, i;
	int r;

	tm_path_check(path, p->name);
	r = document_delete(p->vault, p->container, path, err);
	tm_path_hold(path, p->name, NULL);
	if (!r)
		r = document_names(p->vault, p->container, path, &paths, &n,
				   err);
	if (r)
		return r;
	for (i = 0; i < n && !r; i++)
		r = document_delete(p->vault, p->container, paths[i], err);
	document_names_free(paths, n);
	tm_path_mark(path, p->item, p->name);
	return r ? r : document_delete(p->vault,
				       p->vault->address.container, path, err);
}

static int reap(struct reaping *p, bool *ret_done, uint64_t *ret_snapshots,
		struct tm_error *err)
{
	struct tm_point was = { .n_disks = 0 };
	int r;

	*ret_done = false;
	r = vault_time(p->vault, &p->now, err);
	if (!r)
		r = end_point(p, ret_done, &was, err);
	if (!r && *ret_done)
		r = reapsnap(p->vault, p->container, p->name, &was, p->claims,
			     ret_snapshots, err);
	if (!r && *ret_done)
		r = delete_documents(p, err);
	tm_point_done(&was);
	return r;
}

int reap_point(struct vault *v, const char *container, const struct tm_id *item,
	       const char *name, bool *ret_done, uint64_t *ret_snapshots,
	       struct tm_error *err)
{
	struct claims claims = { .known = false };
	struct reaping p = {
		.vault = v, .container = container, .item = item, .name = name,
		.claims = &claims,
	};
	int r = reap(&p, ret_done, ret_snapshots, err);

	claims_done(&claims);
	return r;
}

static int reap_if_due(struct reaping *p, struct reaped *ret,
		       struct tm_error *err)
{
	struct vault *v = p->vault;
	struct tm_mark mark;
	bool deleted, due, done;
	int64_t now;
	int r;

	r = vault_time(v, &now, err);
	if (!r)
		r = mark_read(v, p->item, p->name, &mark, NULL, err);
	if (r)
		return r;
	deleted = mark.deleted;
	due = deleted && tm_mark_due(&mark) <= now;
	tm_mark_done(&mark);
	ret->waiting += deleted && !due;
	if (!due)
		return 0;
	r = reap(p, &done, &ret->snapshots, err);
	ret->points += !r && done;
	if (r != -EBUSY && r != -EPERM)
		return r;
	report_warning(v->report, "%s", err->message);
	tm_error_clear(err);
	ret->left++;
	return 0;
}

int reap_due(struct vault *v, const char *container, const struct tm_id *item,
	     struct reaped *ret, struct tm_error *err)
{
	struct claims claims = { .known = false };
	struct reaping p = {
		.vault = v, .container = container, .item = item,
		.claims = &claims,
	};
	struct reaped reaped = { 0 };
	int64_t seconds;
	struct tm_id id;
	char **names;
	size_t n, i;
	int r;

	r = mark_names(v, item, &names, &n, err);
	if (r)
		return r;
	for (i = 0; i < n && !r; i++) {
		r = report_cancelled(v->report, err);
		/* What others have put there is theirs. */
		p.name = names[i];
		if (!r && !tm_run_name_parse(names[i], &seconds, &id))
			r = reap_if_due(&p, &reaped, err);
	}
	document_names_free(names, n);
	claims_done(&claims);
	*ret = reaped;
	return r;
}
