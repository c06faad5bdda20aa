// SPDX-License-Identifier: GPL-2.0-only
/*
 * cow.c - copy before write: what one cut still needs of the old data
 *
 * Invariant: while the view is valid, a write reaches a block of a kept chunk
 * only after that block is settled (MEM, STORE or BAD, see store.h).
 *
 * map() asks without a lock, and queues what has to wait; it never waits, since
 * the reads that it would wait for may be on its own task's list of bios. One
 * worker, copy.c, does the rest: it alone changes blocks, so that a block is
 * copied once and a change of state is nobody's race. It never waits for the
 * store either: writing there is drain.c's, on a worker of its own, and a store
 * that does not answer costs the view, not the origin.
 *
 * A waiting bio holds no page. It waits for one block at a time, the first that
 * is not settled, and is looked at again from there on.
 */
#include <linux/device-mapper.h>
#include <linux/slab.h>
#include "bitmap.h"
#include "compat.h"
#include "cow.h"
#include "format.h"
#include "session.h"
#include "uapi/tidemark.h"

#define DM_MSG_PREFIX TM_TARGET_SNAP

#define TM_MAP_BLOCKS	1024		/* most that map() looks at */

static_assert(1 << TM_BLOCK_SHIFT == TM_BLOCK_SECTORS, "blocks");
static_assert(TM_BLOCK_BYTES == PAGE_SIZE, "a page of the pool is a block");

bool tm_cow_keeps(struct tm_cow *cow, u64 chunk)
{
	return tm_cow_is_valid(cow) && tm_cow_is_kept(cow, chunk);
}

static u64 first_block(const struct bio *bio)
{
	return bio->bi_iter.bi_sector >> TM_BLOCK_SHIFT;
}

/*
 * Settled is final, so no lock is needed to see it. RCU keeps the nodes. What
 * is too long to be looked through here (zeroes, erasing) is the worker's.
 */
static bool all_settled(struct tm_cow *cow, const struct bio *bio)
{
	u64 block = first_block(bio), end = tm_cow_end_block(bio);

	if (end - block > TM_MAP_BLOCKS)
		return false;
	for (; block < end; block++) {
		struct tm_node *node;
		unsigned long state;

		if (!tm_cow_is_kept(cow, tm_cow_chunk_of(cow, block)))
			continue;
		node = tm_store_node(&cow->store, tm_cow_chunk_of(cow, block));
		if (!node)
			return false;
		/* Acquire: the write comes after the copy. */
		state = smp_load_acquire(tm_cow_block_in(cow, node, block));
		if (!tm_block_is_settled(state))
			return false;
	}
	return true;
}

int tm_cow_write(struct tm_cow *cow, struct bio *bio, u64 first, u64 nr)
{
	struct tm_io *io = dm_per_bio_data(bio, sizeof(*io));
	unsigned long flags;
	int r;

	if (!tm_cow_is_valid(cow) ||
	    !tm_bitmap_lacks(cow->released, cow->ship, first, nr))
		return DM_MAPIO_REMAPPED;
	if (!bio_sectors(bio)) {
		tm_cow_invalidate(cow, "an operation of unknown extent");
		return DM_MAPIO_REMAPPED;
	}
	/* A discard is advice: what is still needed is better not forgotten. */
	if (bio_op(bio) == REQ_OP_DISCARD) {
		bio_endio(bio);
		return DM_MAPIO_SUBMITTED;
	}
	if (all_settled(cow, bio))
		return DM_MAPIO_REMAPPED;

	io->block = first_block(bio);
	r = DM_MAPIO_REMAPPED;
	spin_lock_irqsave(&cow->lock, flags);
	if (cow->state == TM_COW_VALID) {
		bio->bi_opf &= ~TM_REQ_IMPATIENT;
		bio_list_add(&cow->incoming, bio);
		queue_work(cow->wq, &cow->work);
		r = DM_MAPIO_SUBMITTED;
	}
	spin_unlock_irqrestore(&cow->lock, flags);
	return r;
}

void tm_cow_arm(struct tm_cow *cow, struct tm_bitmap *ship)
{
	unsigned long flags;

	spin_lock_irqsave(&cow->lock, flags);
	if (cow->state == TM_COW_WAITING) {
		if (!cow->full)
			cow->ship = tm_bitmap_get(ship);
		atomic64_set(&cow->needed, cow->full ? cow->nr_chunks :
						       tm_bitmap_count(ship));
		/* Release: who sees it valid sees its ship set. */
		smp_store_release(&cow->state, TM_COW_VALID);
	}
	spin_unlock_irqrestore(&cow->lock, flags);
}

