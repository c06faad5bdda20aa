// SPDX-License-Identifier: GPL-2.0-only
/*
 * cow.c - copy before write: what one cut still needs of the old data
 *
 * Invariant: while the view is valid, a write reaches a block of a kept chunk
 * only after that block is settled (MEM, STORE or BAD, see store.h).
 *
 * map() asks without a lock. A write that meets an unsettled block begins the
 * copy there and then, and waits for it without a page of its own, for one
 * block at a time; the interrupt that ends the read settles the block, and a
 * worker, copy.c, passes the write on. map() never waits, since the reads that
 * it would wait for may be on its own task's list of bios: what finds no memory
 * or no page is queued for the worker. Neither waits for the store: writing
 * there is drain.c's, on a worker of its own, and a store that does not answer
 * costs the view, not the origin.
 *
 * Words of the index change under cow->lock, and are read without: settled is
 * final while the chunk is kept. A chunk is released, and the view made
 * invalid, before what it held is given back, so who looks at that last knows
 * whether what was read before was right.
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

#define TM_SETTLED_BLOCKS	1024	/* most that map() looks at */
#define TM_MAP_BLOCKS		64	/* most of which it begins copies */

static_assert(1 << TM_BLOCK_SHIFT == TM_BLOCK_SECTORS, "blocks");
static_assert(TM_BLOCK_BYTES == PAGE_SIZE, "a page of the pool is a block");

bool tm_cow_keeps(struct tm_cow *cow, u64 first, u64 nr)
{
	if (!tm_cow_is_valid(cow))
		return false;
	for (; nr; first++, nr--)
		if (!tm_cow_is_kept(cow, first))
			return false;
	return true;
}

/* What is too long to be looked through here (zeroes, erasing) is not. */
static bool all_settled(struct tm_cow *cow, const struct bio *bio)
{
	u64 block = tm_cow_first_block(bio), end = tm_cow_end_block(bio);

	if (end - block > TM_SETTLED_BLOCKS)
		return false;
	for (; block < end; block++)
		if (tm_cow_is_kept(cow, tm_cow_chunk_of(cow, block)) &&
		    !tm_block_is_settled(tm_store_word(&cow->store, block)))
			return false;
	return true;
}

/* cow->lock held, the view is valid. */
static int copy_before(struct tm_cow *cow, struct bio *bio,
		       struct list_head *copies)
{
	struct tm_io *io = dm_per_bio_data(bio, sizeof(*io));
	enum tm_advance how = TM_ADVANCE_STALL;

	io->settled = tm_cow_first_block(bio);
	io->begun = io->settled;
	/*
	 * A writer alone is served at once. Many are by the worker, in the
	 * order in which they came: their reads then start, and end, together.
	 */
	if (bio_list_empty(&cow->stalled) && !cow->reading &&
	    tm_cow_end_block(bio) - io->settled <= TM_MAP_BLOCKS)
		how = tm_copy_advance(cow, bio, copies);
	if (how == TM_ADVANCE_GO)
		return DM_MAPIO_REMAPPED;
	bio->bi_opf &= ~TM_REQ_IMPATIENT;
	if (how != TM_ADVANCE_WAIT) {
		bio_list_add(&cow->stalled, bio);
		queue_work(cow->wq, &cow->work);
	}
	return DM_MAPIO_SUBMITTED;
}

int tm_cow_write(struct tm_cow *cow, struct bio *bio, u64 first, u64 nr,
		 struct bio_list *reads)
{
	blk_opf_t nowait = bio->bi_opf & REQ_NOWAIT;
	int r = DM_MAPIO_REMAPPED;
	unsigned long flags;
	LIST_HEAD(copies);

	if (!tm_cow_is_valid(cow) ||
	    !tm_bitmap_lacks(cow->released, cow->ship, first, nr))
		return DM_MAPIO_REMAPPED;
	if (!bio_sectors(bio)) {
		tm_cow_invalidate(cow, TM_CAUSE_UNKNOWN);
		return DM_MAPIO_REMAPPED;
	}
	/* A discard is advice: what is still needed is better not forgotten. */
	if (bio_op(bio) == REQ_OP_DISCARD) {
		bio_endio(bio);
		return DM_MAPIO_SUBMITTED;
	}
	if (all_settled(cow, bio))
		return DM_MAPIO_REMAPPED;

