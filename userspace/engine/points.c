// SPDX-License-Identifier: MIT
/* points.c - the recovery points of a machine */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "engine/document.h"
#include "engine/mark.h"
#include "engine/points.h"

static void without_directory(char **names, size_t n)
{
	size_t i, skip = strlen(TM_DIR_POINTS);

	for (i = 0; i < n; i++)
		memmove(names[i], names[i] + skip, strlen(names[i]) - skip + 1);
}

int points_names(struct vault *v, const char *container, char ***ret,
		 size_t *ret_n, struct tm_error *err)
{
	int r = document_names_but(v, container, TM_DIR_POINTS,
				   TM_KIND_TOMBSTONE, ret, ret_n, err);

	if (!r)
		without_directory(*ret, *ret_n);
	return r;
}

int points_names_all(struct vault *v, const char *container, char ***ret,
		     size_t *ret_n, struct tm_error *err)
{
	int r = document_names(v, container, TM_DIR_POINTS, ret, ret_n, err);

	if (!r)
		without_directory(*ret, *ret_n);
	return r;
}

int points_read(struct vault *v, const char *container, const char *name,
		struct tm_point *ret, struct tm_error *err)
{
	char path[TM_PATH_SIZE];
	size_t len;
	char *text;
	int r;

	tm_path_point(path, name);
	r = document_get(v, container, path, &text, &len, err);
	if (r)
		return r;
	r = tm_point_parse(text, len, name, ret, err);
	free(text);
	return r;
}

int points_newest_with(struct vault *v, const char *container,
		       char *const *names, size_t n, const char *disk,
		       struct tm_point *ret, struct tm_error *err)
{
	struct tm_point point;
	int r;

	while (n--) {
		r = points_read(v, container, names[n], &point, err);
		if (r)
			return r;
		if (!point.tombstone &&
		    (!disk || tm_point_find_disk(&point, disk))) {
			*ret = point;
			return 0;
		}
		tm_point_done(&point);
	}
	memset(ret, 0, sizeof(*ret));
	return 0;
}

int points_newest(struct vault *v, const char *container, char *const *names,
		  size_t n, struct tm_point *ret, struct tm_error *err)
{
	return points_newest_with(v, container, names, n, NULL, ret, err);
}

/* The newest that is neither a tombstone nor to be deleted. */
static int latest(struct vault *v, const char *container,
		  const struct tm_id *id, char *const *names, size_t n,
		  struct tm_point *ret, struct tm_error *err)
{
	struct tm_mark mark;
	bool deleted;
	int r = 0;

	while (n && !r) {
		r = points_newest(v, container, names, n, ret, err);
		if (r || !*ret->name)
			break;
		r = mark_look(v, id, ret->name, &mark, err);
		deleted = !r && mark.deleted;
		if (!r)
			tm_mark_done(&mark);
		if (!r && !deleted)
			break;
		while (n && strcmp(names[n - 1], ret->name) >= 0)
			n--;
		tm_point_done(ret);
	}
	return r;
}

static int none(const char *which, struct tm_error *err)
{
	tm_error_set(err, -ENOENT, TM_EXIT_NOT_FOUND, which,
		     "cannot find recovery point '%s'", which);
	tm_error_action(err, "see 'tidemark points'");
	return -ENOENT;
}

static int several(const char *which, struct tm_error *err)
{
	tm_error_set(err, -ENOTUNIQ, TM_EXIT_NOT_FOUND, which,
		     "cannot tell which recovery point '%s' is: several begin so",
		     which);
	tm_error_action(err, "see 'tidemark points'");
	return -ENOTUNIQ;
}

/* Index of the only name that begins with @which; or -ENOENT, -ENOTUNIQ. */
static ssize_t match(char *const *names, size_t n, const char *which)
{
	ssize_t found = -ENOENT;
	size_t i;

	for (i = 0; i < n; i++) {
		if (!strcmp(names[i], which))
			return i;
		if (strncmp(names[i], which, strlen(which)))
			continue;
		if (found >= 0)
			return -ENOTUNIQ;
		found = i;
	}
	return found;
}

int points_find(struct vault *v, const char *container, const struct tm_id *id,
		const char *which, struct tm_point *ret, struct tm_error *err)
{
	struct tm_point point = { 0 };
	char **names;
	size_t n;
	ssize_t i;
	int r;

	r = points_names(v, container, &names, &n, err);
	if (r)
		return r;
	if (!strcmp(which, "latest")) {
		r = latest(v, container, id, names, n, &point, err);
	} else {
		i = match(names, n, which);
		if (i == -ENOTUNIQ)
			r = several(which, err);
		else if (i >= 0)
			r = points_read(v, container, names[i], &point, err);
	}
	document_names_free(names, n);
	if (r)
		return r;
	if (!*point.name || point.tombstone) {
		tm_point_done(&point);
		return none(which, err);
	}
	*ret = point;
	return 0;
}
