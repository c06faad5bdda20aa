/* SPDX-License-Identifier: MIT */
/*
 * tree.h - a Merkle tree over the hash table of a disk
 *
 * The tree of RFC 6962, section 2.1, with SHA-256: a leaf is hashed as
 * SHA-256(0x00 || leaf), a node as SHA-256(0x01 || left || right), and what
 * does not fill a power of two is split at the largest one below. A leaf is
 * the entries of 256 chunks, 4 KiB of the table; the last one is what is
 * left, and what follows the last entry in its hash page does not count.
 *
 * Only the hashes of the leaves are kept: 2 MiB for a TiB of 64 KiB chunks.
 * What lies above them is made anew when it is asked for, which takes no
 * reading. So a run that has changed a few entries reads those leaves, and no
 * more.
 */
#ifndef TIDEMARK_MODEL_TREE_H
#define TIDEMARK_MODEL_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/hashtable.h"

#define TM_TREE_LEAF_CHUNKS	256
#define TM_TREE_LEAF_PAGES	(TM_TREE_LEAF_CHUNKS / TM_HASH_PAGE_ENTRIES)
#define TM_DIGEST_BYTES		32

struct tm_tree;

/* Of a table of @chunks entries, none of which is known. 0 or -ENOMEM. */
int tm_tree_new(uint64_t chunks, struct tm_tree **ret);
void tm_tree_free(struct tm_tree *t);

/* How many leaves there are. */
uint64_t tm_tree_leaves(const struct tm_tree *t);

/*
 * Sets a leaf from its entries, as they lie in the table. One that is not there
 * is let pass. 0 or -EIO.
 */
int tm_tree_set(struct tm_tree *t, uint64_t leaf, const void *entries);

/* Is this leaf known, and made of other entries? 0 or -EIO. */
int tm_tree_differs(struct tm_tree *t, uint64_t leaf, const void *entries,
		    bool *ret);

/* Takes over the leaves that are of the same chunks in @from. */
void tm_tree_take(struct tm_tree *t, const struct tm_tree *from);

/* The tree's hash. 0, -ENODATA: not all leaves are known; -EIO. */
int tm_tree_hash(struct tm_tree *t, uint8_t ret[TM_DIGEST_BYTES]);

/*
 * The hashes of all leaves, to be kept for the next time. Bytes are the tree's.
 * Loading makes all of them known; -EBADMSG: these are of another size.
 */
const void *tm_tree_bytes(const struct tm_tree *t, size_t *ret_len);
int tm_tree_load(struct tm_tree *t, const void *bytes, size_t len);

#endif
