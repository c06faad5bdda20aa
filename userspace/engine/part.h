/* SPDX-License-Identifier: MIT */
/*
 * part.h - one tracked segment of a disk, and its snapshot
 *
 * Offsets are bytes of the disk; the kernel's chunks, counted from the start
 * of the segment, stay inside. All return 0 or -errno with @err set.
 */
#ifndef TIDEMARK_ENGINE_PART_H
#define TIDEMARK_ENGINE_PART_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "engine/source.h"
#include "model/error.h"
#include "model/extent.h"
#include "model/segment.h"
#include "port/disk.h"

struct part {
	const struct tm_segment *seg;	/* the source's */
	uint32_t chunk_size;		/* bytes; the disk's, in the vault */
	uint64_t kernel_chunk;		/* bytes */
	uint64_t kernel_chunks;
	/*
	 * The disk's chunks are made of whole chunks of the kernel's, so that
	 * a changed one can be read from a snapshot that keeps only those.
	 */
	bool aligned;
	bool last;			/* the disk ends where this ends */
	char snap[128];			/* its snapshot's mapping */
	char store[TM_DEVICE_SIZE];	/* node; "" for none */
	dev_t store_dev;
	struct disk *disk;		/* the snapshot, open while cut */
};

/* @state: the directory with the records of `attach`. */
int part_init(struct part *p, const struct tm_segment *seg, uint64_t disk_size,
	      uint32_t chunk_size, const char *state, struct tm_error *err);
void part_done(struct part *p);

/*
 * Before a cut: the snapshot device that waits for it, and marks on what must
 * be readable whether it changes or not. Removes what an earlier run left.
 */
int part_make_snapshot(struct part *p, const struct source_cut_options *how,
		       struct tm_error *err);

/* After the cut: opens it for reading. */
int part_open_snapshot(struct part *p, struct tm_error *err);

/* When the cut has ended. */
int part_drop_snapshot(struct part *p, struct tm_error *err);

/* Does a snapshot device of a run of ours exist? */
int part_has_snapshot(const struct part *p, bool *ret, struct tm_error *err);

/* Counts what of [@off, @off + @len) is in the segment as changed. */
int part_mark(const struct part *p, uint64_t off, uint64_t len,
	      struct tm_error *err);

/* Adds the bytes of the frozen cut. */
int part_frozen(const struct part *p, struct tm_extents *ret,
		struct tm_error *err);

/* Adds the bytes that have changed since the last cut. */
int part_current(const struct part *p, struct tm_extents *ret,
		 struct tm_error *err);

/*
 * The snapshot could not be read. If it has become invalid @err says why, as
 * far as the kernel does, and what to do, and true is returned.
 */
bool part_is_invalid(const struct part *p, int r, struct tm_error *err);

/* Lets go what lies wholly in [@off, @off + @len). */
int part_release(const struct part *p, uint64_t off, uint64_t len,
		 struct tm_error *err);

/* Has any of these bytes, all in the segment, been written since the cut? */
int part_marked(const struct part *p, uint64_t off, uint64_t len, bool *ret,
		struct tm_error *err);

#endif
