// SPDX-License-Identifier: MIT
#include "port/fsfreeze.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/fs.h>

#include "port/blkdev.h"
#include "port/mounts.h"

void fsfreeze_done(struct fsfreeze_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		free(list->v[i].path);
		close(list->v[i].fd);
	}
	free(list->v);
	*list = (struct fsfreeze_list){ .v = NULL };
}

/* 1 if I/O to @device reaches any of @devs, 0 if none, or -errno. */
static int reaches(dev_t device, const dev_t *devs, size_t n)
{
	struct blkdevs below;
	int r = blkdev_below(device, &below);

	if (r)
		return r;
	for (size_t i = 0; !r && i < n; i++)
		r = blkdevs_has(&below, devs[i]);
	blkdevs_done(&below);
	return r;
}

static int add(struct fsfreeze_list *list, const struct mount_entry *m)
{
	struct fsfreeze_fs fs = { .dev = m->dev, .fd = -1 }, *v;
	struct stat st;
	int r = blkdev_depth(m->device, &fs.depth);

	if (r)
		return r;
	v = realloc(list->v, (list->n + 1) * sizeof(*v));
	if (!v)
		return -ENOMEM;
	list->v = v;
	fs.path = strdup(m->path);
	if (!fs.path)
		return -ENOMEM;
	fs.fd = open(m->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fs.fd >= 0 && !fstat(fs.fd, &st) && st.st_dev == m->dev) {
		v[list->n++] = fs;
		return 0;
	}
	/* Covered by another mount: it cannot be reached, so not frozen. */
	if (fs.fd >= 0)
		close(fs.fd);
	free(fs.path);
	return 0;
}

static int upper_first(const void *a, const void *b)
{
	const struct fsfreeze_fs *x = a, *y = b;

	return (x->depth < y->depth) - (x->depth > y->depth);
}

static bool listed(const struct fsfreeze_list *list, dev_t dev)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->v[i].dev == dev)
			return true;
	return false;
}

/* Is @m one to freeze? 1, 0 or -errno. */
static int concerns(const struct mount_entry *m, const dev_t *devs, size_t n)
{
	return m->device && !m->read_only ? reaches(m->device, devs, n) : 0;
}

/* Filesystems of which every mount lies under another. */
static int count_hidden(struct fsfreeze_list *list,
			const struct mount_list *mounts, const dev_t *devs,
			size_t n)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < mounts->n; i++) {
		const struct mount_entry *m = &mounts->v[i];
		size_t before = 0;

		while (mounts->v[before].dev != m->dev)
			before++;
		if (before < i || listed(list, m->dev))
			continue;
		r = concerns(m, devs, n);
		list->hidden += r == 1;
	}
	return r;
}

int fsfreeze_find(const dev_t *devs, size_t n, struct fsfreeze_list *ret)
{
	struct fsfreeze_list list = { .v = NULL };
	struct mount_list mounts;
	int r = mounts_read(&mounts);

	if (r)
		return r;
	for (size_t i = 0; r >= 0 && i < mounts.n; i++) {
		if (listed(&list, mounts.v[i].dev))
			continue;
		r = concerns(&mounts.v[i], devs, n);
		if (r == 1)
			r = add(&list, &mounts.v[i]);
	}
	if (r >= 0)
		r = count_hidden(&list, &mounts, devs, n);
	mounts_done(&mounts);
	if (r < 0) {
		fsfreeze_done(&list);
		return r;
	}
	if (list.n)
		qsort(list.v, list.n, sizeof(*list.v), upper_first);
	*ret = list;
	return 0;
}

int fsfreeze_sync(int fd)
{
	return syncfs(fd) < 0 ? -errno : 0;
}

int fsfreeze_freeze(int fd)
{
	return ioctl(fd, FIFREEZE, 0) < 0 ? -errno : 0;
}

int fsfreeze_thaw(int fd)
{
	return ioctl(fd, FITHAW, 0) < 0 ? -errno : 0;
}
