/* SPDX-License-Identifier: MIT */
/*
 * cachedir.h - a directory of small files of which the least recently used
 * are given up
 *
 * Several processes may use one at the same time, and any of its files may be
 * deleted at any time. What is in it may be old, cut short or forged: who reads
 * it has to prove it. A struct cachedir may be shared by threads.
 */
#ifndef TIDEMARK_PORT_CACHEDIR_H
#define TIDEMARK_PORT_CACHEDIR_H

#include <stddef.h>
#include <stdint.h>

#define CACHEDIR_KEY_SIZE 16

/* It is kept in so many directories, each with its share of the limit. */
#define CACHEDIR_SHARDS 16u

struct cachedir;

/*
 * Makes @path (0700) if need be. Its files take @limit bytes, and up to an
 * eighth more for each process that writes; more than that from before is given
 * up as it is written to. 0; -EPERM: @path belongs to another, or others may
 * write to it; -errno.
 */
int cachedir_open(const char *path, uint64_t limit, struct cachedir **ret);
void cachedir_free(struct cachedir *c);

/* Reads what is under @key, if it has @len bytes. 0 or -ENOENT. */
int cachedir_get(struct cachedir *c, const uint8_t key[CACHEDIR_KEY_SIZE],
		 void *data, size_t len);

/*
 * Keeps @len bytes under @key. -ENOSPC, -EDQUOT, -EROFS or -EACCES: it cannot
 * be written; nor will it be tried again through @c.
 */
int cachedir_put(struct cachedir *c, const uint8_t key[CACHEDIR_KEY_SIZE],
		 const void *data, size_t len);

/* Forgets what is under @key: it was not right. */
void cachedir_drop(struct cachedir *c, const uint8_t key[CACHEDIR_KEY_SIZE]);

#endif
