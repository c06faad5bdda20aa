// SPDX-License-Identifier: MIT
/* page_table.c - hash tables, beside an array of as many entries */

#include "pages.h"

#include <errno.h>

#include "model/hashtable.h"

#define CHUNKS_MAX 5000 /* some of the blocks that a table is kept in */
#define PAGES_MAX  ((CHUNKS_MAX + 31) / 32)
#define MOVED_MAX  5

static struct {
	struct tm_hash entry[PAGES_MAX * TM_HASH_PAGE_ENTRIES];
	bool dirty[PAGES_MAX];
	uint64_t chunks, pages;
} plain;

static void set(struct tm_hashtable *t, uint64_t i, const struct tm_hash *h)
{
	int r = tm_hashtable_set(t, i, h);

	if (i >= plain.chunks) {
		must(r == -ERANGE, "there is nothing past the end");
		return;
	}
	must(!r, "an entry can be set");
	if (memcmp(&plain.entry[i], h, sizeof(*h)))
		plain.dirty[i / 32] = true;
	plain.entry[i] = *h;
}

static void clear(struct tm_hashtable *t, uint64_t i)
{
	static const struct tm_hash zero;
	bool there = i < plain.chunks;

	must(tm_hashtable_clear(t, i) == (there ? 0 : -ERANGE),
	     "an entry can be cleared");
	if (there && memcmp(&plain.entry[i], &zero, sizeof(zero)))
		plain.dirty[i / 32] = true;
	if (there)
		plain.entry[i] = zero;
}

/* @pages of the input's bytes, each exactly as long as it is. */
static void load(struct tm_hashtable *t, struct feed *f, uint64_t page,
		 uint64_t pages)
{
	uint8_t *data = malloc(pages * TM_HASH_PAGE_SIZE + 1);
	bool fits = page <= plain.pages && pages <= plain.pages - page;
	uint64_t i, n;

	must(data, "there is memory");
	feed_bytes(f, data, pages * TM_HASH_PAGE_SIZE);
	must(tm_hashtable_load(t, page, pages, data) == (fits ? 0 : -ERANGE),
	     "pages are loaded where there are some");
	for (i = 0; fits && i < pages; i++) {
		n = plain.chunks - (page + i) * 32;
		memcpy(&plain.entry[(page + i) * 32],
		       data + i * TM_HASH_PAGE_SIZE, (n < 32 ? n : 32) * 16);
		plain.dirty[page + i] = false;
	}
	free(data);
}

static void copy(const struct tm_hashtable *t, uint64_t page, uint64_t pages)
{
	uint8_t *data = malloc(pages * TM_HASH_PAGE_SIZE + 1);
	bool fits = page <= plain.pages && pages <= plain.pages - page;

	must(data, "there is memory");
	must(tm_hashtable_copy(t, page, pages, data) == (fits ? 0 : -ERANGE),
	     "pages are copied where there are some");
	if (fits)
		must(!memcmp(data, &plain.entry[page * 32],
			     pages * TM_HASH_PAGE_SIZE),
		     "a copy is what the table holds");
	free(data);
}

static void find_dirty(const struct tm_hashtable *t, uint64_t from,
		       uint64_t max)
{
	uint64_t page = from, n = 0, got_page, got_pages;
	bool found;

	while (page < plain.pages && !plain.dirty[page])
		page++;
	while (n < max && page < plain.pages && n < plain.pages - page &&
	       plain.dirty[page + n])
		n++;
	found = tm_hashtable_dirty(t, from, max, &got_page, &got_pages);
	must(found == (n > 0) && (!found || (got_page == page &&
					     got_pages == n)),
	     "what is to be written is found");
}

static void clean(struct tm_hashtable *t, uint64_t page, uint64_t pages)
{
	uint64_t i;

	tm_hashtable_clean(t, page, pages);
	for (i = page; i < plain.pages && i - page < pages; i++)
		plain.dirty[i] = false;
}

static void drop(struct tm_hashtable *t, uint64_t page, uint64_t pages)
{
	uint64_t i;

	tm_hashtable_drop(t, page, pages);
	for (i = page; i < plain.pages && i - page < pages; i++)
		if (!plain.dirty[i])
			memset(&plain.entry[i * 32], 0, TM_HASH_PAGE_SIZE);
}

static void step(struct tm_hashtable *t, struct feed *f)
{
	unsigned int what = feed_byte(f);
	uint64_t at = feed_number(f, 2), n = feed_byte(f) % MOVED_MAX;
	struct tm_hash h;

	if (what & 64)
		at = at % (plain.chunks + 2);
	if (what & 128)
		at = UINT64_MAX - at % 64;
	switch (what % 8) {
	case 0:
	case 1:
		memset(&h, feed_byte(f) % 3, sizeof(h));
		set(t, at, &h);
		break;
	case 2:
		load(t, f, at / 32, n);
		break;
	case 3:
		copy(t, at / 32, n);
		break;
	case 4:
		find_dirty(t, at / 32, n);
		break;
	case 5:
		clean(t, at / 32, n);
		break;
	case 6:
		drop(t, at / 32, n * 32);
		break;
	default:
		clear(t, at);
	}
}

/* Tables too large to be have no room that is none. */
static void check_bounds(struct feed *f)
{
	uint64_t chunks = UINT64_MAX - feed_byte(f) % 32;
	struct tm_hashtable *t;

	must(tm_hashtable_new(chunks, &t) == -ENOMEM,
	     "a table that cannot be is refused");
}

bool pages_table(struct feed *f)
{
	struct tm_hashtable *t;
	struct tm_hash h;
	uint64_t i;

	plain.chunks = feed_number(f, 2) % (CHUNKS_MAX + 1);
	plain.pages = (plain.chunks + 31) / 32;
	memset(plain.entry, 0, plain.pages * TM_HASH_PAGE_SIZE);
	memset(plain.dirty, 0, sizeof(plain.dirty));
	if (!plain.chunks)
		check_bounds(f);
	must(!tm_hashtable_new(plain.chunks, &t), "there is a table");
	must(tm_hashtable_chunks(t) == plain.chunks, "it is as large");
	while (f->left)
		step(t, f);
	for (i = 0; i < plain.chunks; i += 1 + plain.chunks / 512) {
		h = tm_hashtable_get(t, i);
		must(tm_hash_equal(&h, &plain.entry[i]), "an entry is kept");
	}
	h = tm_hashtable_get(t, plain.chunks);
	must(tm_hash_is_zero(&h), "there is nothing past the end");
	copy(t, 0, plain.pages);
	find_dirty(t, 0, UINT64_MAX);
	tm_hashtable_free(t);
	return plain.chunks;
}
