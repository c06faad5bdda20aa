// SPDX-License-Identifier: MIT
/* claims.c - which snapshots the points of a machine name */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "engine/claims.h"
#include "engine/document.h"
#include "engine/points.h"

struct claim {
	struct runsnap snap;
	char point[TM_RUN_NAME_SIZE];
};

void claims_done(struct claims *c)
{
	free(c->v);
	memset(c, 0, sizeof(*c));
}

static int compare(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;
	int r = strcmp(x->snap.time, y->snap.time);

	return r ? r : strcmp(x->snap.name, y->snap.name);
}

static int add(struct claims *c, const struct tm_point *point)
{
	struct claim *grown;
	size_t i;

	grown = reallocarray(c->v, c->n + 2 * point->n_disks, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	c->v = grown;
	memset(grown + c->n, 0, 2 * point->n_disks * sizeof(*grown));
	for (i = 0; i < point->n_disks; i++) {
		const struct tm_point_disk *d = &point->disks[i];
		struct claim *vhd = &grown[c->n++], *hash = &grown[c->n++];

		tm_path_disk(vhd->snap.name, d->name, TM_DISK_VHD);
		tm_path_disk(hash->snap.name, d->name, TM_DISK_HASH);
		strcpy(vhd->snap.time, d->vhd_snapshot);
		strcpy(hash->snap.time, d->hash_snapshot);
		strcpy(vhd->point, point->name);
		strcpy(hash->point, point->name);
	}
	return 0;
}

static int load(struct claims *c, struct vault *v, const char *container,
		struct tm_error *err)
{
	struct tm_point point;
	char **names;
	size_t n, i;
	int r = points_names(v, container, &names, &n, err);

	if (r)
		return r;
	for (i = 0; i < n && !r; i++) {
		r = report_cancelled(v->report, err);
		if (!r)
			r = points_read(v, container, names[i], &point, err);
		if (r)
			break;
		if (!point.tombstone && add(c, &point))
			r = tm_error_set(err, -ENOMEM, TM_EXIT_FAILED, NULL,
					 "cannot tell which snapshots are in use: out of memory");
		tm_point_done(&point);
	}
	document_names_free(names, n);
	if (r)
		return r;
	if (c->n)
		qsort(c->v, c->n, sizeof(*c->v), compare);
	c->known = true;
	return 0;
}

int claims_ask(struct claims *c, struct vault *v, const char *container,
	       const struct runsnap *s, const char *run, bool *ret,
	       struct tm_error *err)
{
	const struct claim want = { .snap = *s };
	const struct claim *at, *end;
	int r = 0;

	if (!c->known)
		r = load(c, v, container, err);
	if (r) {
		claims_done(c);
		return r;
	}
	*ret = false;
	at = c->n ? bsearch(&want, c->v, c->n, sizeof(*c->v), compare) : NULL;
	if (!at)
		return 0;
	/* Two points that name one are a forger's; yet neither is to suffer. */
	for (end = c->v + c->n; at > c->v && !compare(&at[-1], &want); at--)
		;
	for (; at < end && !compare(at, &want) && !*ret; at++)
		*ret = strcmp(at->point, run);
	return 0;
}
