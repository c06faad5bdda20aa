// SPDX-License-Identifier: MIT
#include "model/hashtable.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/vhd.h"

/* Memory comes in blocks of 64 KiB of table. */
#define BLOCK_PAGES	128
#define BLOCK_ENTRIES	(BLOCK_PAGES * TM_HASH_PAGE_ENTRIES)

struct block {
	struct tm_hash entry[BLOCK_ENTRIES];
	uint64_t dirty[BLOCK_PAGES / 64];	/* a bit per page */
};

struct tm_hashtable {
	uint64_t chunks;
	uint64_t pages;
	uint64_t blocks;
	struct block *block[];		/* NULL: all zero, all clean */
};

bool tm_chunk_size_valid(uint64_t chunk_size)
{
	return chunk_size >= TM_CHUNK_SIZE_MIN &&
	       chunk_size <= TM_CHUNK_SIZE_MAX &&
	       !(chunk_size & (chunk_size - 1));
}

uint64_t tm_chunk_count(uint64_t disk_size, uint32_t chunk_size)
{
	return (tm_vhd_size(disk_size) + chunk_size - 1) / chunk_size;
}

uint32_t tm_chunk_len(uint64_t disk_size, uint32_t chunk_size, uint64_t i)
{
	uint64_t vhd_size = tm_vhd_size(disk_size), left;

	if (i >= tm_chunk_count(disk_size, chunk_size))
		return 0;
	left = vhd_size - i * chunk_size;
	return left < chunk_size ? (uint32_t)left : chunk_size;
}

uint64_t tm_hash_table_size(uint64_t disk_size, uint32_t chunk_size)
{
	return tm_hash_pages(tm_chunk_count(disk_size, chunk_size)) *
	       TM_HASH_PAGE_SIZE;
}

void tm_hash_window(uint64_t chunk, uint64_t window_chunks, uint64_t chunks,
		    uint64_t *ret_first, uint64_t *ret_count)
{
	uint64_t first = chunk - chunk % window_chunks;
	uint64_t count = window_chunks;

	if (first >= chunks)
		count = 0;
	else if (chunks - first < count)
		count = chunks - first;
	*ret_first = first;
	*ret_count = count;
}

bool tm_hash_is_zero(const struct tm_hash *h)
{
	static const struct tm_hash zero;

	return tm_hash_equal(h, &zero);
}

bool tm_hash_equal(const struct tm_hash *a, const struct tm_hash *b)
{
	return !memcmp(a->b, b->b, TM_HASH_SIZE);
}

int tm_hashtable_new(uint64_t chunks, struct tm_hashtable **ret)
{
	uint64_t blocks = chunks / BLOCK_ENTRIES + !!(chunks % BLOCK_ENTRIES);
	struct tm_hashtable *t;

	if (chunks > UINT64_MAX - TM_HASH_PAGE_ENTRIES ||
	    blocks > (SIZE_MAX - sizeof(*t)) / sizeof(t->block[0]))
		return -ENOMEM;
	t = calloc(1, sizeof(*t) + blocks * sizeof(t->block[0]));
	if (!t)
		return -ENOMEM;
	t->chunks = chunks;
	t->pages = tm_hash_pages(chunks);
	t->blocks = blocks;
	*ret = t;
	return 0;
}

void tm_hashtable_free(struct tm_hashtable *t)
{
	uint64_t b;

	if (!t)
		return;
	for (b = 0; b < t->blocks; b++)
		free(t->block[b]);
	free(t);
}

uint64_t tm_hashtable_chunks(const struct tm_hashtable *t)
{
	return t->chunks;
}

static struct block *block_of(struct tm_hashtable *t, uint64_t page)
{
	struct block **b = &t->block[page / BLOCK_PAGES];

	if (!*b)
		*b = calloc(1, sizeof(**b));
	return *b;
}

static bool page_dirty(const struct block *b, uint64_t page)
{
	page %= BLOCK_PAGES;
	return b && b->dirty[page / 64] >> (page % 64) & 1;
}

static void page_set_dirty(struct block *b, uint64_t page, bool dirty)
{
	uint64_t bit = UINT64_C(1) << (page % 64);

	page %= BLOCK_PAGES;
	if (dirty)
		b->dirty[page / 64] |= bit;
	else
		b->dirty[page / 64] &= ~bit;
}

struct tm_hash tm_hashtable_get(const struct tm_hashtable *t, uint64_t i)
{
	struct tm_hash zero = { .b = { 0 } };
	const struct block *b;

	if (i >= t->chunks)
		return zero;
	b = t->block[i / BLOCK_ENTRIES];
	return b ? b->entry[i % BLOCK_ENTRIES] : zero;
}

