/* SPDX-License-Identifier: MIT */
/*
 * entries.h - the hash table of a target: pages read from and written to its
 * blob
 *
 * Work goes by slabs of the table, as much as one request carries: 262144
 * chunks, which is 16 GiB of disk at 64 KiB.
 */
#ifndef TIDEMARK_ENGINE_ENTRIES_H
#define TIDEMARK_ENGINE_ENTRIES_H

#include "engine/target.h"

#define ENTRIES_SLAB_PAGES (PAGEBLOB_PUT_MAX / TM_HASH_PAGE_SIZE)
#define ENTRIES_SLAB_CHUNKS (ENTRIES_SLAB_PAGES * TM_HASH_PAGE_ENTRIES)

/* Clean pages between two dirty ones that are cheaper to send than a request. */
#define ENTRIES_GAP_PAGES 64

/*
 * Loads the pages of chunks [@first, @first + @count), all of one slab. A blob
 * made by this run is known to be zero and not asked, nor is it for what was
 * loaded last and not dropped: all that has written to it since is this run.
 */
int entries_load(struct target *t, uint64_t first, uint64_t count,
		 struct tm_error *err);

/*
 * Finds the next dirty pages from *@page on, below @end, that go in one request:
 * those a little apart together, with the clean ones between them, which must
 * be loaded. They count as clean from now on. 1: *@ret_pages pages from *@page
 * on, copied to *@ret_data, to be freed; 0: there are none; or -ENOMEM.
 */
int entries_take(struct target *t, uint64_t *page, uint64_t end,
		 uint64_t *ret_pages, void **ret_data, struct tm_error *err);

/*
 * Reads the pages of [@first, @first + @count) once more, and writes again
 * those that are not what they should be: what a late duplicate of a request
 * has forgotten. Raises the number first, so that there are no more of those.
 * Nothing may be under way.
 */
int entries_settle(struct target *t, uint64_t first, uint64_t count,
		   struct tm_error *err);

/* Gives back the memory of a slab's pages; they are clean, or do not count. */
void entries_drop(struct target *t, uint64_t first, uint64_t count);

#endif
