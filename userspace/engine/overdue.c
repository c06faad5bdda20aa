// SPDX-License-Identifier: MIT
/* overdue.c - which points are to be verified next (verify.h) */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "engine/check.h"
#include "engine/document.h"
#include "engine/mark.h"
#include "engine/points.h"
#include "engine/verify.h"

/* 0 in *@ret: it is none to verify. */
static int waits_since(struct vault *v, const char *container,
		       const struct tm_id *item, const char *name, bool sample,
		       int64_t *ret, struct tm_error *err)
{
	struct tm_point point;
	struct tm_check check;
	struct tm_mark mark;
	int r;

	r = points_read(v, container, name, &point, err);
	if (r)
		return r;
	*ret = point.tombstone ? 0 : point.time;
	tm_point_done(&point);
	if (!*ret)
		return 0;
	r = mark_look(v, item, name, &mark, err);
	if (r)
		return r;
	if (mark.deleted)
		*ret = 0;
	tm_mark_done(&mark);
	if (!*ret)
		return 0;
	r = check_read(v, container, name, &check, err);
	if (r == -EBADMSG) {	/* it says nothing, so it is as good as none */
		tm_error_clear(err);
		return 0;
	}
	if (r)
		return r;
	if ((sample ? check.time : check.whole) > *ret)
		*ret = sample ? check.time : check.whole;
	tm_check_done(&check);
	return 0;
}

static int by_since(const void *a, const void *b)
{
	const struct overdue *x = a, *y = b;

	if (x->since != y->since)
		return x->since < y->since ? -1 : 1;
	return strcmp(x->name, y->name);
}

int verify_overdue(struct vault *v, const char *container,
		   const struct tm_id *item, int64_t seconds, bool sample,
		   struct overdue **ret_v, size_t *ret_n,
		   struct tm_error *err)
{
	struct overdue *list;
	int64_t now, since;
	char **names;
	size_t n, i, due = 0;
	int r;

	r = points_names(v, container, &names, &n, err);
	if (r)
		return r;
	list = calloc(n + 1, sizeof(*list));
	if (!list)
		r = tm_error_set(err, -ENOMEM, TM_EXIT_FAILED, NULL,
				 "cannot list points: out of memory");
	if (!r)
		r = vault_time(v, &now, err);
	for (i = 0; i < n && !r; i++) {
		r = waits_since(v, container, item, names[i], sample, &since,
				err);
		if (r || !since || now - since < seconds)
			continue;
		strncpy(list[due].name, names[i], sizeof(list->name) - 1);
		list[due++].since = since;
	}
	document_names_free(names, n);
	if (r) {
		free(list);
		return r;
	}
	qsort(list, due, sizeof(*list), by_since);
	*ret_v = list;
	*ret_n = due;
	return 0;
}
