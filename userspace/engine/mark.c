// SPDX-License-Identifier: MIT
/* mark.c - marks/ID/NAME: points to be kept, points to be deleted */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "engine/check.h"
#include "engine/document.h"
#include "engine/mark.h"
#include "engine/points.h"
#include "engine/seize.h"

int mark_names(struct vault *v, const struct tm_id *item, char ***ret,
	       size_t *ret_n, struct tm_error *err)
{
	char path[TM_PATH_SIZE];
	size_t i, skip;
	int r;

	tm_path_mark(path, item, "");
	skip = strlen(path);
	r = document_names(v, v->address.container, path, ret, ret_n, err);
	for (i = 0; !r && i < *ret_n; i++)
		memmove((*ret)[i], (*ret)[i] + skip,
			strlen((*ret)[i]) - skip + 1);
	return r;
}

int mark_read(struct vault *v, const struct tm_id *item, const char *name,
	      struct tm_mark *ret, char *ret_etag, struct tm_error *err)
{
	struct tm_mark none = { .deleted = 0 };
	char path[TM_PATH_SIZE];
	size_t len;
	char *text;
	int r;

	tm_path_mark(path, item, name);
	r = document_get_version(v, v->address.container, path, &text, &len,
				 ret_etag, err);
	if (r == -ENOENT) {
		tm_error_clear(err);
		strncpy(none.name, name, sizeof(none.name) - 1);
		if (ret_etag)
			*ret_etag = '\0';
		*ret = none;
		return 0;
	}
	if (r)
		return r;
	r = tm_mark_parse(text, len, name, ret, err);
	free(text);
	return r;
}

int mark_look(struct vault *v, const struct tm_id *item, const char *name,
	      struct tm_mark *ret, struct tm_error *err)
{
	int r = mark_read(v, item, name, ret, NULL, err);

	if (r != -EACCES)
		return r;
	tm_error_clear(err);
	memset(ret, 0, sizeof(*ret));
	return 0;
}

int mark_write(struct vault *v, const struct tm_id *item,
	       const struct tm_mark *mark, const char *etag,
	       struct tm_error *err)
{
	struct blob_cond cond = {
		.if_match = *etag ? etag : NULL,
		.if_none_match = *etag ? NULL : "*",
	};
	char path[TM_PATH_SIZE];
	char *text;
	int r = tm_mark_text(mark, &text);

	if (r)
		return tm_error_set(err, r, TM_EXIT_FAILED, mark->name,
				    "cannot mark point '%s': %s", mark->name,
				    strerror(-r));
	tm_path_mark(path, item, mark->name);
	r = document_replace(v, v->address.container, path, text, NULL, &cond,
			     err);
	free(text);
	if (r == -ESTALE) {
		tm_error_set(err, r, TM_EXIT_BUSY, mark->name,
			     "cannot mark point '%s': another has just marked it",
			     mark->name);
		tm_error_action(err, "see 'tidemark points show %s', then try again",
				mark->name);
	}
	return r;
}

static int is_there(struct vault *v, const char *container, const char *name,
		    struct tm_error *err)
{
	struct tm_point point;
	bool tombstone;
	int r = points_read(v, container, name, &point, err);

	if (r)
		return r;
	tombstone = point.tombstone;
	tm_point_done(&point);
	if (tombstone)
		return tm_error_set(err, -ENOENT, TM_EXIT_NOT_FOUND, name,
				    "cannot have back point '%s': it is deleted",
				    name);
	return 0;
}

static void sign(struct tm_mark *mark)
{
	memset(mark->host, 0, sizeof(mark->host));
	gethostname(mark->host, sizeof(mark->host) - 1);
}

/*
 * Whoever deletes a point's storage has seized it (reap.c): while we have, the
 * mark is ours to take back, and if we still have afterwards, it always was.
 */
static int have_back(struct vault *v, const char *container,
		     const struct tm_id *item, struct tm_mark *mark,
		     const char *etag, struct tm_error *err)
{
	struct seizure seizure;
	int r = seize(v, container, mark->name, &seizure, err);

	if (r)
		return r;
	r = is_there(v, container, mark->name, err);
	if (!r)
		r = mark_write(v, item, mark, etag, err);
	if (!r && seize_confirm(&seizure, err))
		r = is_there(v, container, mark->name, err);
	seize_end(&seizure);
	return r;
}

int mark_keep(struct vault *v, const char *container, const struct tm_id *item,
	      const char *name, int64_t until, bool *ret_back,
	      struct tm_error *err)
{
	char etag[BLOB_ETAG_SIZE];
	struct tm_mark mark;
	int r;

