/* SPDX-License-Identifier: MIT */
/*
 * meta.h - what a metadata device says, and what the kernel would make of it
 *
 * Reads what kmod/format.h describes and judges it as the tracking target does
 * when it starts: what counts as changed, and why. Whatever the bytes, the
 * answer is bounded in time by the device's size and in memory by constants.
 */
#ifndef TIDEMARK_MODEL_META_H
#define TIDEMARK_MODEL_META_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format.h"
#include "model/error.h"
#include "model/extent.h"

#define TM_META_ALIGN		4096	/* of offsets, lengths and buffers */
#define TM_META_EXTENTS_MAX	65536	/* that a report lists */

enum tm_meta_state {
	TM_META_BLANK,		/* zeroes where a superblock would be */
	TM_META_FOREIGN,	/* something else lives there */
	TM_META_DAMAGED,	/* was metadata; no superblock can be believed */
	TM_META_NEWER,		/* of a version not known here */
	TM_META_GOOD,		/* a superblock rules */
};

/* One area, its sectors told apart. */
struct tm_meta_area {
	enum tm_area kind;
	unsigned int number;	/* 0 or 1; epochs with that parity use it */
	uint64_t start;		/* sector */
	uint64_t sectors;
	uint64_t current;	/* of an epoch that the superblock names */
	uint64_t older;		/* of an earlier one: empty */
	uint64_t newer;		/* of none yet: the superblock is wrong */
	uint64_t bad;		/* do not check, or cannot be read */
};

struct tm_meta_report {
	enum tm_meta_state state;
	/* 0 or what tm_super_decode() said, and the copy if 0. */
	int copy_error[TM_SUPER_COPIES];
	struct tm_super copy[TM_SUPER_COPIES];

	/* The rest only with TM_META_GOOD. */
	unsigned int ruling;		/* index of the copy that rules */
	bool too_short;			/* areas reach past the device's end */
	struct tm_meta_area area[4];
	const char *everything;		/* why everything changed, or NULL */
	uint64_t logged;		/* regions: all their chunks count */
	uint64_t changed;		/* chunks that count as changed */
	struct tm_extents changed_chunks;	/* the first of them; owned */
	bool more;			/* there are more ranges than listed */
};

/*
 * Reads @len bytes at @off into @data: all multiples of TM_META_ALIGN, @data
 * aligned to it. 0 or -errno.
 */
typedef int (*tm_meta_read_fn)(void *arg, uint64_t off, void *data,
			       size_t len);

/*
 * Looks at a metadata device of @size bytes. What is wrong with its content is
 * in the report, not an error. @object names it for messages. End with
 * tm_meta_report_done(). 0, -ENOMEM, -ENODATA (too small to hold anything), or
 * the error of reading a superblock.
 */
int tm_meta_inspect(tm_meta_read_fn read, void *arg, uint64_t size,
		    const char *object, struct tm_meta_report *ret,
		    struct tm_error *err);
void tm_meta_report_done(struct tm_meta_report *report);

/* "good" and so on. */
const char *tm_meta_state_name(enum tm_meta_state state);

/* What a copy's error means: "valid", "blank", "damaged" and so on. */
const char *tm_meta_copy_name(int copy_error);

#endif
