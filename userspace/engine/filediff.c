// SPDX-License-Identifier: MIT
/* filediff.c - what has changed in the filesystems of two mounted points */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "engine/filediff.h"
#include "port/blkdev.h"
#include "port/treediff.h"

/*
 * Filesystems whose inodes have numbers that stay. On some of them all that
 * they hold lies on their partition, and number and birth name a file; a
 * snapshot of btrfs has them from what it is one of, and btrfs may lie on
 * several devices.
 */
static const struct family {
	const char *type;
	bool apart;
} families[] = {
	{ "ext2", true }, { "ext3", true }, { "ext4", true }, { "xfs", true },
	{ "f2fs", false }, { "btrfs", false },
};

static const struct family *family_of(const char *type)
{
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		if (!strcmp(families[i].type, type))
			return &families[i];
	return NULL;
}

static int no_memory(const char *what, struct tm_error *err)
{
	return tm_error_set(err, -ENOMEM, TM_EXIT_FAILED, what,
			    "cannot compare '%s': out of memory", what);
}

static int compare_disk(struct vault *v, const char *container,
			const struct tm_point_disk *a,
			const struct tm_point_disk *b,
			struct filediff_disk *ret, struct tm_error *err)
{
	struct diff diff;
	int r;

	*ret = (struct filediff_disk){ .name = b->name };
	ret->all = a->chunk_size != b->chunk_size || !diff_comparable(a, b);
	if (ret->all)
		return 0;
	r = diff_disk(v, container, a, b, &diff, err);
	if (!r)
		ret->bytes = diff.bytes;
	return r;
}

int filediff_disks(struct vault *v, const char *container,
		   const struct tm_point *from, const struct tm_point *to,
		   const char *only, struct filediff_disks *ret,
		   struct tm_error *err)
{
	int r = 0;

	*ret = (struct filediff_disks){
		.v = calloc(to->n_disks + 1, sizeof(*ret->v)),
	};
	if (!ret->v)
		return no_memory(to->name, err);
	for (size_t i = 0; i < to->n_disks && !r; i++) {
		const struct tm_point_disk *b = &to->disks[i];
		const struct tm_point_disk *a = tm_point_find_disk(from,
								   b->name);
		struct filediff_disk *d = &ret->v[ret->n];

		if (!a || (only && strcmp(b->name, only)))
			continue;
		r = compare_disk(v, container, a, b, d, err);
		ret->n++;
		ret->differ |= d->all || d->bytes.n;
	}
	if (!only)
		ret->differ |= ret->n != to->n_disks || ret->n != from->n_disks;
	return r;
}

void filediff_disks_done(struct filediff_disks *d)
{
	for (size_t i = 0; i < d->n; i++)
		tm_extents_done(&d->v[i].bytes);
	free(d->v);
	*d = (struct filediff_disks){ .v = NULL };
}

static const char *name_of(const struct filediff_pair *p)
{
	return p->to ? p->to->name : p->from->name;
}

static int by_name(const void *x, const void *y)
{
	return strcmp(name_of(x), name_of(y));
}

static const struct mounted_tree *find_tree(const struct mounted *m,
					    const char *name)
{
	for (size_t i = 0; i < m->n_trees; i++)
		if (!strcmp(m->trees[i].name, name))
			return &m->trees[i];
	return NULL;
}

int filediff_pairs(const struct mounted *from, const struct mounted *to,
		   struct filediff_pair **ret, size_t *ret_n,
		   struct tm_error *err)
{
	struct filediff_pair *v = calloc(from->n_trees + to->n_trees + 1,
					 sizeof(*v));
	size_t n = 0, i;

	if (!v)
		return no_memory(to->point, err);
	for (i = 0; i < to->n_trees; i++)
		v[n++] = (struct filediff_pair){
			.from = find_tree(from, to->trees[i].name),
			.to = &to->trees[i],
		};
	for (i = 0; i < from->n_trees; i++)
		if (!find_tree(to, from->trees[i].name))
			v[n++].from = &from->trees[i];
	qsort(v, n, sizeof(*v), by_name);
	*ret = v;
	*ret_n = n;
	return 0;
}

