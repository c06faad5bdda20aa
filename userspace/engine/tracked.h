/* SPDX-License-Identifier: MIT */
/*
 * tracked.h - the inside of a tracked source, for source_tracked.c,
 * tracked_cut.c, tracked_read.c and tracked_pending.c alone
 */
#ifndef TIDEMARK_ENGINE_TRACKED_H
#define TIDEMARK_ENGINE_TRACKED_H

#include "engine/part.h"
#include "engine/scanned.h"
#include "engine/source.h"
#include "port/disk.h"

struct tracked {
	struct source source;
	char *path;
	char *state_dir;
	uint64_t size;
	struct disk *disk;		/* live, for what is not in a snapshot */
	struct tm_segments segs;
	struct part *parts;		/* the tracked ones, in order */
	size_t n_parts;
	struct scanned *scanned;	/* while cut */
	bool live;			/* the cut has no snapshots */
};

static inline struct tracked *tracked_of(struct source *s)
{
	return (struct tracked *)s;
}

/* Says so in @err; -ENOMEM. */
int tracked_no_memory(const struct tracked *t, struct tm_error *err);

/* Says in @err why the cut could not be read; @r. */
int tracked_read_failed(const struct tracked *t, int r, struct tm_error *err);

/*
 * Adds to @ret_ship the chunks of changed bytes and those that are scanned, to
 * @ret_scanned the latter.
 */
int tracked_cover(struct tracked *t, const struct tm_extents *changed_bytes,
		  struct tm_extents *ret_ship, struct tm_extents *ret_scanned,
		  struct tm_error *err);

/* source_ops.pending, in tracked_pending.c */
int tracked_pending(struct source *s, const char *cut_id,
		    struct source_pending *ret, struct tm_error *err);

/* source_ops.place, .read, .sample, in tracked_read.c */
bool tracked_place(struct source *s, uint64_t off, uint32_t len,
		   struct disk **ret_disk, uint64_t *ret_off);
int tracked_read(struct source *s, uint64_t off, uint32_t len, void *buf,
		 struct tm_error *err);
int tracked_sample(struct source *s, uint64_t chunk, void *buf,
		   bool *ret_counts, struct tm_error *err);

/* source_ops.cut */
int tracked_cut_group(struct source *const *group, unsigned int n,
		      const char *cut_id, const struct source_cut_options *how,
		      struct source_cut_report *ret, struct tm_error *err);

/* Ends @cut_id in every part, then takes the snapshots away. */
int tracked_end_cut(struct tracked *t, const char *cut_id, bool commit,
		    struct tm_error *err);

#endif
