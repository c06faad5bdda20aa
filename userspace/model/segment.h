/* SPDX-License-Identifier: MIT */
/*
 * segment.h - a disk as a list of pieces, each scanned or tracked
 *
 * A recovery point is a whole disk. Its partition table and small boot
 * partitions are read in full each time ("scan"); the partitions that matter
 * have the kernel's tracking under them ("tracked"). A disk that is tracked as
 * a whole, an image file, or a device without tracking is one segment.
 *
 * Segments are sorted, not empty, and together cover [0, disk size) once.
 */
#ifndef TIDEMARK_MODEL_SEGMENT_H
#define TIDEMARK_MODEL_SEGMENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/error.h"

#define TM_DEVICE_SIZE	256

enum tm_segment_kind {
	TM_SEGMENT_SCAN,
	TM_SEGMENT_TRACKED,
};

struct tm_segment {
	uint64_t start;		/* bytes, from the disk's begin; 512 * n */
	uint64_t len;		/* bytes; 512 * n, never 0 */
	enum tm_segment_kind kind;
	/*
	 * scan: the path to read, at @offset. tracked: the name of the tracked
	 * device-mapper device, whose sector 0 is the segment's start.
	 */
	char device[TM_DEVICE_SIZE];
	uint64_t offset;	/* bytes into @device of the segment's start */
	bool torn;		/* in a point: changed while it was read */
};

struct tm_segments {
	struct tm_segment *v;	/* owned */
	size_t n;
};

#define TM_SEGMENTS_INIT { .v = NULL }

void tm_segments_done(struct tm_segments *s);

/* Appends; the order is checked by tm_segments_check. 0 or -ENOMEM. */
int tm_segments_append(struct tm_segments *s, const struct tm_segment *one);

int tm_segments_copy(struct tm_segments *ret, const struct tm_segments *s);

/*
 * Are they sorted, without gap or overlap, covering [0, @disk_size), in whole
 * sectors, with devices named? @object names the disk.
 * 0 or -EINVAL (TM_EXIT_INTEGRITY).
 */
int tm_segments_check(const struct tm_segments *s, uint64_t disk_size,
		      const char *object, struct tm_error *err);

/* The segment that holds byte @off, NULL past the end. */
const struct tm_segment *tm_segments_find(const struct tm_segments *s,
					  uint64_t off);

/* Do both lie alike: where they begin, of what kind, tracked by what? */
bool tm_segments_same(const struct tm_segments *a, const struct tm_segments *b);

bool tm_segments_any(const struct tm_segments *s, enum tm_segment_kind kind);

/* "scan" or "tracked". */
const char *tm_segment_kind_name(enum tm_segment_kind kind);

/* An array, a new reference; NULL when out of memory. */
json_t *tm_segments_json(const struct tm_segments *s);
/* 0, -ENOMEM or -EBADMSG. @document names the source, for messages. */
int tm_segments_parse(const json_t *array, const char *document,
		      struct tm_segments *ret, struct tm_error *err);

#endif
