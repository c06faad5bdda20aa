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

/*
 * Loads the pages of chunks [@first, @first + @count), all of one slab. A blob
 * made by this run is known to be zero and not asked.
 */
int entries_load(struct target *t, uint64_t first, uint64_t count,
		 struct tm_error *err);

/*
 * Writes all dirty pages; durable on return. Dirty pages a little apart go in
 * one request, with the clean ones between them, which must be loaded.
 */
int entries_write(struct target *t, struct tm_error *err);

/* Gives back the memory of a slab's pages; they are clean. */
void entries_drop(struct target *t, uint64_t first, uint64_t count);

#endif