int tm_hashtable_set(struct tm_hashtable *t, uint64_t i,
		     const struct tm_hash *h)
{
	struct tm_hash old;
	struct block *b;

	if (i >= t->chunks)
		return -ERANGE;
	old = tm_hashtable_get(t, i);
	if (tm_hash_equal(&old, h))
		return 0;
	b = block_of(t, tm_hash_page_of(i));
	if (!b)
		return -ENOMEM;
	b->entry[i % BLOCK_ENTRIES] = *h;
	page_set_dirty(b, tm_hash_page_of(i), true);
	return 0;
}

int tm_hashtable_clear(struct tm_hashtable *t, uint64_t i)
{
	static const struct tm_hash zero;

	return tm_hashtable_set(t, i, &zero);
}

static bool in_range(const struct tm_hashtable *t, uint64_t page,
		     uint64_t pages)
{
	return page <= t->pages && pages <= t->pages - page;
}

/* Entries of this page that are in the table; the last page may have fewer. */
static size_t page_bytes(const struct tm_hashtable *t, uint64_t page)
{
	uint64_t left = t->chunks - tm_hash_page_first(page);

	if (left > TM_HASH_PAGE_ENTRIES)
		left = TM_HASH_PAGE_ENTRIES;
	return left * TM_HASH_SIZE;
}

static struct tm_hash *page_at(struct block *b, uint64_t page)
{
	return b->entry + page % BLOCK_PAGES * TM_HASH_PAGE_ENTRIES;
}

int tm_hashtable_load(struct tm_hashtable *t, uint64_t page, uint64_t pages,
		      const void *data)
{
	static const uint8_t zeroes[TM_HASH_PAGE_SIZE];
	const uint8_t *from = data;
	struct block *b;

	if (!in_range(t, page, pages))
		return -ERANGE;
	for (; pages--; page++, from += TM_HASH_PAGE_SIZE) {
		size_t len = page_bytes(t, page);

		b = t->block[page / BLOCK_PAGES];
		if (!b && !memcmp(from, zeroes, len))
			continue;
		b = block_of(t, page);
		if (!b)
			return -ENOMEM;
		memcpy(page_at(b, page), from, len);
		page_set_dirty(b, page, false);
	}
	return 0;
}

int tm_hashtable_copy(const struct tm_hashtable *t, uint64_t page,
		      uint64_t pages, void *data)
{
	uint8_t *to = data;

	if (!in_range(t, page, pages))
		return -ERANGE;
	for (; pages--; page++, to += TM_HASH_PAGE_SIZE) {
		struct block *b = t->block[page / BLOCK_PAGES];

		if (b)
			memcpy(to, page_at(b, page), TM_HASH_PAGE_SIZE);
		else
			memset(to, 0, TM_HASH_PAGE_SIZE);
	}
	return 0;
}

bool tm_hashtable_dirty(const struct tm_hashtable *t, uint64_t from,
			uint64_t max, uint64_t *ret_page, uint64_t *ret_pages)
{
	uint64_t page = from, n = 0;

	while (page < t->pages) {
		const struct block *b = t->block[page / BLOCK_PAGES];

		if (!b)
			page += BLOCK_PAGES - page % BLOCK_PAGES;
		else if (!page_dirty(b, page))
			page++;
		else
			break;
	}
	while (n < max && page + n < t->pages &&
	       page_dirty(t->block[(page + n) / BLOCK_PAGES], page + n))
		n++;
	if (!n)
		return false;
	*ret_page = page;
	*ret_pages = n;
	return true;
}

void tm_hashtable_clean(struct tm_hashtable *t, uint64_t page, uint64_t pages)
{
	for (; pages-- && page < t->pages; page++)
		if (t->block[page / BLOCK_PAGES])
			page_set_dirty(t->block[page / BLOCK_PAGES], page,
				       false);
}

static bool block_in_use(const struct block *b)
{
	static const struct tm_hash zero[BLOCK_ENTRIES];

	return b->dirty[0] || b->dirty[1] ||
	       memcmp(b->entry, zero, sizeof(zero));
}

void tm_hashtable_drop(struct tm_hashtable *t, uint64_t page, uint64_t pages)
{
	for (; pages-- && page < t->pages; page++) {
		struct block **b = &t->block[page / BLOCK_PAGES];
		bool last = !pages || page % BLOCK_PAGES == BLOCK_PAGES - 1 ||
			    page == t->pages - 1;

		if (!*b)
			continue;
		if (!page_dirty(*b, page))
			memset(page_at(*b, page), 0, TM_HASH_PAGE_SIZE);
		if (last && !block_in_use(*b)) {
			free(*b);
			*b = NULL;
		}
	}
}