static void invalidate_from(struct tm_cow *cow, enum tm_cow_state from,
			    const char *why)
{
	unsigned long flags;
	bool done = false;

	spin_lock_irqsave(&cow->lock, flags);
	if (cow->state == from) {
		/* Release: who sees what follows sees it invalid. */
		smp_store_release(&cow->state, TM_COW_INVALID);
		queue_work(cow->wq, &cow->work);
		done = true;
	}
	spin_unlock_irqrestore(&cow->lock, flags);
	if (done && why)
		DMERR("snapshot is invalid: %s", why);
}

void tm_cow_disarm(struct tm_cow *cow)
{
	invalidate_from(cow, TM_COW_VALID, NULL);
}

void tm_cow_invalidate(struct tm_cow *cow, const char *why)
{
	invalidate_from(cow, TM_COW_WAITING, why);
	invalidate_from(cow, TM_COW_VALID, why);
}

int tm_cow_release(struct tm_cow *cow, u64 first, u64 nr)
{
	struct tm_range *range;

	if (!tm_cow_is_valid(cow))
		return READ_ONCE(cow->state) == TM_COW_WAITING ? -EBUSY : 0;
	range = kmalloc(sizeof(*range), GFP_NOIO);
	if (!range)
		return -ENOMEM;
	range->first = first;
	range->nr = nr;
	atomic64_sub(tm_bitmap_mark_in(cow->released, cow->ship, first, nr),
		     &cow->needed);
	spin_lock_irq(&cow->lock);
	list_add_tail(&range->list, &cow->ranges);
	queue_work(cow->wq, &cow->work);
	spin_unlock_irq(&cow->lock);
	return 0;
}

static int read_slot(struct tm_cow *cow, u64 slot, struct page *page)
{
	struct bio_vec vec;
	struct bio bio;
	int r;

	tm_bio_init(&bio, cow->store_bdev, &vec, 1, REQ_OP_READ | REQ_SYNC);
	bio.bi_iter.bi_sector = slot << TM_BLOCK_SHIFT;
	__bio_add_page(&bio, page, TM_BLOCK_BYTES, 0);
	r = submit_bio_wait(&bio);
	bio_uninit(&bio);
	return r;
}

static void unpin(struct tm_cow *cow, struct tm_node *node, u64 chunk)
{
	spin_lock_irq(&cow->lock);
	if (!--node->pins && !tm_cow_is_kept(cow, chunk)) {
		cow->sweep = true;
		queue_work(cow->wq, &cow->work);
	}
	spin_unlock_irq(&cow->lock);
}

int tm_cow_fetch(struct tm_cow *cow, u64 block, struct page *page)
{
	u64 chunk = tm_cow_chunk_of(cow, block);
	struct tm_node *node;
	unsigned long state;
	int r = 0;

	/*
	 * The lock is also the barrier: the origin was read before. If that
	 * read met new data, the block had been settled before they were
	 * written, and is found settled here.
	 */
	spin_lock_irq(&cow->lock);
	if (cow->state != TM_COW_VALID || !tm_cow_is_kept(cow, chunk)) {
		spin_unlock_irq(&cow->lock);
		return -EIO;
	}
	node = tm_store_node(&cow->store, chunk);
	state = node ? *tm_cow_block_in(cow, node, block) : TM_BLOCK_NONE;
	switch (tm_block_state(state)) {
	case TM_BLOCK_NONE:
	case TM_BLOCK_COPYING:
		break;
	case TM_BLOCK_MEM:
		memcpy(page_address(page),
		       page_address(tm_block_copy(state)->page),
		       TM_BLOCK_BYTES);
		r = 1;
		break;
	case TM_BLOCK_STORE:
		node->pins++;
		r = 2;
		break;
	default:
		r = -EIO;
		break;
	}
	spin_unlock_irq(&cow->lock);
	if (r != 2)
		return r;

	r = read_slot(cow, tm_block_slot(state), page) ? -EIO : 1;
	/* The pin kept the slot; what the block means may have changed. */
	if (!tm_cow_keeps(cow, chunk))
		r = -EIO;
	unpin(cow, node, chunk);
	return r;
}

