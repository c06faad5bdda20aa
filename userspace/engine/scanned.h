/* SPDX-License-Identifier: MIT */
/*
 * scanned.h - the parts of a disk that no cut covers
 *
 * Partition tables, boot partitions, the gaps between. They are flushed and
 * digested before the cut; what is read after it must be the same, or the
 * disk is cut again, and after some tries the segment counts as torn.
 */
#ifndef TIDEMARK_ENGINE_SCANNED_H
#define TIDEMARK_ENGINE_SCANNED_H

#include <stdbool.h>
#include <stdint.h>

#include "model/error.h"
#include "model/segment.h"
#include "port/disk.h"

struct scanned;

/*
 * Flushes and digests the scanned ones of @segs, disk @path, read through
 * @disk. @segs and @disk stay the caller's and must outlive the result.
 */
int scanned_new(const char *path, struct disk *disk,
		const struct tm_segments *segs, uint32_t chunk_size,
		struct scanned **ret, struct tm_error *err);
void scanned_free(struct scanned *s);

/* Reads everything again: is it as it was? */
int scanned_unchanged(struct scanned *s, bool *ret, struct tm_error *err);

/*
 * Compares what has been read, @len bytes at @off of the disk that lie in one
 * chunk and one segment, and all of their intersection. Remembers a difference.
 */
int scanned_compare(struct scanned *s, uint64_t off, const void *data,
		    uint32_t len);

/* Was segment number @i found changed? */
bool scanned_torn(const struct scanned *s, size_t i);

#endif
