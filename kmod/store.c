// SPDX-License-Identifier: GPL-2.0-only
/*
 * store.c - where a preserved block lives: allocate, look up. No bios
 */
#include <linux/bitmap.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include "store.h"

/* Who frees memory by writing must not use up what is kept for that. */
#define TM_NODE_NOW	(GFP_NOWAIT | __GFP_NOWARN | __GFP_NOMEMALLOC)
/* Rather none than waiting for writeback, which may wait for us. */
#define TM_NODE_LATER	(GFP_NOIO | __GFP_NORETRY | __GFP_NOWARN)

int tm_store_init(struct tm_store *store, u32 nr_slots)
{
	memset(store, 0, sizeof(*store));
	/* Changed with interrupts off, under the lock of the snapshot. */
	xa_init_flags(&store->nodes, XA_FLAGS_LOCK_IRQ);
	store->nr_slots = nr_slots;
	store->busy = vzalloc(BITS_TO_LONGS((u64)nr_slots + 1) *
			      sizeof(*store->busy));
	return store->busy ? 0 : -ENOMEM;
}

void tm_store_done(struct tm_store *store)
{
	struct tm_node *node;
	unsigned long index;

	xa_for_each(&store->nodes, index, node)
		kfree(node);
	xa_destroy(&store->nodes);
	vfree(store->busy);
}

u32 tm_store_alloc(struct tm_store *store, u32 max, u32 *ret_first)
{
	u32 slot, nr = 0;

	if (store->used == store->nr_slots)
		return 0;
	slot = find_next_zero_bit(store->busy, store->nr_slots, store->hint);
	if (slot >= store->nr_slots)
		slot = find_first_zero_bit(store->busy, store->nr_slots);
	*ret_first = slot;
	while (nr < max && slot < store->nr_slots &&
	       !test_bit(slot, store->busy)) {
		__set_bit(slot++, store->busy);
		nr++;
	}
	store->used += nr;
	store->hint = slot;
	return nr;
}

void tm_store_free(struct tm_store *store, u32 slot)
{
	__clear_bit(slot, store->busy);
	store->used--;
}

struct tm_node *tm_store_make_node(struct tm_store *store, u64 block)
{
	struct tm_node *node = tm_store_node(store, block);
	struct tm_node *old;

	if (node)
		return node;
	node = kzalloc(sizeof(*node), TM_NODE_NOW);
	if (!node)
		return NULL;
	xa_lock(&store->nodes);
	old = __xa_cmpxchg(&store->nodes, block >> TM_NODE_SHIFT, NULL, node,
			   TM_NODE_NOW);
	xa_unlock(&store->nodes);
	if (!old)
		return node;
	kfree(node);
	return xa_is_err(old) ? NULL : old;
}

int tm_store_add_node(struct tm_store *store, u64 block)
{
	struct tm_node *node = kzalloc(sizeof(*node), TM_NODE_LATER);
	void *old;

	if (!node)
		return -ENOMEM;
	old = xa_cmpxchg_irq(&store->nodes, block >> TM_NODE_SHIFT, NULL, node,
			     TM_NODE_LATER);
	if (old)
		kfree(node);
	return xa_err(old);
}

void tm_store_drop_node(struct tm_store *store, struct tm_node *node, u64 block)
{
	unsigned int i;

	for (i = 0; i < TM_NODE_BLOCKS; i++)
		if (node->word[i] != TM_BLOCK_NONE)
			return;
	xa_lock(&store->nodes);
	__xa_erase(&store->nodes, block >> TM_NODE_SHIFT);
	xa_unlock(&store->nodes);
	kfree_rcu(node, rcu);
}
