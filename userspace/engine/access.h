/* SPDX-License-Identifier: MIT */
/*
 * access.h - any part of a disk of a recovery point, every chunk proved
 *
 * What reader_walk() does from end to end, in any order and by several threads.
 * Data are asked for chunk by chunk, and each is compared with the hash table
 * before any of it is handed out. What the blob does not hold reads as zero
 * without a request for data; that it has to be zero, the hash table says too.
 *
 * Chunks that have been proved are kept, the latest in memory and others in a
 * directory on disk, by their entry in the hash table: a chunk that several
 * points share is there once. Those from the directory are proved again.
 *
 * The table, and what the blob holds, are asked for by parts of 4096 chunks as
 * they are needed, of which the latest 128 are kept.
 */
#ifndef TIDEMARK_ENGINE_ACCESS_H
#define TIDEMARK_ENGINE_ACCESS_H

#include "engine/vault.h"
#include "model/point.h"

struct access;

struct access_options {
	const char *cache;		/* directory; NULL or "": none */
	uint64_t cache_bytes;		/* it may take; 0: none */
	uint64_t memory_bytes;		/* of chunks in memory; 0: 16 MiB */
};

/*
 * @v, @container and @disk are borrowed. Loads the key and reads the footer.
 * Where the directory cannot be used there is a warning (v->report), and none.
 */
int access_open(struct vault *v, const char *container,
		const struct tm_point_disk *disk,
		const struct access_options *options, struct access **ret,
		struct tm_error *err);

/* Nobody uses it any more. NULL is accepted. */
void access_free(struct access *a);

/*
 * Reads @len bytes at @off of the disk, all within its true size. @data NULL:
 * only sees to it that they will be at hand. -EBADMSG (TM_EXIT_INTEGRITY): a
 * chunk is not what was backed up, or cannot be proved to be; @err names disk,
 * offset and chunk. Any thread.
 */
int access_read(struct access *a, uint64_t off, void *data, uint64_t len,
		struct tm_error *err);

/*
 * Is the disk zero at @off, without data in the blob and proved so? *@ret_len
 * bytes from there on (at least 1, at most @len) are all of that kind. Any
 * thread.
 */
int access_extent(struct access *a, uint64_t off, uint64_t len,
		  uint64_t *ret_len, bool *ret_zero, struct tm_error *err);

/* What has been done since it was opened. */
struct access_counters {
	uint64_t received;		/* bytes from the service, all told */
	uint64_t chunks_fetched;
	uint64_t chunks_cached;		/* from the directory */
};
void access_counters(struct access *a, struct access_counters *ret);

#endif