	spin_lock_irqsave(&cow->lock, flags);
	if (cow->state == TM_COW_VALID)
		r = copy_before(cow, bio, &copies);
	spin_unlock_irqrestore(&cow->lock, flags);
	tm_copy_read(cow, &copies, REQ_OP_READ | nowait, reads);
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

static const char *const why[] = {
	[TM_CAUSE_FULL] = "no room left for old data",
	[TM_CAUSE_FAILED] = "the store cannot be written",
	[TM_CAUSE_SILENT] = "the store does not answer",
	[TM_CAUSE_MEMORY] = "no memory",
	[TM_CAUSE_GONE] = "its tracked device ended, was exchanged, or hibernates",
	[TM_CAUSE_UNKNOWN] = "an operation of unknown extent",
};

static void event_work(struct work_struct *work)
{
	struct tm_cow *cow = container_of(work, struct tm_cow, event);

	dm_table_event(cow->table);
}

void tm_cow_invalidate_locked(struct tm_cow *cow, enum tm_cow_cause cause)
{
	lockdep_assert_held(&cow->lock);
	if (cow->state == TM_COW_INVALID)
		return;
	cow->cause = cause;
	/* Release: who sees what follows sees it invalid. */
	smp_store_release(&cow->state, TM_COW_INVALID);
	queue_work(cow->wq, &cow->work);
	if (cause == TM_CAUSE_ENDED)
		return;
	DMERR("snapshot is invalid: %s", why[cause]);
	queue_work(tm_timer_wq, &cow->event);
}

void tm_cow_invalidate(struct tm_cow *cow, enum tm_cow_cause cause)
{
	unsigned long flags;

	spin_lock_irqsave(&cow->lock, flags);
	tm_cow_invalidate_locked(cow, cause);
	spin_unlock_irqrestore(&cow->lock, flags);
}

void tm_cow_disarm(struct tm_cow *cow)
{
	unsigned long flags;

	spin_lock_irqsave(&cow->lock, flags);
	if (cow->state == TM_COW_VALID)
		tm_cow_invalidate_locked(cow, TM_CAUSE_ENDED);
	spin_unlock_irqrestore(&cow->lock, flags);
}

void tm_cow_watch_level(struct tm_cow *cow)
{
	u64 used = cow->store_bdev ? cow->store.used : cow->pool_used;
	u64 size = cow->store_bdev ? cow->store.nr_slots : cow->pool_size;
	bool above = cow->watermark && used * 100 >= size * cow->watermark;

	lockdep_assert_held(&cow->lock);
	if (above && !cow->above_watermark)
		queue_work(tm_timer_wq, &cow->event);
	cow->above_watermark = above;
}

void tm_cow_wake_idle(struct tm_cow *cow)
{
	lockdep_assert_held(&cow->lock);
	if (!cow->reading && !cow->writing)
		wake_up(&cow->idle);
}

void tm_cow_free_copy(struct tm_cow *cow, struct tm_copy *copy)
{
	lockdep_assert_held(&cow->lock);
	list_move(&copy->list, &cow->free);
	cow->pool_used--;
	cow->moved = jiffies;
	if (!bio_list_empty(&cow->stalled))
		queue_work(cow->wq, &cow->work);
}

/* Gives back what released chunks hold, but for what an I/O is using. */
static void trim_node(struct tm_cow *cow, u64 block)
{
	struct tm_node *node;
	unsigned int i;

	spin_lock_irq(&cow->lock);
	node = tm_store_node(&cow->store, block);
	for (i = 0; node && i < TM_NODE_BLOCKS; i++) {
		u32 word = node->word[i];
		struct tm_copy *copy;

		if (tm_cow_is_kept(cow, tm_cow_chunk_of(cow, block + i)))
			continue;
		switch (tm_block_state(word)) {
		case TM_BLOCK_COPYING:
			continue;
		case TM_BLOCK_MEM:
			copy = tm_cow_copy_of(cow, word);
			if (copy->writing)
				continue;
			cow->nr_dirty--;
			tm_cow_free_copy(cow, copy);
			break;
		case TM_BLOCK_STORE:
			tm_store_free(&cow->store, tm_block_number(word));
			break;
		default:
			break;
		}
		tm_store_set(&node->word[i], TM_BLOCK_NONE);
	}
	if (node)
		tm_store_drop_node(&cow->store, node, block);
	tm_cow_watch_level(cow);
	spin_unlock_irq(&cow->lock);
}

int tm_cow_release(struct tm_cow *cow, u64 first, u64 nr)
{
	u64 block = first << cow->block_shift;
	u64 last = block + (nr << cow->block_shift) - 1;
	struct tm_node *node;
	unsigned long index;

	if (!tm_cow_is_valid(cow))
		return READ_ONCE(cow->state) == TM_COW_WAITING ? -EBUSY : 0;
	atomic64_sub(tm_bitmap_mark_in(cow->released, cow->ship, first, nr),
		     &cow->needed);
	/* Ends of I/O look at what is released under the lock, after us. */
	xa_for_each_range(&cow->store.nodes, index, node,
			  block >> TM_NODE_SHIFT, last >> TM_NODE_SHIFT) {
		trim_node(cow, (u64)index << TM_NODE_SHIFT);
		cond_resched();
	}
	return 0;
}

static int new_pool(struct tm_cow *cow)
{
	unsigned int i;

	cow->pool = kvcalloc(cow->pool_size, sizeof(*cow->pool), GFP_KERNEL);
	if (!cow->pool)
		return -ENOMEM;
	for (i = 0; i < cow->pool_size; i++) {
		struct tm_copy *copy = &cow->pool[i];

		copy->page = alloc_page(GFP_KERNEL);
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

	r = tm_store_init(&cow->store, min_t(u64, slots, TM_SLOTS_MAX));
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
	/* Two: what goes is passed on beside what is begun. */
	cow->wq = alloc_workqueue("tidemark_cow", WQ_MEM_RECLAIM | WQ_UNBOUND,
				  2);
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
			  struct block_device *store, struct dm_table *table,
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
	INIT_LIST_HEAD(&cow->unread);
	INIT_LIST_HEAD(&cow->dirty);
	init_waitqueue_head(&cow->idle);
	INIT_WORK(&cow->work, tm_copy_work);
	INIT_WORK(&cow->pass, tm_pass_work);
	INIT_DELAYED_WORK(&cow->drain, tm_drain_work);
	INIT_DELAYED_WORK(&cow->watch, tm_copy_watch);
	INIT_WORK(&cow->event, event_work);
	cow->origin = origin;
	cow->store_bdev = store;
	cow->table = table;
	cow->nr_sectors = geo->origin_sectors;
	cow->nr_chunks = geo->nr_chunks;
	cow->chunk_shift = ilog2(geo->chunk_sectors);
	cow->block_shift = cow->chunk_shift - TM_BLOCK_SHIFT;
	cow->timeout_s = config->timeout_s;
	cow->watermark = config->watermark;
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
	idle = !cow->reading && !cow->writing;
	spin_unlock_irq(&cow->lock);
	return idle;
}

void tm_cow_free(struct tm_cow *cow)
{
	tm_cow_invalidate(cow, TM_CAUSE_ENDED);
	/* No new reads and writes begin after these; then those begun end. */
	flush_work(&cow->work);
	cancel_delayed_work_sync(&cow->drain);
	wait_event(cow->idle, is_idle(cow));
	/* Their ends let the last writers go. */
	flush_work(&cow->work);
	flush_work(&cow->pass);
	cancel_delayed_work_sync(&cow->watch);
	cancel_work_sync(&cow->event);
	free_parts(cow);
}
