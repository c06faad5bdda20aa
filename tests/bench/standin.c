// SPDX-License-Identifier: MIT
/*
 * standin.c - the program, with a stand-in for the kernel's tracking
 *
 *	STANDIN_SIZE	bytes of the disk; its file's data come again and again
 *	STANDIN_CHANGED	how many chunks have changed, scattered over it
 *	STANDIN_EMPTY	if set: nothing is read or sent, what is in the vault
 *			counts as the disk
 *
 * For what needs a tracked disk that is too large for a guest, or needs nothing
 * else of one. All else is as ever: only source_new() and ship_disk() are put in
 * the place of the real ones (ld's --wrap).
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/roots.h"
#include "engine/ship.h"
#include "model/hashtable.h"

int __wrap_source_new(const char *name, const char *path, uint32_t chunk_size,
		      const char *state_dir, struct source **ret,
		      struct tm_error *err);
int __real_ship_disk(struct target *t, const struct report *rep,
		     struct tm_error *err);
int __wrap_ship_disk(struct target *t, const struct report *rep,
		     struct tm_error *err);

struct standin {
	struct source source;
	struct disk *disk;
	uint64_t size, changed;
};

static struct standin *standin_of(struct source *s)
{
	return (struct standin *)s;
}

static uint64_t number(const char *name)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 10) : 0;
}

static int failed(const struct source *s, int r, struct tm_error *err)
{
	return tm_error_set(err, r, TM_EXIT_DEVICE, s->name,
			    "cannot read the stand-in: %s", strerror(-r));
}

static int state(struct source *s, struct source_state *ret,
		 struct tm_error *err)
{
	(void)err;
	*ret = (struct source_state){
		.size_bytes = standin_of(s)->size, .tracked = true,
	};
	return 0;
}

static int knows(struct source *s, const char *cut_id, bool *ret,
		 struct tm_error *err)
{
	(void)s;
	(void)cut_id;
	(void)err;
	*ret = true;
	return 0;
}

static int settle(struct source *s, const char *cut_id, bool committed,
		  struct tm_error *err)
{
	(void)s;
	(void)cut_id;
	(void)committed;
	(void)err;
	return 0;
}

static int over_chunks(struct source *s, uint64_t start, uint64_t count,
		       struct tm_error *err)
{
	(void)s;
	(void)start;
	(void)count;
	(void)err;
	return 0;
}

static int cut(struct source *const *group, unsigned int n, const char *cut_id,
	       const struct source_cut_options *how,
	       struct source_cut_report *ret, struct tm_error *err)
{
	(void)group;
	(void)n;
	(void)cut_id;
	(void)how;
	(void)ret;
	(void)err;
	return 0;
}

/* One chunk of each so many: which of them is as if by chance. */
static int ship_set(struct source *s, struct tm_extents *ret_ship,
		    struct tm_extents *ret_scanned, struct tm_error *err)
{
	const struct standin *st = standin_of(s);
	uint64_t chunks = tm_chunk_count(st->size, s->chunk_size);
	uint64_t every = st->changed ? chunks / st->changed : 0, i;
	uint64_t chance = 1;
	int r = 0;

	(void)ret_scanned;
	for (i = 0; i < st->changed && !r; i++) {
		chance = chance * UINT64_C(6364136223846793005) + 1442695040888963407;
		r = tm_extents_add(ret_ship, i * every + (chance >> 33) % every,
				   1);
	}
	return r ? failed(s, r, err) : 0;
}

static int pending(struct source *s, const char *cut_id,
		   struct source_pending *ret, struct tm_error *err)
{
	struct source_pending now = { .knows = true };
	int r = ship_set(s, &now.ship, &now.scanned, err);

	(void)cut_id;
	if (r)
		source_pending_done(&now);
	else
		*ret = now;
	return r;
}

static bool place(struct source *s, uint64_t off, uint32_t len,
		  struct disk **ret_disk, uint64_t *ret_off)
{
	const struct standin *st = standin_of(s);
	uint64_t at = off % disk_size(st->disk);

	*ret_disk = st->disk;
	*ret_off = at;
	return len <= disk_size(st->disk) - at;
}

static int blame(struct source *s, int r, struct tm_error *err)
{
	return failed(s, r, err);
}

/* What wraps around the file's end. */
static int read_chunks(struct source *s, uint64_t off, uint32_t len, void *buf,
		       struct tm_error *err)
{
	struct disk *disk;
	uint64_t at;
	int r = 0;

	for (; len && !r; off += s->chunk_size, len -= s->chunk_size) {
		if (!place(s, off, s->chunk_size, &disk, &at))
			return failed(s, -EINVAL, err);
		r = disk_read_one(disk, at, buf, s->chunk_size);
		buf = (char *)buf + s->chunk_size;
	}
	return r ? failed(s, r, err) : 0;
}

static int sample(struct source *s, uint64_t chunk, void *buf,
		  bool *ret_counts, struct tm_error *err)
{
	*ret_counts = false;
	return read_chunks(s, chunk * s->chunk_size, s->chunk_size, buf, err);
}

static int on_cut(struct source *s, const char *cut_id, struct tm_error *err)
{
	(void)cut_id;
	(void)err;
	*s->cut_id = '\0';
	return 0;
}

static int segments(struct source *s, struct tm_segments *ret,
		    struct tm_error *err)
{
	const struct tm_segment one = {
		.len = standin_of(s)->size, .kind = TM_SEGMENT_TRACKED,
		.device = "standin",
	};

	tm_segments_done(ret);
	return tm_segments_append(ret, &one) ? failed(s, -ENOMEM, err) : 0;
}

static void free_standin(struct source *s)
{
	disk_close(standin_of(s)->disk);
	free(s);
}

static const struct source_ops ops = {
	.kind = "tracked", .state = state, .knows = knows, .pending = pending,
	.settle = settle, .mark = over_chunks, .cut = cut, .ship_set = ship_set,
	.place = place, .blame = blame, .read = read_chunks, .sample = sample,
	.release = over_chunks, .commit = on_cut, .abort = on_cut,
	.segments = segments, .free = free_standin,
};

int __wrap_source_new(const char *name, const char *path, uint32_t chunk_size,
		      const char *state_dir, struct source **ret,
		      struct tm_error *err)
{
	struct standin *st = calloc(1, sizeof(*st));
	int r = -ENOMEM;

	(void)state_dir;
	if (st) {
		st->source.name = strdup(name);
		st->source.ops = &ops;
		st->source.chunk_size = chunk_size;
		r = st->source.name ? disk_open(path, &st->disk) : -ENOMEM;
	}
	if (r)
		return tm_error_set(err, r, TM_EXIT_DEVICE, path,
				    "cannot open the stand-in '%s': %s", path,
				    strerror(-r));
	st->size = number("STANDIN_SIZE");
	st->changed = number("STANDIN_CHANGED");
	*ret = &st->source;
	return 0;
}

int __wrap_ship_disk(struct target *t, const struct report *rep,
		     struct tm_error *err)
{
	/* A table of nothing but entries that are not known, too. */
	if (getenv("STANDIN_EMPTY"))
		return roots_take(t, 0, t->chunks, err);
	return __real_ship_disk(t, rep, err);
}
