// SPDX-License-Identifier: GPL-2.0-only
/*
 * store.c - where a preserved block lives: allocate, look up. No bios
 */
#include <linux/bitmap.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include "store.h"

/* Rather none than waiting for writeback, which may wait for us. */
#define TM_NODE_GFP	(GFP_NOIO | __GFP_NORETRY | __GFP_NOWARN)

int tm_store_init(struct tm_store *store, u64 nr_slots,
		  unsigned int blocks_per_chunk)
{
	memset(store, 0, sizeof(*store));
	xa_init(&store->nodes);
	store->blocks_per_chunk = blocks_per_chunk;
	store->nr_slots = nr_slots;
	store->busy = vzalloc(BITS_TO_LONGS(nr_slots + 1) *
			      sizeof(*store->busy));
	return store->busy ? 0 : -ENOMEM;
}

void tm_store_done(struct tm_store *store)
{
	struct tm_node *node;
	unsigned long chunk;

	xa_for_each(&store->nodes, chunk, node)
		kfree(node);
	xa_destroy(&store->nodes);
	vfree(store->busy);
}

int tm_store_alloc(struct tm_store *store, u64 *ret_slot)
{
	u64 slot;

	if (store->used == store->nr_slots)
		return -ENOSPC;
	slot = find_next_zero_bit(store->busy, store->nr_slots, store->hint);
	if (slot >= store->nr_slots)
		slot = find_first_zero_bit(store->busy, store->nr_slots);
	__set_bit(slot, store->busy);
	store->used++;
	store->hint = slot + 1;
	*ret_slot = slot;
	return 0;
}

void tm_store_free(struct tm_store *store, u64 slot)
{
	__clear_bit(slot, store->busy);
	store->used--;
}

struct tm_node *tm_store_node(struct tm_store *store, u64 chunk)
{
	return xa_load(&store->nodes, chunk);
}

struct tm_node *tm_store_make_node(struct tm_store *store, u64 chunk)
{
	struct tm_node *node = xa_load(&store->nodes, chunk);

	if (node)
		return node;
	node = kzalloc(struct_size(node, block, store->blocks_per_chunk),
		       TM_NODE_GFP);
	if (!node)
		return NULL;
	if (xa_err(xa_store(&store->nodes, chunk, node, TM_NODE_GFP))) {
		kfree(node);
		return NULL;
	}
	return node;
}

void tm_store_drop_node(struct tm_store *store, u64 chunk)
{
	struct tm_node *node = xa_erase(&store->nodes, chunk);

	if (node)
		kfree_rcu(node, rcu);
}
