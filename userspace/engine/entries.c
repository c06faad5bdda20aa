// SPDX-License-Identifier: MIT
/* entries.c - the hash table of a target: pages read from, written to its blob */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "engine/entries.h"

static int failed(const struct target *t, int r, const char *what,
		  struct tm_error *err)
{
	return tm_error_set(err, r, TM_EXIT_FAILED, t->hash.name,
			    "cannot %s hash table '%s': %s", what, t->hash.name,
			    strerror(-r));
}

/* The pages of chunks, read from the blob; *@ret_data is to be freed. */
static int fetch(struct target *t, uint64_t first, uint64_t count,
		 uint64_t *ret_page, uint64_t *ret_pages, uint8_t **ret_data,
		 struct tm_error *err)
{
	uint64_t page = tm_hash_page_of(first);
	uint64_t pages = tm_hash_page_of(first + count - 1) - page + 1;
	uint8_t *data = malloc(pages * TM_HASH_PAGE_SIZE);
	int r;

	if (!data)
		return failed(t, -ENOMEM, "read", err);
	r = fence_read(&t->hash, page * TM_HASH_PAGE_SIZE, data,
		       pages * TM_HASH_PAGE_SIZE, err);
	if (r) {
		free(data);
		return r;
	}
	*ret_page = page;
	*ret_pages = pages;
	*ret_data = data;
	return 0;
}

int entries_load(struct target *t, uint64_t first, uint64_t count,
		 struct tm_error *err)
{
	uint64_t page, pages;
	uint8_t *data;
	int r;

	if (t->hash.fresh ||
	    (first >= t->loaded && first + count <= t->loaded_end))
		return 0;
	r = fetch(t, first, count, &page, &pages, &data, err);
	if (r)
		return r;
	r = tm_hashtable_load(t->table, page, pages, data);
	free(data);
	if (r)
		return failed(t, r, "load", err);
	t->loaded = first;
	t->loaded_end = first + count;
	return 0;
}

/* How far a request that begins with these dirty pages reaches. */
static uint64_t reach(const struct target *t, uint64_t page, uint64_t pages,
		      uint64_t end)
{
	uint64_t next, more;

	while (tm_hashtable_dirty(t->table, page + pages, ENTRIES_SLAB_PAGES,
				  &next, &more)) {
		if (next + more > end)
			more = next < end ? end - next : 0;
		if (!more || next - (page + pages) > ENTRIES_GAP_PAGES ||
		    next + more - page > ENTRIES_SLAB_PAGES)
			break;
		pages = next + more - page;
	}
	return pages;
}

int entries_take(struct target *t, uint64_t *page, uint64_t end,
		 uint64_t *ret_pages, void **ret_data, struct tm_error *err)
{
	uint64_t pages;
	void *data;
	int r;

	if (!tm_hashtable_dirty(t->table, *page, ENTRIES_SLAB_PAGES, page,
				&pages) || *page >= end)
		return 0;
	if (pages > end - *page)
		pages = end - *page;
	pages = reach(t, *page, pages, end);
	data = malloc(pages * TM_HASH_PAGE_SIZE);
	if (!data)
		return failed(t, -ENOMEM, "write", err);
	r = tm_hashtable_copy(t->table, *page, pages, data);
	if (r) {
		free(data);
		return failed(t, r, "copy", err);
	}
	tm_hashtable_clean(t->table, *page, pages);
	*ret_pages = pages;
	*ret_data = data;
	return 1;
}

/* The first page of @there that is not ours, and how many follow; 0: none. */
static uint64_t next_strange(const uint8_t *there, const uint8_t *ours,
			     uint64_t pages, uint64_t *at)
{
	uint64_t from = *at, n = 0;

	while (from < pages && !memcmp(there + from * TM_HASH_PAGE_SIZE,
				       ours + from * TM_HASH_PAGE_SIZE,
				       TM_HASH_PAGE_SIZE))
		from++;
	while (from + n < pages && memcmp(there + (from + n) * TM_HASH_PAGE_SIZE,
					  ours + (from + n) * TM_HASH_PAGE_SIZE,
					  TM_HASH_PAGE_SIZE))
		n++;
	*at = from;
	return n;
}

static int rewrite(struct target *t, uint64_t page, uint64_t pages,
		   const uint8_t *there, const uint8_t *ours,
		   struct tm_error *err)
{
	uint64_t at = 0, n;
	int r = 0;

	while (!r && (n = next_strange(there, ours, pages, &at))) {
		r = fence_put(&t->hash, (page + at) * TM_HASH_PAGE_SIZE,
			      ours + at * TM_HASH_PAGE_SIZE,
			      n * TM_HASH_PAGE_SIZE, err);
		at += n;
	}
	return r;
}

int entries_settle(struct target *t, uint64_t first, uint64_t count,
		   struct tm_error *err)
{
	uint64_t page, pages;
	uint8_t *there, *ours;
	int r = fence_raise(&t->hash, 0, err);

	if (!r)
		r = fetch(t, first, count, &page, &pages, &there, err);
	if (r)
		return r;
	ours = malloc(pages * TM_HASH_PAGE_SIZE);
	if (!ours || tm_hashtable_copy(t->table, page, pages, ours))
		r = failed(t, -ENOMEM, "check", err);
	else
		r = rewrite(t, page, pages, there, ours, err);
	free(ours);
	free(there);
	return r;
}

void entries_drop(struct target *t, uint64_t first, uint64_t count)
{
	uint64_t page = tm_hash_page_of(first);

	t->loaded = t->loaded_end = 0;
	tm_hashtable_drop(t->table, page,
			  tm_hash_page_of(first + count - 1) - page + 1);
}
