// SPDX-License-Identifier: MIT
/*
 * source_scan.c - a disk of which nothing records the changes
 *
 * An image file or an untracked device: every chunk is read and compared with
 * the hash table. The disk is not held still; for a file, its size and times
 * before and after tell whether it changed meanwhile.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "engine/source.h"
#include "model/hashtable.h"
#include "model/vhd.h"
#include "port/disk.h"

struct scan {
	struct source source;
	struct disk *disk;
	char *path;
	struct stat at_cut;
};

static struct scan *scan_of(struct source *s)
{
	return (struct scan *)s;
}

static int scan_state(struct source *s, struct source_state *ret,
		      struct tm_error *err)
{
	struct scan *scan = scan_of(s);
	struct disk *fresh;
	int r;

	/* The size is that of now: the disk may have grown since it was opened. */
	r = disk_open(scan->path, &fresh);
	if (r)
		return tm_error_set(err, r, TM_EXIT_DEVICE, scan->path,
				    "cannot open disk '%s': %s", scan->path,
				    strerror(-r));
	disk_close(scan->disk);
	scan->disk = fresh;
	memset(ret, 0, sizeof(*ret));
	ret->size_bytes = disk_size(scan->disk);
	return 0;
}

static int scan_knows(struct source *s, const char *cut_id, bool *ret,
		      struct tm_error *err)
{
	(void)s;
	(void)cut_id;
	(void)err;
	*ret = false;
	return 0;
}

static int scan_mark(struct source *s, uint64_t start, uint64_t count,
		     struct tm_error *err)
{
	(void)s;
	(void)start;
	(void)count;
	(void)err;
	return 0;	/* all of it is read anyway */
}

static int scan_nothing(struct source *s, const char *cut_id,
			struct tm_error *err)
{
	(void)cut_id;
	(void)err;
	*s->cut_id = '\0';
	return 0;
}

static int scan_settle(struct source *s, const char *cut_id, bool committed,
		       struct tm_error *err)
{
	(void)committed;
	return scan_nothing(s, cut_id, err);
}

/* Notes the time of the cut. The run has planned for what it opened. */
static int check_opened(struct scan *scan, struct tm_error *err)
{
	struct stat then;
	struct disk *fresh;
	int r = disk_open(scan->path, &fresh);
	bool same;

	if (r)
		return tm_error_set(err, r, TM_EXIT_DEVICE, scan->path,
				    "cannot open disk '%s': %s", scan->path,
				    strerror(-r));
	same = !fstat(disk_fd(fresh), &scan->at_cut) &&
		!fstat(disk_fd(scan->disk), &then) &&
		scan->at_cut.st_dev == then.st_dev &&
		scan->at_cut.st_ino == then.st_ino &&
		disk_size(fresh) == disk_size(scan->disk);
	disk_close(fresh);
	if (same)
		return 0;
	tm_error_set(err, -ESTALE, TM_EXIT_DEVICE, scan->path,
		     "cannot cut disk '%s': it is another, or of another size, than when the run began",
		     scan->path);
	tm_error_action(err, "run it again");
	return -ESTALE;
}

static int scan_cut(struct source *const *group, unsigned int n,
		    const char *cut_id, const struct source_cut_options *how,
		    struct source_cut_report *ret, struct tm_error *err)
{
	unsigned int i;
	int r = 0;

	(void)cut_id;
	(void)how;
	(void)ret;
	for (i = 0; i < n && !r; i++)
		r = check_opened(scan_of(group[i]), err);
	return r;
}

static int scan_ship_set(struct source *s, struct tm_extents *ret_ship,
			 struct tm_extents *ret_scanned, struct tm_error *err)
{
	uint64_t chunks = tm_chunk_count(disk_size(scan_of(s)->disk),
					 s->chunk_size);
	int r;

	r = tm_extents_add(ret_ship, 0, chunks);
	if (!r)
		r = tm_extents_add(ret_scanned, 0, chunks);
	if (r)
		return tm_error_set(err, r, TM_EXIT_FAILED, s->name,
				    "cannot list chunks of '%s': %s", s->name,
				    strerror(-r));
	return 0;
}

static int scan_pending(struct source *s, const char *cut_id,
			struct source_pending *ret, struct tm_error *err)
{
	struct source_pending pending = { .knows = false };
	int r = scan_ship_set(s, &pending.ship, &pending.scanned, err);