static int new_pool(struct tm_cow *cow)
{
	unsigned int i;

	cow->pool = kvcalloc(cow->pool_size, sizeof(*cow->pool), GFP_KERNEL);
	if (!cow->pool)
		return -ENOMEM;
	for (i = 0; i < cow->pool_size; i++) {
		struct tm_copy *copy = &cow->pool[i];

		copy->page = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!copy->page)
			return -ENOMEM;
		bio_list_init(&copy->waiters);
		list_add_tail(&copy->list, &cow->free);
	}
	return 0;
}

static void free_pool(struct tm_cow *cow)
{
	unsigned int i;

	if (!cow->pool)
		return;
	for (i = 0; i < cow->pool_size; i++)
		if (cow->pool[i].page)
			__free_page(cow->pool[i].page);
	kvfree(cow->pool);
}

static int new_parts(struct tm_cow *cow)
{
	u64 slots = cow->store_bdev ?
		    bdev_nr_sectors(cow->store_bdev) >> TM_BLOCK_SHIFT : 0;
	int r;

	r = tm_store_init(&cow->store, slots, 1U << cow->block_shift);
	if (r)
		return r;
	cow->released = tm_bitmap_new(cow->nr_chunks);
	if (!cow->released)
		return -ENOMEM;
	r = new_pool(cow);
	if (r)
		return r;
	r = bioset_init(&cow->read_bios, 16, offsetof(struct tm_batch, bio),
			BIOSET_NEED_BVECS);
	if (r)
		return r;
	r = bioset_init(&cow->write_bios, 16, offsetof(struct tm_batch, bio),
			BIOSET_NEED_BVECS);
	if (r)
		return r;
	cow->wq = alloc_workqueue("tidemark_cow", WQ_MEM_RECLAIM | WQ_UNBOUND,
				  1);
	cow->drain_wq = alloc_workqueue("tidemark_drain",
					WQ_MEM_RECLAIM | WQ_UNBOUND, 1);
	return cow->wq && cow->drain_wq ? 0 : -ENOMEM;
}

static void free_parts(struct tm_cow *cow)
{
	if (cow->drain_wq)
		destroy_workqueue(cow->drain_wq);
	if (cow->wq)
		destroy_workqueue(cow->wq);
	bioset_exit(&cow->write_bios);
	bioset_exit(&cow->read_bios);
	free_pool(cow);
	tm_bitmap_put(cow->ship);
	tm_bitmap_put(cow->released);
	tm_store_done(&cow->store);
	kfree(cow);
}

struct tm_cow *tm_cow_new(struct block_device *origin,
			  struct block_device *store,
			  const struct tm_geometry *geo,
			  const struct tm_cow_config *config)
{
	struct tm_cow *cow;

	cow = kzalloc(sizeof(*cow), GFP_KERNEL);
	if (!cow)
		return NULL;
	spin_lock_init(&cow->lock);
	xa_init(&cow->store.nodes);
	INIT_LIST_HEAD(&cow->free);
	INIT_LIST_HEAD(&cow->read);
	INIT_LIST_HEAD(&cow->dirty);
	INIT_LIST_HEAD(&cow->written);
	INIT_LIST_HEAD(&cow->ranges);
	init_waitqueue_head(&cow->idle);
	INIT_WORK(&cow->work, tm_copy_work);
	INIT_WORK(&cow->drain, tm_drain_work);
	INIT_DELAYED_WORK(&cow->watch, tm_copy_watch);
	cow->origin = origin;
	cow->store_bdev = store;
	cow->nr_sectors = geo->origin_sectors;
	cow->nr_chunks = geo->nr_chunks;
	cow->chunk_shift = ilog2(geo->chunk_sectors);
	cow->block_shift = cow->chunk_shift - TM_BLOCK_SHIFT;
	cow->timeout_s = config->timeout_s;
	cow->full = config->full;
	cow->pool_size = config->pool_kib / (TM_BLOCK_BYTES / 1024);
	if (new_parts(cow)) {
		free_parts(cow);
		return NULL;
	}
	return cow;
}

static bool is_idle(struct tm_cow *cow)
{
	bool idle;

	spin_lock_irq(&cow->lock);
	idle = !cow->in_flight;
	spin_unlock_irq(&cow->lock);
	return idle;
}

void tm_cow_free(struct tm_cow *cow)
{
	tm_cow_invalidate(cow, NULL);
	/* No new reads and writes begin after these; then those begun end. */
	flush_work(&cow->work);
	flush_work(&cow->drain);
	wait_event(cow->idle, is_idle(cow));
	/* What ended is taken note of; that wakes the drain, for nothing. */
	flush_work(&cow->work);
	cancel_delayed_work_sync(&cow->watch);
	free_parts(cow);
}
