// SPDX-License-Identifier: MIT
/*
 * sink_device.c - a disk that is written in place: a block device, an image
 *
 * A device is made of areas, as the kernel has it: what dm-tidemark tracks is
 * written through its mapping, so that the changes are seen; beneath it they
 * would not be. All of it is opened as ours alone before any of it is written.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "engine/beneath.h"
#include "engine/layout.h"
#include "engine/sinkdisk.h"
#include "port/blkdev.h"
#include "port/dm.h"

struct area {
	uint64_t start, len;	/* bytes of the disk */
	struct diskout *out;	/* of its own */
	char device[TM_DEVICE_SIZE];	/* the mapping that tracks it */
};

struct sink_place {
	struct sink sink;
	struct sink_place_options how;
	char path[BLKDEV_PATH_SIZE];
	bool image;
	struct diskout *whole;	/* what lies in no area; NULL: all does */
	struct area *areas;
	size_t n;
	int *held;		/* partitions that are to stay unused */
	size_t n_held;
};

static struct sink_place *place_of(struct sink *s)
{
	return (struct sink_place *)s;
}

int sink_disk_failed(const struct sink *s, int r, const char *what,
		     struct tm_error *err)
{
	enum tm_exit code = TM_EXIT_DEVICE;

	if (r == -ENOSPC || r == -EFBIG)
		code = TM_EXIT_LIMIT;
	else if (r == -EEXIST)
		code = TM_EXIT_REFUSED;
	else if (r == -EBUSY)
		code = TM_EXIT_BUSY;
	else if (r == -EACCES || r == -EPERM)
		code = TM_EXIT_PERMISSION;
	return tm_error_set(err, r, code, s->name, "cannot %s '%s': %s", what,
			    s->name, r == -EBUSY ? "it is mounted or in use" :
			    strerror(-r));
}

static int open_area(struct sink_place *p, const struct tm_segment *seg)
{
	struct area *a = &p->areas[p->n];
	char node[TRACKED_NODE_SIZE];
	int r;

	*a = (struct area){ .start = seg->start, .len = seg->len };
	snprintf(a->device, sizeof(a->device), "%s", seg->device);
	tracked_node(a->device, node);
	if (p->how.look || p->how.in_use)
		r = diskout_open_shared(node, seg->len, p->how.look, &a->out);
	else
		r = diskout_open_device(node, seg->len, &a->out);
	if (!r)
		p->n++;
	return r;
}

/* A partition that is not tracked must not be in use either. */
static int hold_partition(struct sink_place *p, dev_t dev)
{
	struct blkdev part;
	char node[BLKDEV_PATH_SIZE];
	int fd, r;

	r = blkdev_by_dev(dev, &part);
	if (r)
		return r;
	for (size_t i = 0; i < p->n; i++)
		if (part.start == p->areas[i].start)
			return 0;	/* its mapping is held */
	snprintf(node, sizeof(node), "/dev/%s", part.name);
	fd = open(node, O_RDONLY | O_EXCL | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	p->held[p->n_held++] = fd;
	return 0;
}

static int hold_partitions(struct sink_place *p)
{
	struct blkdevs parts;
	struct blkdev disk;
	int r = blkdev_by_path(p->path, &disk);

	if (r)
		return r;
	r = blkdev_partitions(disk.dev, &parts);
	if (r)
		return r;
	p->held = calloc(parts.n + 1, sizeof(*p->held));
	if (!p->held)
		r = -ENOMEM;
	for (size_t i = 0; !r && i < parts.n; i++)
		r = hold_partition(p, parts.v[i]);
	blkdevs_done(&parts);
	return r;
}

static int open_areas(struct sink_place *p, const struct tm_segments *segs)
{
	bool scanned = false;
	int r = 0;

	p->areas = calloc(segs->n, sizeof(*p->areas));
	if (!p->areas)
		return -ENOMEM;
	for (size_t i = 0; !r && i < segs->n; i++) {
		if (segs->v[i].kind == TM_SEGMENT_TRACKED)
			r = open_area(p, &segs->v[i]);
		else
			scanned = true;
	}
	if (r || !scanned)
		return r;
	/* Where a mapping holds part of it, nobody can have all to himself. */
	if (p->how.look || p->how.in_use || p->n)
		r = diskout_open_shared(p->path, p->sink.size, p->how.look,
					&p->whole);
	else
		r = diskout_open_device(p->path, p->sink.size, &p->whole);
	if (!r && p->n && !p->how.look && !p->how.in_use)
		r = hold_partitions(p);
	return r;
}

/*
 * Where tracking is at work the kernel sees each write, but not that a disk has
 * become another one: the next backup is to read and compare all of it.
 */
static int distrust(struct sink_place *p, struct tm_error *err)
{
	int r = 0;

	for (size_t i = 0; !r && !p->how.keep_tracking && i < p->n; i++)
		r = tracked_mark_all(p->areas[i].device, err);
	return r;
}

static int too_small(const struct sink_place *p, uint64_t size,
		     struct tm_error *err)
{
	return tm_error_set(err, -ENOSPC, TM_EXIT_LIMIT, p->path,
			    "cannot restore to '%s': it has %llu bytes, and the disk has %llu",
			    p->path, (unsigned long long)size,
			    (unsigned long long)p->how.size);
}

static int begin_device(struct sink_place *p, struct tm_error *err)
{
	struct tm_segments segs = TM_SEGMENTS_INIT;
	uint64_t size;
	int r = layout_find(p->path, &segs, &size, err);

	if (!r && size < p->sink.size)
		r = too_small(p, size, err);
	/* Before: metadata may lie where the device is to be ours alone. */
	if (!r && !p->how.look)
		r = beneath_forget(p->how.state, p->path, err);
	if (!r) {
		r = open_areas(p, &segs);
		if (r)
			sink_disk_failed(&p->sink, r, "write", err);
	}
	tm_segments_done(&segs);
	return r || p->how.look ? r : distrust(p, err);
}

static int place_begin(struct sink *s, struct tm_error *err)
{
	struct sink_place *p = place_of(s);
	int r;

	if (!p->image)
		return begin_device(p, err);
	if (p->how.look)
		r = diskout_open_shared(p->path, s->size, true, &p->whole);
	else
		r = diskout_open_file(p->path, s->size, &p->whole);
	return r ? sink_disk_failed(s, r, "write", err) : 0;
}

/* Where the range begins; *@len is cut to what of it lies there. */
static struct diskout *find(struct sink_place *p, uint64_t *off, uint64_t *len)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct area *a = &p->areas[i];

		if (*off < a->start) {
			if (*len > a->start - *off)
				*len = a->start - *off;
			return p->whole;
		}
		if (*off - a->start >= a->len)
			continue;
		*off -= a->start;
		if (*len > a->len - *off)
			*len = a->len - *off;
		return a->out;
	}
	return p->whole;
}