/* A filesystem right on a disk, or on a partition of it: which bytes. */
static const char *place_of(const struct mounted *m,
			    const struct mounted_tree *t, struct blkdev *ret)
{
	struct blkdev disk;

	if (blkdev_by_path(t->node, ret))
		return NULL;
	for (size_t i = 0; i < m->n_disks; i++)
		if (!blkdev_by_path(m->disks[i].node, &disk) &&
		    disk.dev == ret->disk)
			return m->disks[i].name;
	return NULL;
}

/* By the tables, which were taken before anything wrote to the overlays. */
static bool is_untouched(const struct mounted *from, const struct mounted *to,
			 const struct filediff_pair *p,
			 const struct filediff_disks *disks)
{
	const struct family *family = family_of(p->to->type);
	struct blkdev a, b;
	const char *disk = place_of(from, p->from, &a);
	const char *same = place_of(to, p->to, &b);

	if (!family || !family->apart || !disk || !same ||
	    strcmp(disk, same) || a.start != b.start || a.size != b.size)
		return false;
	for (size_t i = 0; i < disks->n; i++)
		if (!strcmp(disks->v[i].name, disk))
			return !disks->v[i].all &&
				!tm_extents_overlaps(&disks->v[i].bytes,
						     b.start, b.size);
	return false;
}

struct comparison {
	const char *name;
	const struct report *report;
	struct tm_file_changes *changes;
	struct tm_error *err;
};

static int note(void *arg, enum tm_file_change_kind kind, const char *path,
		unsigned int differs, const struct tm_file *file)
{
	const struct comparison *c = arg;

	return tm_file_changes_add(c->changes, kind, path, differs, file);
}

static int go_on(void *arg)
{
	const struct comparison *c = arg;

	return report_cancelled(c->report, c->err);
}

static int open_tree(const struct mounted *m, const struct mounted_tree *t,
		     int *ret, struct tm_error *err)
{
	char path[PATH_MAX];
	int r = snprintf(path, sizeof(path), "%s/%s", m->dir, t->name);

	*ret = r < PATH_MAX ? open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
				   O_CLOEXEC) : -1;
	r = r < PATH_MAX ? -errno : -ENAMETOOLONG;
	return *ret >= 0 ? 0 :
		tm_error_set(err, r, tm_exit_from_errno(r), path,
			     "cannot open '%s': %s", path, strerror(-r));
}

static int compare(struct comparison *c, int from, int to, const char *type)
{
	const struct treediff_calls calls = {
		.found = note, .step = go_on, .arg = c,
	};
	const struct family *family = family_of(type);
	char *where = NULL;
	int r = treediff(from, to, family, &calls, &where);

	if (!r && family && family->apart)
		r = tm_file_changes_pair(c->changes);
	if (r && r != -ECANCELED)
		tm_error_set(c->err, r, r == -ENOMEM ? TM_EXIT_FAILED :
			     TM_EXIT_DEVICE, c->name,
			     "cannot compare filesystem '%s' at '%s': %s",
			     c->name, where ? where : "", strerror(-r));
	free(where);
	return r;
}

int filediff_tree(const struct mounted *from, const struct mounted *to,
		  const struct filediff_pair *pair,
		  const struct filediff_disks *disks, const struct report *rep,
		  struct tm_file_changes *ret, bool *ret_looked,
		  struct tm_error *err)
{
	struct comparison c = {
		.name = pair->to->name, .report = rep, .changes = ret,
		.err = err,
	};
	int a, b, r;

	*ret = (struct tm_file_changes)TM_FILE_CHANGES_INIT;
	*ret_looked = !is_untouched(from, to, pair, disks);
	if (!*ret_looked)
		return 0;
	report_stage(rep, "compare", c.name);
	r = open_tree(from, pair->from, &a, err);
	if (r)
		return r;
	r = open_tree(to, pair->to, &b, err);
	if (!r) {
		r = compare(&c, a, b, pair->to->type);
		close(b);
	}
	close(a);
	return r;
}
