/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * store.h - where a preserved block lives: allocate, look up. No bios
 *
 * Slots of TM_BLOCK_BYTES on the store device, and an index from block to what
 * became of it. There is nothing on the device but data: a store lives no
 * longer than its cut. The index has a node per chunk that was written to.
 */
#ifndef _TIDEMARK_STORE_H
#define _TIDEMARK_STORE_H

#include <linux/rcupdate.h>
#include <linux/types.h>
#include <linux/xarray.h>

struct tm_copy;

/*
 * A block, in one word: what the low bits say, and a pointer or a slot.
 *
 *   NONE    -> COPYING	first writer; its old data are being read
 *   COPYING -> MEM	read: in a page of the pool, the writer may go on
 *   COPYING -> BAD	could not be read: the view fails here, the writer not
 *   MEM     -> STORE	written to its slot, the page is free again
 *   any     -> NONE	the chunk was released: nobody asks any more
 */
enum tm_block_state {
	TM_BLOCK_NONE,
	TM_BLOCK_COPYING,	/* with a struct tm_copy */
	TM_BLOCK_MEM,		/* with a struct tm_copy */
	TM_BLOCK_STORE,		/* with a slot */
	TM_BLOCK_BAD,
};

#define TM_BLOCK_STATE_BITS	3

static inline enum tm_block_state tm_block_state(unsigned long block)
{
	return block & ((1UL << TM_BLOCK_STATE_BITS) - 1);
}

/* May a write reach the origin, as far as this block is concerned? */
static inline bool tm_block_is_settled(unsigned long block)
{
	return tm_block_state(block) >= TM_BLOCK_MEM;
}

static inline struct tm_copy *tm_block_copy(unsigned long block)
{
	return (void *)(block & ~((1UL << TM_BLOCK_STATE_BITS) - 1));
}

static inline u64 tm_block_slot(unsigned long block)
{
	return block >> TM_BLOCK_STATE_BITS;
}

static inline unsigned long tm_block_with_copy(enum tm_block_state state,
					       struct tm_copy *copy)
{
	return (unsigned long)copy | state;
}

static inline unsigned long tm_block_with_slot(u64 slot)
{
	return slot << TM_BLOCK_STATE_BITS | TM_BLOCK_STORE;
}

struct tm_node {
	struct rcu_head rcu;
	unsigned int pins;		/* readers of its slots */
	unsigned long block[];		/* of one chunk */
};

struct tm_store {
	struct xarray nodes;		/* by chunk */
	unsigned int blocks_per_chunk;
	u64 nr_slots;
	u64 used;
	u64 hint;			/* where to look next */
	unsigned long *busy;		/* a bit per slot */
};

/* @nr_slots may be 0. -ENOMEM. */
int tm_store_init(struct tm_store *store, u64 nr_slots,
		  unsigned int blocks_per_chunk);
void tm_store_done(struct tm_store *store);

/* Slots: the caller serialises. -ENOSPC: full. */
int tm_store_alloc(struct tm_store *store, u64 *ret_slot);
void tm_store_free(struct tm_store *store, u64 slot);

/* NULL: nothing written there. Under rcu_read_lock, or by the one writer. */
struct tm_node *tm_store_node(struct tm_store *store, u64 chunk);
/* Makes it where there is none; NULL without memory. The one writer only. */
struct tm_node *tm_store_make_node(struct tm_store *store, u64 chunk);
/* Readers may still see it until a grace period ends. The one writer only. */
void tm_store_drop_node(struct tm_store *store, u64 chunk);

#endif /* _TIDEMARK_STORE_H */
