/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * store.h - where a preserved block lives: allocate, look up. No bios
 *
 * Slots of TM_BLOCK_BYTES on the store device, and an index from block to what
 * became of it. There is nothing on the device but data: a store lives no
 * longer than its cut. The index has a node for each TM_NODE_BLOCKS blocks that
 * were written to, so its size follows what is overwritten, not the disk.
 */
#ifndef _TIDEMARK_STORE_H
#define _TIDEMARK_STORE_H

#include <linux/rcupdate.h>
#include <linux/types.h>
#include <linux/xarray.h>

/*
 * A block, in one word: what the low bits say, and the number of a page of the
 * pool or of a slot.
 *
 *   NONE    -> COPYING	first writer; its old data are being read
 *   COPYING -> MEM	read: in a page of the pool, the writer may go on
 *   COPYING -> BAD	could not be read: the view fails here, the writer not
 *   MEM     -> STORE	written to its slot, the page is free again
 *   any     -> NONE	the chunk was released: nobody asks any more
 *
 * So while its chunk is kept, a block never becomes again what it was.
 */
enum tm_block_state {
	TM_BLOCK_NONE,
	TM_BLOCK_COPYING,	/* with a page */
	TM_BLOCK_MEM,		/* with a page */
	TM_BLOCK_STORE,		/* with a slot */
	TM_BLOCK_BAD,
};

#define TM_BLOCK_STATE_BITS	3
/* As many as a word can number, but one: what follows the last is no slot. */
#define TM_SLOTS_MAX		((1U << (32 - TM_BLOCK_STATE_BITS)) - 1)

static inline enum tm_block_state tm_block_state(u32 word)
{
	return word & ((1U << TM_BLOCK_STATE_BITS) - 1);
}

static inline u32 tm_block_number(u32 word)
{
	return word >> TM_BLOCK_STATE_BITS;
}

static inline u32 tm_block_word(enum tm_block_state state, u32 number)
{
	return number << TM_BLOCK_STATE_BITS | state;
}

/* May a write reach the origin, as far as this block is concerned? */
static inline bool tm_block_is_settled(u32 word)
{
	return tm_block_state(word) >= TM_BLOCK_MEM;
}

#define TM_NODE_SHIFT	4
#define TM_NODE_BLOCKS	BIT(TM_NODE_SHIFT)

struct tm_node {
	struct rcu_head rcu;
	u32 word[TM_NODE_BLOCKS];
};

/* Who changes it serialises. */
struct tm_store {
	struct xarray nodes;		/* by block >> TM_NODE_SHIFT */
	u32 nr_slots;
	u32 used;
	u32 hint;			/* where to look next */
	unsigned long *busy;		/* a bit per slot */
};

/* @nr_slots may be 0. -ENOMEM. */
int tm_store_init(struct tm_store *store, u32 nr_slots);
void tm_store_done(struct tm_store *store);

/* At most @max slots in a row; returns how many, 0 when it is full. */
u32 tm_store_alloc(struct tm_store *store, u32 max, u32 *ret_first);
void tm_store_free(struct tm_store *store, u32 slot);

/* NULL: nothing written there. Under rcu_read_lock, or by who changes it. */
static inline struct tm_node *tm_store_node(struct tm_store *store, u64 block)
{
	return xa_load(&store->nodes, block >> TM_NODE_SHIFT);
}

/* Makes it where there is none; NULL without memory. Does not sleep. */
struct tm_node *tm_store_make_node(struct tm_store *store, u64 block);
/* The same, tries harder: may sleep, and need not serialise. -ENOMEM. */
int tm_store_add_node(struct tm_store *store, u64 block);
/* If nothing is left in it. Readers see it until a grace period ends. */
void tm_store_drop_node(struct tm_store *store, struct tm_node *node,
			u64 block);

static inline u32 *tm_store_at(struct tm_node *node, u64 block)
{
	return &node->word[block & (TM_NODE_BLOCKS - 1)];
}

static inline void tm_store_set(u32 *at, u32 word)
{
	/* Release: who sees it settled may overwrite, after the copy. */
	smp_store_release(at, word);
}

/* Without a lock. */
static inline u32 tm_store_word(struct tm_store *store, u64 block)
{
	struct tm_node *node;
	u32 word = TM_BLOCK_NONE;

	rcu_read_lock();
	node = tm_store_node(store, block);
	if (node) {
		/* Acquire: a write that sees it settled comes after the copy. */
		word = smp_load_acquire(tm_store_at(node, block));
	}
	rcu_read_unlock();
	return word;
}

#endif /* _TIDEMARK_STORE_H */
