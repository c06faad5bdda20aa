// SPDX-License-Identifier: MIT
#include "engine/layout.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "port/blkdev.h"
#include "port/dm.h"

static int fail(struct tm_error *err, int r, const char *path)
{
	return tm_error_set(err, r, TM_EXIT_DEVICE, path,
			    "cannot find out how '%s' is made up: %s", path,
			    strerror(-r));
}

/* A disk that has gone is told as where it is first looked for. */
static int not_there(struct tm_error *err, int r, const char *path)
{
	if (r != -ENOENT)
		return fail(err, r, path);
	return tm_error_set(err, r, TM_EXIT_NOT_FOUND, path,
			    "cannot open disk '%s': %s", path, strerror(-r));
}

static int append(struct tm_segments *to, const char *path, uint64_t start,
		  uint64_t len, const char *tracked, struct tm_error *err)
{
	struct tm_segment seg = {
		.start = start, .len = len,
		.kind = tracked ? TM_SEGMENT_TRACKED : TM_SEGMENT_SCAN,
		.offset = tracked ? 0 : start,
	};
	int r;

	if (!len)
		return 0;
	if (strlen(path) >= sizeof(seg.device))
		return fail(err, -ENAMETOOLONG, path);
	strcpy(seg.device, tracked ? tracked : path);
	r = tm_segments_append(to, &seg);
	return r ? fail(err, r, path) : 0;
}

/* Asks device-mapper only about its own: it need not be there otherwise. */
static int is_tracked(dev_t dev, bool *ret, char ret_name[128],
		      struct tm_error *err)
{
	struct blkdev b;

	*ret = false;
	if (blkdev_by_dev(dev, &b) || strncmp(b.name, "dm-", 3))
		return 0;
	return tracked_is_dev(dev, ret, ret_name, err);
}

/* The tracked device whose origin is @dev; "" if there is none. */
static int tracker_of(dev_t dev, char ret_name[128], uint64_t *ret_len,
		      struct tm_error *err)
{
	struct tracked_table table;
	struct blkdevs holders;
	bool is = false;
	int r = blkdev_holders(dev, &holders);

	if (r)
		return tm_error_set(err, r, TM_EXIT_DEVICE, NULL,
				    "cannot find what uses a device: %s",
				    strerror(-r));
	for (size_t i = 0; !r && !is && i < holders.n; i++) {
		r = is_tracked(holders.v[i], &is, ret_name, err);
		if (!r && is)
			r = tracked_table(ret_name, &table, err);
		/* It may hold @dev for its metadata. */
		if (!r && is && table.origin != dev)
			is = false;
	}
	blkdevs_done(&holders);
	if (!r && is)
		*ret_len = table.sectors * 512;
	else
		ret_name[0] = '\0';
	return r;
}

static int by_start(const void *a, const void *b)
{
	const struct blkdev *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

static int partitions_of(dev_t disk, struct blkdev **ret, size_t *ret_n)
{
	struct blkdevs set;
	struct blkdev *v;
	int r = blkdev_partitions(disk, &set);

	if (r)
		return r;
	v = calloc(set.n + 1, sizeof(*v));
	if (!v)
		r = -ENOMEM;
	for (size_t i = 0; !r && i < set.n; i++)
		r = blkdev_by_dev(set.v[i], &v[i]);
	if (r) {
		free(v);
	} else {
		qsort(v, set.n, sizeof(*v), by_start);
		*ret = v;
		*ret_n = set.n;
	}
	blkdevs_done(&set);
	return r;
}

static int add_partitions(struct tm_segments *to, const char *path,
			  const struct blkdev *disk, struct tm_error *err)
{
	uint64_t at = 0, len = 0;
	struct blkdev *parts;
	char name[128];
	size_t n;
	int r = partitions_of(disk->dev, &parts, &n);

	if (r)
		return fail(err, r, path);
	for (size_t i = 0; !r && i < n; i++) {
		/* A logical partition lies inside an extended one. */
		if (parts[i].start < at)
			continue;
		r = tracker_of(parts[i].dev, name, &len, err);
		if (r || !name[0])
			continue;
		if (len > parts[i].size)
			len = parts[i].size;
		r = append(to, path, at, parts[i].start - at, NULL, err);
		if (!r)
			r = append(to, path, parts[i].start, len, name, err);
		at = parts[i].start + len;
	}
	if (!r)
		r = append(to, path, at, disk->size - at, NULL, err);
	free(parts);
	return r;
}

static int add_device(struct tm_segments *to, const char *path,
		      const struct blkdev *dev, struct tm_error *err)
{
	char name[128] = "";
	uint64_t len = 0;
	bool is;
	int r = is_tracked(dev->dev, &is, name, err);

	if (r)
		return r;
	if (is)
		return append(to, path, 0, dev->size, name, err);
	r = tracker_of(dev->dev, name, &len, err);
	if (r)
		return r;
	if (!name[0])
		return add_partitions(to, path, dev, err);
	if (len > dev->size)
		len = dev->size;
	r = append(to, path, 0, len, name, err);
	return r ? r : append(to, path, len, dev->size - len, NULL, err);
}

int layout_find(const char *path, struct tm_segments *ret, uint64_t *ret_size,
		struct tm_error *err)
{
	struct tm_segments found = TM_SEGMENTS_INIT;
	struct blkdev dev;
	struct stat st;
	uint64_t size;
	int r;

	if (stat(path, &st) < 0)
		return not_there(err, -errno, path);
	if (S_ISREG(st.st_mode)) {
		size = (st.st_size + 511ull) / 512 * 512;
		r = append(&found, path, 0, size, NULL, err);
	} else {
		r = blkdev_by_path(path, &dev);
		if (r)
			return fail(err, r, path);
		size = dev.size;
		r = add_device(&found, path, &dev, err);
	}
	if (r) {
		tm_segments_done(&found);
		return r;
	}
	tm_segments_done(ret);
	*ret = found;
	*ret_size = size;
	return 0;
}

int layout_tracked(const char *path, char ret_name[128], struct tm_error *err)
{
	struct blkdev dev;
	uint64_t len;
	bool is;
	int r = blkdev_by_path(path, &dev);

	if (r)
		return tm_error_set(err, r, tm_exit_from_errno(r), path,
				    "cannot use '%s': %s", path, strerror(-r));
	r = is_tracked(dev.dev, &is, ret_name, err);
	if (r || is)
		return r;
	r = tracker_of(dev.dev, ret_name, &len, err);
	if (r || ret_name[0])
		return r;
	return tm_error_set(err, -ENOENT, TM_EXIT_NOT_FOUND, path,
			    "cannot use '%s': it is not tracked", path);
}
