/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bitmap.h - a bit per chunk: mark, merge, iterate
 *
 * No device-mapper and no I/O. Marking, merging and testing take no lock and
 * may run together: a bit, once set, is cleared only by clearing or freeing the
 * whole, when nobody uses it.
 */
#ifndef _TIDEMARK_BITMAP_H
#define _TIDEMARK_BITMAP_H

#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/kref.h>
#include "format.h"

struct tm_bitmap {
	struct kref ref;
	u64 nr;				/* bits */
	atomic64_t count;		/* bits set */
	atomic_long_t *word;		/* whole sectors of the disk format */
};

/* All clear, one reference. NULL without memory. May sleep. */
struct tm_bitmap *tm_bitmap_new(u64 nr);
struct tm_bitmap *tm_bitmap_get(struct tm_bitmap *bm);
/* NULL is allowed. May sleep. */
void tm_bitmap_put(struct tm_bitmap *bm);

/* [first, first + nr) must lie within the bitmap, here and below. */
void __tm_bitmap_mark(struct tm_bitmap *bm, u64 first, u64 nr);
/* Is there a bit of @in (NULL: all) that @bm has not? */
bool tm_bitmap_lacks(const struct tm_bitmap *bm, const struct tm_bitmap *in,
		     u64 first, u64 nr);
/* Marks, and returns how many bits of @in (NULL: all) became set. */
u64 tm_bitmap_mark_in(struct tm_bitmap *bm, const struct tm_bitmap *in,
		      u64 first, u64 nr);
void tm_bitmap_fill(struct tm_bitmap *bm);
/* Only while nobody else uses it. */
void tm_bitmap_clear(struct tm_bitmap *bm);

/*
 * dst |= src, a word at a time; concurrent marks of @dst survive. @src is not
 * the larger of them.
 */
void tm_bitmap_merge(struct tm_bitmap *dst, const struct tm_bitmap *src);

/* The first run of set bits at or after @from. False when there is none. */
bool tm_bitmap_next(const struct tm_bitmap *bm, u64 from, u64 *ret_first,
		    u64 *ret_nr);

/* The words of sector @index of an area on disk; out, and or-ed in. */
void tm_bitmap_export(const struct tm_bitmap *bm, u32 index, u64 *word);
void tm_bitmap_import(struct tm_bitmap *bm, u32 index, const u64 *word);

static inline bool tm_bitmap_test(const struct tm_bitmap *bm, u64 bit)
{
	return atomic_long_read(&bm->word[bit / BITS_PER_LONG]) >>
		       (bit % BITS_PER_LONG) & 1;
}

static inline u64 tm_bitmap_count(const struct tm_bitmap *bm)
{
	return atomic64_read(&bm->count);
}

/* Nearly always one chunk, nearly always marked already: no write then. */
static inline void tm_bitmap_mark(struct tm_bitmap *bm, u64 first, u64 nr)
{
	if (nr != 1 || !tm_bitmap_test(bm, first))
		__tm_bitmap_mark(bm, first, nr);
}

#endif /* _TIDEMARK_BITMAP_H */