	r = mark_read(v, item, name, &mark, etag, err);
	if (r)
		return r;
	*ret_back = mark.deleted && until;
	mark.keep_until = until;
	sign(&mark);
	if (*ret_back) {
		mark.deleted = 0;
		r = have_back(v, container, item, &mark, etag, err);
	} else {
		r = mark_write(v, item, &mark, etag, err);
	}
	tm_mark_done(&mark);
	return r;
}

/* Good, whole, and not to be deleted itself. */
static int is_proved(struct vault *v, const char *container,
		     const struct tm_id *item, const char *name, bool *ret,
		     struct tm_error *err)
{
	struct tm_check check;
	struct tm_mark mark;
	int r;

	r = check_read(v, container, name, &check, err);
	if (r == -EBADMSG) {	/* it says nothing: it proves nothing */
		tm_error_clear(err);
		*ret = false;
		return 0;
	}
	if (r)
		return r;
	*ret = check.good && check.whole;
	tm_check_done(&check);
	if (!*ret)
		return 0;
	r = is_there(v, container, name, err);
	if (r == -ENOENT) {
		*ret = false;
		tm_error_clear(err);
		return 0;
	}
	if (!r)
		r = mark_read(v, item, name, &mark, NULL, err);
	if (r)
		return r;
	*ret = !mark.deleted;
	tm_mark_done(&mark);
	return 0;
}

int mark_check_proved(struct vault *v, const char *container,
		      const struct tm_id *item, const char *name,
		      struct tm_error *err)
{
	bool newer = false, good;
	struct tm_check check;
	char **names;
	size_t n;
	int r;

	r = check_read(v, container, name, &check, err);
	if (r)
		return r;
	good = check.good && check.whole;
	tm_check_done(&check);
	if (!good)
		return 0;
	r = check_names(v, container, &names, &n, err);
	if (r)
		return r;
	for (size_t i = n; i-- && !r && !newer && strcmp(names[i], name) > 0;)
		r = is_proved(v, container, item, names[i], &newer, err);
	document_names_free(names, n);
	if (r || newer)
		return r;
	tm_error_set(err, -EPERM, TM_EXIT_REFUSED, name,
		     "cannot delete point '%s': it is the newest that was proved to be whole",
		     name);
	tm_error_action(err, "verify a newer one first");
	return -EPERM;
}

/* Does the next backup of a disk begin from it? Then *ret names the disk. */
static int find_base(struct vault *v, const char *container,
		     const struct tm_point *point, const char **ret,
		     struct tm_error *err)
{
	struct tm_point newest;
	char **names = NULL;
	size_t n = 0, i;
	int r;

	*ret = NULL;
	r = points_names(v, container, &names, &n, err);
	for (i = 0; !r && i < point->n_disks && !*ret; i++) {
		r = points_newest_with(v, container, names, n,
				       point->disks[i].name, &newest, err);
		if (r)
			break;
		if (!strcmp(newest.name, point->name))
			*ret = point->disks[i].name;
		tm_point_done(&newest);
	}
	document_names_free(names, n);
	return r;
}

static int check_deletable(struct vault *v, const char *container,
			   const struct tm_id *item,
			   const struct tm_point *point,
			   const struct tm_mark *mark, int64_t now, bool force,
			   struct tm_error *err)
{
	const char *disk = NULL;
	int r;

	if (tm_mark_keeps(mark, now)) {
		tm_error_set(err, -EPERM, TM_EXIT_REFUSED, point->name,
			     "cannot delete point '%s': it is to be kept",
			     point->name);
		tm_error_action(err, "take that back first: tidemark points keep %s --until none",
				point->name);
		return -EPERM;
	}
	r = mark_check_proved(v, container, item, point->name, err);
	if (!r && !force)
		r = find_base(v, container, point, &disk, err);
	if (r || !disk)
		return r;
	tm_error_set(err, -EPERM, TM_EXIT_REFUSED, point->name,
		     "cannot delete point '%s': the next backup of disk '%s' builds on it",
		     point->name, disk);
	tm_error_action(err, "make a newer one first; or give --force, and that backup compares all of the disk");
	return -EPERM;
}

int mark_delete(struct vault *v, const char *container,
		const struct tm_id *item, const struct tm_point *point,
		bool force, struct tm_mark *ret_mark, struct tm_error *err)
{
	char etag[BLOB_ETAG_SIZE];
	struct tm_mark mark;
	int64_t now;
	int r;

	r = vault_time(v, &now, err);
	if (!r)
		r = mark_read(v, item, point->name, &mark, etag, err);
	if (r)
		return r;
	if (!mark.deleted) {
		r = check_deletable(v, container, item, point, &mark, now,
				    force, err);
		mark.deleted = now;
		mark.keep_until = 0;
		sign(&mark);
		if (!r)
			r = mark_write(v, item, &mark, etag, err);
	}
	if (r)
		tm_mark_done(&mark);
	else
		*ret_mark = mark;
	return r;
}
