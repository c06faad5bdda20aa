// SPDX-License-Identifier: GPL-2.0-only
/*
 * bitmap.c - a bit per chunk: mark, merge, iterate
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include "bitmap.h"

static_assert(BITS_PER_LONG == 64, "words are those of the disk format");

/* Whole sectors of the disk format. */
static u64 words_of(u64 nr)
{
	return DIV_ROUND_UP_ULL(nr, TM_SECTOR_BITS) * TM_SECTOR_WORDS;
}

struct tm_bitmap *tm_bitmap_new(u64 nr)
{
	u64 words = words_of(nr);
	struct tm_bitmap *bm;

	bm = kzalloc(sizeof(*bm), GFP_KERNEL);
	if (!bm)
		return NULL;
	bm->word = vzalloc(words * sizeof(*bm->word));
	if (!bm->word) {
		kfree(bm);
		return NULL;
	}
	kref_init(&bm->ref);
	bm->nr = nr;
	return bm;
}

struct tm_bitmap *tm_bitmap_get(struct tm_bitmap *bm)
{
	kref_get(&bm->ref);
	return bm;
}

static void bitmap_release(struct kref *ref)
{
	struct tm_bitmap *bm = container_of(ref, struct tm_bitmap, ref);

	vfree(bm->word);
	kfree(bm);
}

void tm_bitmap_put(struct tm_bitmap *bm)
{
	if (bm)
		kref_put(&bm->ref, bitmap_release);
}

/* The bits of [first, end) that lie in the word that holds @first. */
static unsigned long word_mask(u64 first, u64 end)
{
	u64 base = first & ~(u64)(BITS_PER_LONG - 1);
	unsigned long mask = ~0UL << (first - base);

	if (end - base < BITS_PER_LONG)
		mask &= ~(~0UL << (end - base));
	return mask;
}

static u64 next_word(u64 bit)
{
	return (bit | (BITS_PER_LONG - 1)) + 1;
}

/* Returns the bits that became set. */
static unsigned long word_or(struct tm_bitmap *bm, u64 index,
			     unsigned long mask)
{
	unsigned long old = atomic_long_read(&bm->word[index]);

	if ((old & mask) == mask)
		return 0;
	old = atomic_long_fetch_or(mask, &bm->word[index]);
	atomic64_add(hweight_long(mask & ~old), &bm->count);
	return mask & ~old;
}

void __tm_bitmap_mark(struct tm_bitmap *bm, u64 first, u64 nr)
{
	u64 end = first + nr;

	for (; first < end; first = next_word(first))
		word_or(bm, first / BITS_PER_LONG, word_mask(first, end));
}

static unsigned long word_of(const struct tm_bitmap *bm, u64 bit)
{
	return bm ? atomic_long_read(&bm->word[bit / BITS_PER_LONG]) : ~0UL;
}

u64 tm_bitmap_mark_in(struct tm_bitmap *bm, const struct tm_bitmap *in,
		      u64 first, u64 nr)
{
	u64 end = first + nr;
	u64 count = 0;

	for (; first < end; first = next_word(first))
		count += hweight_long(word_of(in, first) &
				      word_or(bm, first / BITS_PER_LONG,
					      word_mask(first, end)));
	return count;
}

bool tm_bitmap_lacks(const struct tm_bitmap *bm, const struct tm_bitmap *in,
		     u64 first, u64 nr)
{
	u64 end = first + nr;

	for (; first < end; first = next_word(first))
		if (word_of(in, first) & ~word_of(bm, first) &
		    word_mask(first, end))
			return true;
	return false;
}

void tm_bitmap_fill(struct tm_bitmap *bm)
{
	__tm_bitmap_mark(bm, 0, bm->nr);
}

void tm_bitmap_clear(struct tm_bitmap *bm)
{
	memset(bm->word, 0, words_of(bm->nr) * sizeof(*bm->word));
	atomic64_set(&bm->count, 0);
}

void tm_bitmap_merge(struct tm_bitmap *dst, const struct tm_bitmap *src)
{
	u64 i;

	for (i = 0; i < DIV_ROUND_UP_ULL(src->nr, BITS_PER_LONG); i++) {
		unsigned long bits = atomic_long_read(&src->word[i]);

		if (bits)
			word_or(dst, i, bits);
	}
}

/* The first bit at or after @from that is set, or clear; else the end. */
static u64 find_bit_from(const struct tm_bitmap *bm, u64 from, bool set)
{
	u64 bit = from;

	while (bit < bm->nr) {
		unsigned long bits =
			atomic_long_read(&bm->word[bit / BITS_PER_LONG]);

		if (!set)
			bits = ~bits;
		bits &= word_mask(bit, bm->nr);
		if (bits)
			return (bit & ~(u64)(BITS_PER_LONG - 1)) + __ffs(bits);
		bit = next_word(bit);
	}
	return bm->nr;
}

bool tm_bitmap_next(const struct tm_bitmap *bm, u64 from, u64 *ret_first,
		    u64 *ret_nr)
{
	u64 first = find_bit_from(bm, from, true);

	if (first >= bm->nr)
		return false;
	*ret_first = first;
	*ret_nr = find_bit_from(bm, first, false) - first;
	return true;
}

void tm_bitmap_export(const struct tm_bitmap *bm, u32 index, u64 *word)
{
	u64 at = (u64)index * TM_SECTOR_WORDS;
	int i;

	for (i = 0; i < TM_SECTOR_WORDS; i++)
		word[i] = (unsigned long)atomic_long_read(&bm->word[at + i]);
}

void tm_bitmap_import(struct tm_bitmap *bm, u32 index, const u64 *word)
{
	u64 at = (u64)index * TM_SECTOR_WORDS;
	int i;

	for (i = 0; i < TM_SECTOR_WORDS; i++) {
		u64 first = (at + i) * BITS_PER_LONG;

		/* Bits past the end are noise, whoever wrote them. */
		if (first < bm->nr)
			word_or(bm, at + i, word[i] & word_mask(first, bm->nr));
	}
}
