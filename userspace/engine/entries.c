// SPDX-License-Identifier: MIT
/* entries.c - the hash table of a target: pages read from, written to its blob */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "engine/entries.h"

/* Clean pages between two dirty ones that are cheaper to send than a request. */
#define GAP_PAGES 64

static int failed(const struct target *t, int r, const char *what,
		  struct tm_error *err)
{
	return tm_error_set(err, r, TM_EXIT_FAILED, t->hash.name,
			    "cannot %s hash table '%s': %s", what, t->hash.name,
			    strerror(-r));
}

int entries_load(struct target *t, uint64_t first, uint64_t count,
		 struct tm_error *err)
{
	uint64_t page = tm_hash_page_of(first);
	uint64_t pages = tm_hash_page_of(first + count - 1) - page + 1;
	void *data;
	int r;

	if (t->hash.fresh)
		return 0;
	data = malloc(pages * TM_HASH_PAGE_SIZE);
	if (!data)
		return failed(t, -ENOMEM, "read", err);
	r = fence_read(&t->hash, page * TM_HASH_PAGE_SIZE, data,
		       pages * TM_HASH_PAGE_SIZE, err);
	if (!r) {
		r = tm_hashtable_load(t->table, page, pages, data);
		if (r)
			failed(t, r, "load", err);
	}
	free(data);
	return r;
}

static int write_pages(struct target *t, uint64_t page, uint64_t pages,
		       void *buf, struct tm_error *err)
{
	int r = tm_hashtable_copy(t->table, page, pages, buf);

	if (r)
		return failed(t, r, "copy", err);
	r = fence_put(&t->hash, page * TM_HASH_PAGE_SIZE, buf,
		      pages * TM_HASH_PAGE_SIZE, err);
	if (!r)
		tm_hashtable_clean(t->table, page, pages);
	return r;
}

int entries_write(struct target *t, struct tm_error *err)
{
	uint64_t page, pages, next, more;
	void *buf;
	int r = 0;

	if (!tm_hashtable_dirty(t->table, 0, ENTRIES_SLAB_PAGES, &page, &pages))
		return 0;
	buf = malloc(PAGEBLOB_PUT_MAX);
	if (!buf)
		return failed(t, -ENOMEM, "write", err);
	do {
		while (tm_hashtable_dirty(t->table, page + pages,
					  ENTRIES_SLAB_PAGES, &next, &more) &&
		       next - (page + pages) <= GAP_PAGES &&
		       next + more - page <= ENTRIES_SLAB_PAGES)
			pages = next + more - page;
		r = write_pages(t, page, pages, buf, err);
	} while (!r && tm_hashtable_dirty(t->table, page + pages,
					  ENTRIES_SLAB_PAGES, &page, &pages));
	free(buf);
	return r;
}

void entries_drop(struct target *t, uint64_t first, uint64_t count)
{
	uint64_t page = tm_hash_page_of(first);

	tm_hashtable_drop(t->table, page,
			  tm_hash_page_of(first + count - 1) - page + 1);
}
