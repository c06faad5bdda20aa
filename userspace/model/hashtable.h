/* SPDX-License-Identifier: MIT */
/*
 * hashtable.h - what the vault is known to hold, chunk by chunk
 *
 * The table is a page blob beside the disk's. The entry of chunk i is the 16
 * bytes at i * 16: the first half of HMAC-SHA-256(key, le64(offset) || data),
 * under a secret key of the disk's own; the offset is the chunk's, in bytes, so
 * that it says where whatever the chunks' size was. Where all data are zero the
 * message is le64(offset) || le64(length) instead, too short to be taken for
 * data: most of a new disk is zero, and need not be hashed. All zero means "not
 * known". Should the truncated HMAC be all zero, its last byte is set to 1.
 *
 * **An entry is non-zero only while the blob holds exactly those bytes.** That
 * is the run's to keep: first make the entry zero, durably; then write the
 * pages; after they are acknowledged write the entry.
 *
 * The data of chunk i are bytes [i * chunk, (i + 1) * chunk) of the VHD without
 * its footer. The last chunk ends with the VHD (tm_vhd_size) and is hashed at
 * that length, not padded; between the disk's end and the VHD's there are
 * zeroes. So chunks that are all padding have entries too, and the footer has
 * none. A chunk that grows with its disk thereby changes its hash.
 *
 * 32 entries make a hash page of 512 bytes, the least that can be written. Work
 * in windows of chunks that begin and end at hash pages.
 */
#ifndef TIDEMARK_MODEL_HASHTABLE_H
#define TIDEMARK_MODEL_HASHTABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TM_CHUNK_SIZE_MIN	(UINT32_C(4) << 10)
#define TM_CHUNK_SIZE_MAX	(UINT32_C(4) << 20)
#define TM_CHUNK_SIZE_DEFAULT	(UINT32_C(64) << 10)

#define TM_HASH_SIZE		16
#define TM_HASH_KEY_SIZE	32
#define TM_HASH_PAGE_SIZE	512
#define TM_HASH_PAGE_ENTRIES	32

struct tm_hash {
	uint8_t b[TM_HASH_SIZE];
};

/* A power of two between the two limits. */
bool tm_chunk_size_valid(uint64_t chunk_size);

/* How many chunks, and entries, the VHD of a disk of @disk_size bytes has. */
uint64_t tm_chunk_count(uint64_t disk_size, uint32_t chunk_size);

/* Bytes in chunk @i: @chunk_size but for a last partial one; 0 past the end. */
uint32_t tm_chunk_len(uint64_t disk_size, uint32_t chunk_size, uint64_t i);

/* Size of the table's blob in bytes: whole hash pages. */
uint64_t tm_hash_table_size(uint64_t disk_size, uint32_t chunk_size);

/* Hash pages that @chunks entries take; the page of a chunk; its first chunk. */
static inline uint64_t tm_hash_pages(uint64_t chunks)
{
	return (chunks + TM_HASH_PAGE_ENTRIES - 1) / TM_HASH_PAGE_ENTRIES;
}

static inline uint64_t tm_hash_page_of(uint64_t chunk)
{
	return chunk / TM_HASH_PAGE_ENTRIES;
}

static inline uint64_t tm_hash_page_first(uint64_t page)
{
	return page * TM_HASH_PAGE_ENTRIES;
}

/*
 * The window in which @chunk lies: @window_chunks is a multiple of 32; the last
 * window ends with the table. Chunks [*ret_first, *ret_first + *ret_count).
 */
void tm_hash_window(uint64_t chunk, uint64_t window_chunks, uint64_t chunks,
		    uint64_t *ret_first, uint64_t *ret_count);

bool tm_hash_is_zero(const struct tm_hash *h);
bool tm_hash_equal(const struct tm_hash *a, const struct tm_hash *b);

/*
 * Hashes chunks under one key. Not to be shared between threads: each thread
 * has its own. The key is copied and wiped when freed.
 */
struct tm_hasher;

/* 0, -ENOMEM, or -EIO if the crypto library refuses. */
int tm_hasher_new(const uint8_t key[TM_HASH_KEY_SIZE],
		  struct tm_hasher **ret);
void tm_hasher_free(struct tm_hasher *h);

/* Another under the same key. 0 or -ENOMEM. */
int tm_hasher_clone(const struct tm_hasher *h, struct tm_hasher **ret);

/*
 * The entry for the chunk that begins at byte @off of the disk and holds @len
 * bytes; never all zero. 0 or -EIO.
 */
int tm_hasher_chunk(struct tm_hasher *h, uint64_t off, const void *data,
		    size_t len, struct tm_hash *ret);

/* The same of @len zeroes, without looking at any. */
int tm_hasher_zeroes(struct tm_hasher *h, uint64_t off, size_t len,
		     struct tm_hash *ret);

/* The whole HMAC of something else, which must be no message of an entry. */
int tm_hasher_mac(struct tm_hasher *h, const void *data, size_t len,
		  uint8_t ret[TM_HASH_KEY_SIZE]);

/*
 * The table in memory, sparse: what has not been loaded or set is zero, which
 * is always safe (the chunk will be sent), and takes no memory. Loading is up
 * to the caller: a page written out from a table into which it was never loaded
 * forgets the other 31 entries.
 */
struct tm_hashtable;

/* An empty table of @chunks entries. 0 or -ENOMEM. */
int tm_hashtable_new(uint64_t chunks, struct tm_hashtable **ret);
void tm_hashtable_free(struct tm_hashtable *t);

uint64_t tm_hashtable_chunks(const struct tm_hashtable *t);

/* Entry @i; zero past the end. */
struct tm_hash tm_hashtable_get(const struct tm_hashtable *t, uint64_t i);

/*
 * Sets entry @i and, if that changes it, marks its page dirty. Setting zero is
 * clearing. 0, -ENOMEM, -ERANGE past the end.
 */
int tm_hashtable_set(struct tm_hashtable *t, uint64_t i,
		     const struct tm_hash *h);
int tm_hashtable_clear(struct tm_hashtable *t, uint64_t i);

/*
 * Replaces @pages hash pages beginning with @page by @data as read from the
 * blob, and makes them clean. Bytes past the last entry are ignored.
 * 0, -ENOMEM, -ERANGE.
 */
int tm_hashtable_load(struct tm_hashtable *t, uint64_t page, uint64_t pages,
		      const void *data);

/* Copies @pages hash pages out, as the blob is to hold them. 0 or -ERANGE. */
int tm_hashtable_copy(const struct tm_hashtable *t, uint64_t page,
		      uint64_t pages, void *data);

/*
 * Finds the first run of dirty pages at or after @from, at most @max of them.
 * False when there is none.
 */
bool tm_hashtable_dirty(const struct tm_hashtable *t, uint64_t from,
			uint64_t max, uint64_t *ret_page, uint64_t *ret_pages);

/* Says that the blob now holds these pages. */
void tm_hashtable_clean(struct tm_hashtable *t, uint64_t page, uint64_t pages);

/* Forgets entries of clean pages in the range, to give back their memory. */
void tm_hashtable_drop(struct tm_hashtable *t, uint64_t page, uint64_t pages);

#endif
