// SPDX-License-Identifier: MIT
/* tracked_read.c - a tracked disk's data: as it was at its cut, or as it is */

#include <errno.h>
#include <string.h>

#include "engine/tracked.h"

static struct part *part_of(struct tracked *t, const struct tm_segment *seg)
{
	for (size_t i = 0; i < t->n_parts; i++)
		if (t->parts[i].seg == seg)
			return &t->parts[i];
	return NULL;
}

/* Reads into memory that need not be aligned. */
static int read_bytes(struct disk *disk, uint64_t off, void *to, uint32_t len)
{
	void *buf;
	int r;

	if (!((uintptr_t)to % DISK_ALIGN))
		return disk_read_one(disk, off, to, len);
	buf = disk_buffer_new(len);
	if (!buf)
		return -ENOMEM;
	r = disk_read_one(disk, off, buf, len);
	if (!r)
		memcpy(to, buf, len);
	disk_buffer_free(buf);
	return r;
}

/* A range in one chunk, and in @seg. */
static int read_scanned(struct tracked *t, uint64_t off, void *to, uint32_t len)
{
	int r = read_bytes(t->disk, off, to, len);

	return r ? r : scanned_compare(t->scanned, off, to, len);
}

/*
 * The part of [@off, @off + @len) that begins at @off and can be read in one
 * go; its length in *@ret_len. Past the disk's end all is zero.
 */
static int read_piece(struct tracked *t, uint64_t off, void *to, uint32_t len,
		      uint32_t *ret_len)
{
	const struct tm_segment *seg = tm_segments_find(&t->segs, off);
	uint32_t chunk = t->source.chunk_size;
	uint64_t left;

	if (!seg) {
		memset(to, 0, len);
		*ret_len = len;
		return 0;
	}
	left = seg->start + seg->len - off;
	if (seg->kind == TM_SEGMENT_SCAN && left > chunk - off % chunk)
		left = chunk - off % chunk;
	if (len > left)
		len = left;
	*ret_len = len;
	if (t->live)
		return read_bytes(t->disk, off, to, len);
	if (seg->kind == TM_SEGMENT_SCAN)
		return read_scanned(t, off, to, len);
	return read_bytes(part_of(t, seg)->disk, off - seg->start, to, len);
}

/* The usual case: a snapshot holds all of it, or the disk is read itself. */
bool tracked_place(struct source *s, uint64_t off, uint32_t len,
		   struct disk **ret_disk, uint64_t *ret_off)
{
	struct tracked *t = tracked_of(s);
	const struct tm_segment *seg = tm_segments_find(&t->segs, off);

	if (!seg || seg->kind != TM_SEGMENT_TRACKED ||
	    off + len > seg->start + seg->len)
		return false;
	*ret_disk = t->live ? t->disk : part_of(t, seg)->disk;
	*ret_off = t->live ? off : off - seg->start;
	return true;
}

int tracked_read(struct source *s, uint64_t off, uint32_t len, void *buf,
		 struct tm_error *err)
{
	struct tracked *t = tracked_of(s);
	uint32_t done = 0, n = 0;
	int r = 0;

	for (; !r && done < len; done += n)
		r = read_piece(t, off + done, (char *)buf + done, len - done,
			       &n);
	return r ? tracked_read_failed(t, r, err) : 0;
}

int tracked_sample(struct source *s, uint64_t chunk, void *buf,
		   bool *ret_counts, struct tm_error *err)
{
	struct tracked *t = tracked_of(s);
	uint64_t off = chunk * s->chunk_size, len = s->chunk_size;
	const struct tm_segment *seg = tm_segments_find(&t->segs, off);
	bool marked;
	int r;

	if (!seg || seg->kind != TM_SEGMENT_TRACKED)
		goto no_count;
	if (len > t->size - off)
		len = t->size - off;
	if (len > seg->start + seg->len - off)
		goto no_count;
	memset(buf, 0, s->chunk_size);
	r = disk_read_one(t->disk, off, buf, len);
	if (r)
		return tm_error_set(err, r, TM_EXIT_DEVICE, t->path,
				    "cannot read disk '%s': %s", t->path,
				    strerror(-r));
	r = part_marked(part_of(t, seg), off, len, &marked, err);
	if (!r)
		*ret_counts = !marked;
	return r;
no_count:
	*ret_counts = false;
	return 0;
}
