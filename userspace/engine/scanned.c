// SPDX-License-Identifier: MIT
#include "engine/scanned.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "port/blkdev.h"
#include "port/crypto.h"
#include "port/fsfreeze.h"
#include "port/mounts.h"

/* Above this a segment is read once only, and counts as torn. */
#define DIGEST_MAX	(UINT64_C(4) << 30)

struct digest {
	unsigned char b[CRYPTO_SHA256_SIZE];
};

struct part {
	const struct tm_segment *seg;	/* NULL where it is tracked */
	uint64_t first;			/* number of its first chunk */
	struct digest *digests;		/* of its chunks; NULL if too large */
	bool torn;
};

struct scanned {
	struct disk *disk;
	const char *path;
	uint32_t chunk_size;
	void *buf;			/* one chunk */
	size_t n;
	struct part parts[];		/* one for each segment of the disk */
};

void scanned_free(struct scanned *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n; i++)
		free(s->parts[i].digests);
	disk_buffer_free(s->buf);
	free(s);
}

static int no_memory(struct tm_error *err, const char *path)
{
	return tm_error_set(err, -ENOMEM, TM_EXIT_FAILED, path,
			    "cannot read the untracked parts of '%s': out of "
			    "memory", path);
}

static void flush_device(const struct blkdev *dev,
			 const struct mount_list *mounts)
{
	char node[80];
	int fd;

	for (size_t i = 0; i < mounts->n; i++) {
		if (mounts->v[i].device != dev->dev)
			continue;
		fd = open(mounts->v[i].path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		if (fd < 0)
			continue;
		fsfreeze_sync(fd);
		close(fd);
	}
	snprintf(node, sizeof(node), "/dev/%s", dev->name);
	fd = open(node, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	fsync(fd);
	close(fd);
}

/*
 * Best effort: what stays in a cache shows as a difference later. Filesystems
 * above tracked partitions are not touched; the cut is theirs.
 */
static void flush(const char *path, const struct tm_segments *segs)
{
	struct mount_list mounts;
	struct blkdevs set;
	struct blkdev disk, dev;

	if (blkdev_by_path(path, &disk) || mounts_read(&mounts))
		return;
	flush_device(&disk, &mounts);
	if (!blkdev_partitions(disk.dev, &set)) {
		for (size_t i = 0; i < set.n; i++) {
			const struct tm_segment *seg;

			if (blkdev_by_dev(set.v[i], &dev))
				continue;
			seg = tm_segments_find(segs, dev.start);
			if (seg && seg->kind == TM_SEGMENT_SCAN)
				flush_device(&dev, &mounts);
		}
		blkdevs_done(&set);
	}
	mounts_done(&mounts);
}

/* The bytes of chunk @chunk that lie in @seg. */
static void piece(const struct tm_segment *seg, uint64_t chunk,
		  uint32_t chunk_size, uint64_t *ret_off, uint32_t *ret_len)
{
	uint64_t from = chunk * chunk_size, to = from + chunk_size;

	if (from < seg->start)
		from = seg->start;
	if (to > seg->start + seg->len)
		to = seg->start + seg->len;
	*ret_off = from;
	*ret_len = to - from;
}

static uint64_t chunks_of(const struct part *p, uint32_t chunk_size)
{
	return (p->seg->start + p->seg->len - 1) / chunk_size - p->first + 1;
}

/* Digests chunk number @i of @p from the disk. */
static int digest(struct scanned *s, const struct part *p, uint64_t i,
		  struct digest *ret, struct tm_error *err)
{
	uint64_t off;
	uint32_t len;
	int r;

	piece(p->seg, p->first + i, s->chunk_size, &off, &len);
	r = disk_read_one(s->disk, off, s->buf, len);
	if (!r)
		r = crypto_sha256(s->buf, len, ret->b);
	if (r)
		return tm_error_set(err, r, TM_EXIT_DEVICE, s->path,
				    "cannot read disk '%s': %s", s->path,
				    strerror(-r));
	return 0;
}

static int digest_part(struct scanned *s, struct part *p, struct tm_error *err)
{
	uint64_t n;
	int r = 0;

	if (!p->seg)
		return 0;
	if (p->seg->len > DIGEST_MAX) {
		p->torn = true;
		return 0;
	}
	n = chunks_of(p, s->chunk_size);
	p->digests = calloc(n, sizeof(*p->digests));
	if (!p->digests)
		return no_memory(err, s->path);
	for (uint64_t i = 0; !r && i < n; i++)
		r = digest(s, p, i, &p->digests[i], err);
	return r;
}

int scanned_new(const char *path, struct disk *disk,
		const struct tm_segments *segs, uint32_t chunk_size,
		struct scanned **ret, struct tm_error *err)
{
	struct scanned *s;
	int r = 0;

	s = calloc(1, sizeof(*s) + segs->n * sizeof(s->parts[0]));
	if (!s)
		return no_memory(err, path);
	s->path = path;
	s->disk = disk;
	s->chunk_size = chunk_size;
	s->n = segs->n;
	s->buf = disk_buffer_new(chunk_size);
	if (!s->buf)
		r = no_memory(err, path);
	if (!r && tm_segments_any(segs, TM_SEGMENT_SCAN))
		flush(path, segs);
	for (size_t i = 0; !r && i < s->n; i++) {
		if (segs->v[i].kind != TM_SEGMENT_SCAN)
			continue;
		s->parts[i].seg = &segs->v[i];
		s->parts[i].first = segs->v[i].start / chunk_size;
		r = digest_part(s, &s->parts[i], err);
	}
	if (r)
		scanned_free(s);
	else
		*ret = s;
	return r;
}

int scanned_unchanged(struct scanned *s, bool *ret, struct tm_error *err)
{
	bool same = true;
	struct digest now;
	int r = 0;

	for (size_t i = 0; !r && i < s->n; i++) {
		const struct part *p = &s->parts[i];
		uint64_t n = p->digests ? chunks_of(p, s->chunk_size) : 0;

		for (uint64_t j = 0; !r && same && j < n; j++) {
			r = digest(s, p, j, &now, err);
			if (!r && memcmp(&now, &p->digests[j], sizeof(now)))
				same = false;
		}
	}
	if (!r)
		*ret = same;
	return r;
}

int scanned_compare(struct scanned *s, uint64_t off, const void *data,
		    uint32_t len)
{
	struct digest now;
	int r;

	for (size_t i = 0; i < s->n; i++) {
		struct part *p = &s->parts[i];

		if (!p->digests || off < p->seg->start ||
		    off - p->seg->start >= p->seg->len)
			continue;
		r = crypto_sha256(data, len, now.b);
		if (r)
			return r;
		if (memcmp(&now, &p->digests[off / s->chunk_size - p->first],
			   sizeof(now)))
			p->torn = true;
		return 0;
	}
	return 0;
}

bool scanned_torn(const struct scanned *s, size_t i)
{
	return i < s->n && s->parts[i].torn;
}