static int place_write(struct sink *s, uint64_t off, const void *data,
		       uint64_t len, struct tm_error *err)
{
	const char *from = data;
	int r = 0;

	while (len && !r) {
		uint64_t at = off, n = len;
		struct diskout *out = find(place_of(s), &at, &n);

		r = diskout_write(out, at, from, n);
		from += n;
		off += n;
		len -= n;
	}
	return r ? sink_disk_failed(s, r, "write", err) : 0;
}

static int place_zero(struct sink *s, uint64_t off, uint64_t len,
		      struct tm_error *err)
{
	int r = 0;

	while (len && !r) {
		uint64_t at = off, n = len;
		struct diskout *out = find(place_of(s), &at, &n);

		r = diskout_zero(out, at, n);
		off += n;
		len -= n;
	}
	return r ? sink_disk_failed(s, r, "write", err) : 0;
}

static int place_read(struct sink *s, uint64_t off, void *data, uint64_t len,
		      struct tm_error *err)
{
	char *to = data;
	int r = 0;

	while (len && !r) {
		uint64_t at = off, n = len;
		struct diskout *out = find(place_of(s), &at, &n);

		r = diskout_read(out, at, to, n);
		to += n;
		off += n;
		len -= n;
	}
	return r ? sink_disk_failed(s, r, "read", err) : 0;
}

static int place_finish(struct sink *s, struct tm_error *err)
{
	struct sink_place *p = place_of(s);
	int r = 0;

	for (size_t i = 0; !r && i < p->n; i++)
		r = diskout_finish(p->areas[i].out);
	if (!r && p->whole)
		r = diskout_finish(p->whole);
	return r ? sink_disk_failed(s, r, "write", err) : 0;
}

static void place_free(struct sink *s)
{
	struct sink_place *p = place_of(s);

	while (p->n_held)
		close(p->held[--p->n_held]);
	while (p->n)
		diskout_free(p->areas[--p->n].out);
	diskout_free(p->whole);
	free(p->held);
	free(p->areas);
	free(p);
}

static const struct sink_ops place_ops = {
	.begin = place_begin,
	.write = place_write,
	.zero = place_zero,
	.read = place_read,
	.finish = place_finish,
	.free = place_free,
};

static int new_place(const char *path, const struct sink_place_options *how,
		     struct sink_place **ret, struct tm_error *err)
{
	struct sink_place *p;

	if (strlen(path) >= sizeof(p->path))
		return tm_error_set(err, -ENAMETOOLONG, TM_EXIT_USAGE, path,
				    "cannot restore to '%s': its name is too long",
				    path);
	p = calloc(1, sizeof(*p));
	if (!p)
		return tm_error_set(err, -ENOMEM, TM_EXIT_FAILED, path,
				    "cannot restore to '%s': out of memory",
				    path);
	p->sink.ops = &place_ops;
	p->sink.size = how->size;
	p->how = *how;
	strcpy(p->path, path);
	strcpy(p->sink.name, path);
	*ret = p;
	return 0;
}

int sink_device_new(const char *path, const struct sink_place_options *how,
		    struct sink **ret, struct tm_error *err)
{
	struct sink_place *p;
	struct blkdev dev;
	char content[32] = "";
	int r = blkdev_by_path(path, &dev);

	if (r)
		return tm_error_set(err, r, TM_EXIT_DEVICE, path,
				    "cannot restore to '%s': %s", path,
				    strerror(-r));
	r = new_place(path, how, &p, err);
	if (r)
		return r;
	if (dev.size < how->size) {
		if (!how->smaller) {
			r = too_small(p, dev.size, err);
			sink_free(&p->sink);
			return r;
		}
		p->sink.size = dev.size;
	}
	blkdev_content(path, content);
	snprintf(p->sink.there, sizeof(p->sink.there),
		 "'%s' (%llu MiB, %s) is there already: everything in it would be lost.",
		 path, (unsigned long long)(dev.size >> 20), *content ?
		 content : "nothing known on it");
	*ret = &p->sink;
	return 0;
}

int sink_image_new(const char *path, const struct sink_place_options *how,
		   struct sink **ret, struct tm_error *err)
{
	struct sink_place *p;
	int r = new_place(path, how, &p, err);

	if (r)
		return r;
	p->image = true;
	*ret = &p->sink;
	return 0;
}

void sink_free(struct sink *s)
{
	if (s)
		s->ops->free(s);
}