	(void)cut_id;
	if (r)
		source_pending_done(&pending);
	else
		*ret = pending;
	return r;
}

static bool scan_place(struct source *s, uint64_t off, uint32_t len,
		       struct disk **ret_disk, uint64_t *ret_off)
{
	(void)len;
	*ret_disk = scan_of(s)->disk;
	*ret_off = off;
	return true;
}

static int scan_blame(struct source *s, int r, struct tm_error *err)
{
	return tm_error_set(err, r, TM_EXIT_DEVICE, scan_of(s)->path,
			    "cannot read disk '%s': %s", scan_of(s)->path,
			    strerror(-r));
}

static int scan_read(struct source *s, uint64_t off, uint32_t len, void *buf,
		     struct tm_error *err)
{
	int r = disk_read_one(scan_of(s)->disk, off, buf, len);

	return r ? scan_blame(s, r, err) : 0;
}

static int scan_sample(struct source *s, uint64_t chunk, void *buf,
		       bool *ret_counts, struct tm_error *err)
{
	(void)s;
	(void)chunk;
	(void)buf;
	(void)err;
	*ret_counts = false;	/* no chunk is outside the ship set */
	return 0;
}

static int scan_release(struct source *s, uint64_t start, uint64_t count,
			struct tm_error *err)
{
	return scan_mark(s, start, count, err);
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool scan_torn(const struct scan *scan)
{
	struct stat now;

	if (disk_is_device(scan->disk))
		return false;	/* a device node's times say nothing */
	if (stat(scan->path, &now))
		return true;
	return now.st_size != scan->at_cut.st_size ||
		now.st_ino != scan->at_cut.st_ino ||
		!same_time(&now.st_mtim, &scan->at_cut.st_mtim);
}

static int scan_segments(struct source *s, struct tm_segments *ret,
			 struct tm_error *err)
{
	struct scan *scan = scan_of(s);
	struct tm_segments list = TM_SEGMENTS_INIT;
	struct tm_segment one = {
		.len = disk_size(scan->disk),
		.kind = TM_SEGMENT_SCAN,
		.torn = scan_torn(scan),
	};
	int r;

	strncpy(one.device, scan->path, sizeof(one.device) - 1);
	r = tm_segments_append(&list, &one);
	if (r)
		return tm_error_set(err, r, TM_EXIT_FAILED, s->name,
				    "cannot describe '%s': %s", s->name,
				    strerror(-r));
	tm_segments_done(ret);
	*ret = list;
	return 0;
}

static void scan_free(struct source *s)
{
	struct scan *scan = scan_of(s);

	disk_close(scan->disk);
	free(scan->path);
	free(scan);
}

static const struct source_ops scan_ops = {
	.kind = "scan",
	.state = scan_state,
	.knows = scan_knows,
	.pending = scan_pending,
	.settle = scan_settle,
	.mark = scan_mark,
	.cut = scan_cut,
	.ship_set = scan_ship_set,
	.place = scan_place,
	.blame = scan_blame,
	.read = scan_read,
	.sample = scan_sample,
	.release = scan_release,
	.commit = scan_nothing,
	.abort = scan_nothing,
	.segments = scan_segments,
	.free = scan_free,
};

int source_scan_new(const char *name, const char *path, uint32_t chunk_size,
		    struct source **ret, struct tm_error *err)
{
	struct scan *scan = calloc(1, sizeof(*scan));
	int r;

	if (!scan)
		goto err_no_memory;
	scan->source.ops = &scan_ops;
	scan->source.chunk_size = chunk_size;
	scan->source.name = strdup(name);
	scan->path = strdup(path);
	if (!scan->source.name || !scan->path)
		goto err_free;
	r = disk_open(path, &scan->disk);
	if (r) {
		source_free(&scan->source);
		tm_error_set(err, r, r == -ENOENT ? TM_EXIT_NOT_FOUND :
			     TM_EXIT_DEVICE, path, "cannot open disk '%s': %s",
			     path, r == -ENOTBLK ?
			     "neither a block device nor an image file" :
			     strerror(-r));
		return r;
	}
	*ret = &scan->source;
	return 0;
err_free:
	source_free(&scan->source);
err_no_memory:
	return tm_error_set(err, -ENOMEM, TM_EXIT_FAILED, path,
			    "cannot open disk '%s': out of memory", path);
}
