// SPDX-License-Identifier: GPL-2.0-only
/*
 * copy.c - the worker of a snapshot: old data into the pool before a write
 *
 * It alone changes what becomes of a block, and it waits for nothing but the
 * origin. The states and their transitions are drawn in store.h.
 */
#include <linux/device-mapper.h>
#include <linux/slab.h>
#include "bitmap.h"
#include "compat.h"
#include "cow.h"
#include "session.h"
#include "uapi/tidemark.h"

#define DM_MSG_PREFIX TM_TARGET_SNAP

#define TM_READ_BLOCKS	64		/* most that are read at once */

/* What of a block there is; the origin may end within the last one. */
static unsigned int block_bytes(const struct tm_cow *cow, u64 block)
{
	u64 left = cow->nr_sectors - (block << TM_BLOCK_SHIFT);

	return min_t(u64, left, TM_BLOCK_SECTORS) << SECTOR_SHIFT;
}

/* A page of the pool for this block, or NULL when all are taken. */
static struct tm_copy *take_copy(struct tm_cow *cow, u64 block)
{
	struct tm_copy *copy;

	spin_lock_irq(&cow->lock);
	copy = list_first_entry_or_null(&cow->free, struct tm_copy, list);
	if (copy) {
		list_del_init(&copy->list);
		cow->pool_used++;
		copy->block = block;
		copy->writing = false;
	}
	spin_unlock_irq(&cow->lock);
	return copy;
}

/* cow->lock held. */
static void free_copy(struct tm_cow *cow, struct tm_copy *copy)
{
	lockdep_assert_held(&cow->lock);
	list_move(&copy->list, &cow->free);
	cow->pool_used--;
}

struct tm_batch *tm_batch_new(struct tm_cow *cow, struct bio_set *bios,
			      struct block_device *bdev, blk_opf_t opf,
			      struct list_head *copies, unsigned int nr)
{
	struct tm_batch *batch;
	struct tm_copy *copy;
	struct bio *bio;

	/* Cannot fail: the set keeps some in reserve, and they come back. */
	bio = tm_bio_alloc(bdev, nr, opf, GFP_NOIO, bios);
	batch = container_of(bio, struct tm_batch, bio);
	batch->cow = cow;
	INIT_LIST_HEAD(&batch->copies);
	list_splice_init(copies, &batch->copies);
	/* The origin may end within a block; a slot is always whole. */
	list_for_each_entry(copy, &batch->copies, list)
		__bio_add_page(bio, copy->page, bios == &cow->read_bios ?
			       block_bytes(cow, copy->block) : TM_BLOCK_BYTES,
			       0);
	return batch;
}

void tm_cow_ended(struct tm_cow *cow, struct list_head *copies,
		  struct list_head *list, blk_status_t status)
{
	struct tm_copy *copy;
	unsigned long flags;

	list_for_each_entry(copy, copies, list)
		copy->status = status;
	/* After the lock is dropped, the object may be gone. */
	spin_lock_irqsave(&cow->lock, flags);
	list_splice_tail_init(copies, list);
	if (list == &cow->written)
		cow->writes_in_flight--;
	queue_work(cow->wq, &cow->work);
	if (!--cow->in_flight)
		wake_up(&cow->idle);
	spin_unlock_irqrestore(&cow->lock, flags);
}

static void read_ended(struct bio *bio)
{
	struct tm_batch *batch = container_of(bio, struct tm_batch, bio);
	blk_status_t status = bio->bi_status;
	struct tm_cow *cow = batch->cow;
	LIST_HEAD(copies);

	list_splice_init(&batch->copies, &copies);
	bio_put(bio);
	tm_cow_ended(cow, &copies, &cow->read, status);
}

/* Neighbouring blocks, all COPYING by now. */
static void read_copies(struct tm_cow *cow, struct list_head *copies,
			unsigned int nr)
{
	struct tm_batch *batch;
	u64 block;

	if (!nr)
		return;
	block = list_first_entry(copies, struct tm_copy, list)->block;
	batch = tm_batch_new(cow, &cow->read_bios, cow->origin, REQ_OP_READ,
			     copies, nr);
	batch->bio.bi_iter.bi_sector = block << TM_BLOCK_SHIFT;
	batch->bio.bi_end_io = read_ended;
	spin_lock_irq(&cow->lock);
	cow->in_flight++;
	spin_unlock_irq(&cow->lock);
	submit_bio_noacct(&batch->bio);
}

static void set_block(struct tm_cow *cow, unsigned long *at, unsigned long to)
{
	lockdep_assert_held(&cow->lock);
	/* Release: who sees it settled may overwrite, after the copy. */
	smp_store_release(at, to);
}

/*
 * NONE -> COPYING. NULL: no page for it. The read is for the caller to start;
 * no write is let through before it has ended.
 */
static struct tm_copy *begin_copy(struct tm_cow *cow, unsigned long *at,
				  u64 block)
{
	struct tm_copy *copy = take_copy(cow, block);

	if (!copy)
		return NULL;
	bio_list_init(&copy->waiters);
	spin_lock_irq(&cow->lock);
	set_block(cow, at, tm_block_with_copy(TM_BLOCK_COPYING, copy));
	spin_unlock_irq(&cow->lock);
	return copy;
}

/*
 * Takes a write as far as it can go: begins what copies it needs and there are
 * pages for, and then either lets it wait or adds it to @go.
 */
static void advance(struct tm_cow *cow, struct bio *bio, struct bio_list *go)
{
	struct tm_io *io = dm_per_bio_data(bio, sizeof(*io));
	u64 block, end = tm_cow_end_block(bio), wait_block = 0;
	struct tm_copy *wait = NULL;
	bool stalled = false;
	unsigned int nr = 0;
	LIST_HEAD(copies);

	for (block = io->block; block < end; block++) {
		u64 chunk = tm_cow_chunk_of(cow, block);
		struct tm_copy *copy;
		struct tm_node *node;
		unsigned long *at;

		cond_resched();
		if (!tm_cow_is_kept(cow, chunk)) {
			block |= (1U << cow->block_shift) - 1;
			continue;
		}
		node = tm_store_make_node(&cow->store, chunk);
		if (!node) {
			tm_cow_invalidate(cow, "no memory");
			break;
		}
		at = tm_cow_block_in(cow, node, block);
		if (tm_block_is_settled(*at))
			continue;
		if (tm_block_state(*at) == TM_BLOCK_NONE) {
			copy = begin_copy(cow, at, block);
			if (!copy) {
				stalled = true;
				break;
			}
			/* Only neighbours are read together. */
			if (nr == TM_READ_BLOCKS ||
			    (nr && list_last_entry(&copies, struct tm_copy,
						   list)->block + 1 != block)) {
				read_copies(cow, &copies, nr);
				nr = 0;
			}
			list_add_tail(&copy->list, &copies);
			nr++;
		}
		if (!wait) {
			wait = tm_block_copy(*at);
			wait_block = block;
		}
	}
	read_copies(cow, &copies, nr);

	if (wait) {
		io->block = wait_block;
		bio_list_add(&wait->waiters, bio);
	} else if (stalled) {
		io->block = block;
		bio_list_add(&cow->stalled, bio);
	} else {
		bio_list_add(go, bio);
	}
}

/* A released chunk: gives back what no I/O and no reader uses. */
static void trim_node(struct tm_cow *cow, u64 chunk)
{
	struct tm_node *node = tm_store_node(&cow->store, chunk);
	bool empty;
	u32 i;

	if (!node)
		return;
	spin_lock_irq(&cow->lock);
	empty = !node->pins;
	for (i = 0; i < 1U << cow->block_shift; i++) {
		unsigned long block = node->block[i];
		struct tm_copy *copy = tm_block_copy(block);

		switch (tm_block_state(block)) {
		case TM_BLOCK_COPYING:
			empty = false;
			break;
		case TM_BLOCK_MEM:
			if (copy->writing) {
				empty = false;
				break;
			}
			free_copy(cow, copy);
			set_block(cow, &node->block[i], TM_BLOCK_NONE);
			break;
		case TM_BLOCK_STORE:
			if (node->pins)
				break;
			tm_store_free(&cow->store, tm_block_slot(block));
			set_block(cow, &node->block[i], TM_BLOCK_NONE);
			break;
		default:
			break;
		}
	}
	spin_unlock_irq(&cow->lock);
	if (empty)
		tm_store_drop_node(&cow->store, chunk);
}

/* COPYING -> MEM, BAD, or NONE when nobody asks any more. */
static void end_read(struct tm_cow *cow, struct tm_copy *copy,
		     struct bio_list *ready)
{
	u64 chunk = tm_cow_chunk_of(cow, copy->block);
	struct tm_node *node = tm_store_node(&cow->store, chunk);
	unsigned long *at = tm_cow_block_in(cow, node, copy->block);
	u64 block = copy->block;
	bool kept = tm_cow_is_kept(cow, chunk);
	bool bad = copy->status;

	bio_list_merge(ready, &copy->waiters);
	bio_list_init(&copy->waiters);
	spin_lock_irq(&cow->lock);
	if (!kept || cow->state != TM_COW_VALID) {
		set_block(cow, at, TM_BLOCK_NONE);
		free_copy(cow, copy);
	} else if (bad) {
		set_block(cow, at, TM_BLOCK_BAD);
		free_copy(cow, copy);
	} else {
		set_block(cow, at, tm_block_with_copy(TM_BLOCK_MEM, copy));
		list_move_tail(&copy->list, &cow->dirty);
	}
	spin_unlock_irq(&cow->lock);

	if (!kept)
		trim_node(cow, chunk);
	else if (bad)
		DMWARN_LIMIT("origin block %llu is unreadable: lost to the snapshot",
			     block);
}

/* MEM -> STORE, or NONE when nobody asks any more. */
static void end_write(struct tm_cow *cow, struct tm_copy *copy)
{
	u64 chunk = tm_cow_chunk_of(cow, copy->block);
	struct tm_node *node = tm_store_node(&cow->store, chunk);
	bool kept = tm_cow_is_kept(cow, chunk);

	if (copy->status)
		tm_cow_invalidate(cow, "the store cannot be written");
	spin_lock_irq(&cow->lock);
	if (kept && !copy->status) {
		set_block(cow, tm_cow_block_in(cow, node, copy->block),
			  tm_block_with_slot(copy->slot));
	} else {
		set_block(cow, tm_cow_block_in(cow, node, copy->block),
			  TM_BLOCK_NONE);
		tm_store_free(&cow->store, copy->slot);
	}
	free_copy(cow, copy);
	spin_unlock_irq(&cow->lock);
	if (!kept)
		trim_node(cow, chunk);
}

static void trim_range(struct tm_cow *cow, u64 first, u64 nr)
{
	struct tm_node *node;
	unsigned long chunk;

	xa_for_each_range(&cow->store.nodes, chunk, node, first,
			  first + nr - 1) {
		if (!tm_cow_is_kept(cow, chunk))
			trim_node(cow, chunk);
		cond_resched();
	}
}

static void trim_released(struct tm_cow *cow, struct list_head *ranges,
			  bool sweep)
{
	struct tm_range *range, *tmp;

	if (sweep)
		trim_range(cow, 0, cow->nr_chunks);
	list_for_each_entry_safe(range, tmp, ranges, list) {
		trim_range(cow, range->first, range->nr);
		kfree(range);
	}
}

/* INVALID: nobody waits for anything any more. */
static void let_all_go(struct tm_cow *cow, struct bio_list *go)
{
	unsigned int i;

	bio_list_merge(go, &cow->stalled);
	bio_list_init(&cow->stalled);
	for (i = 0; i < cow->pool_size; i++) {
		bio_list_merge(go, &cow->pool[i].waiters);
		bio_list_init(&cow->pool[i].waiters);
	}
}

/* Writers that want a page wait for the store, but not for ever. */
static void watch_stalled(struct tm_cow *cow, bool progress)
{
	if (bio_list_empty(&cow->stalled)) {
		cancel_delayed_work(&cow->watch);
		return;
	}
	if (!cow->store_bdev)
		tm_cow_invalidate(cow, "the pool is full, and there is no store");
	else if (progress)
		mod_delayed_work(tm_timer_wq, &cow->watch, cow->timeout_s * HZ);
	else
		queue_delayed_work(tm_timer_wq, &cow->watch,
				   cow->timeout_s * HZ);
}

void tm_copy_watch(struct work_struct *work)
{
	struct tm_cow *cow = container_of(to_delayed_work(work), struct tm_cow,
					  watch);

	tm_cow_invalidate(cow, "the store does not answer");
}

void tm_copy_work(struct work_struct *work)
{
	struct tm_cow *cow = container_of(work, struct tm_cow, work);
	struct bio_list ready, incoming, go = BIO_EMPTY_LIST;
	struct tm_copy *copy, *tmp;
	LIST_HEAD(written);
	LIST_HEAD(ranges);
	LIST_HEAD(read);
	struct bio *bio;
	bool progress;
	bool sweep;

	spin_lock_irq(&cow->lock);
	list_splice_init(&cow->read, &read);
	list_splice_init(&cow->written, &written);
	list_splice_init(&cow->ranges, &ranges);
	sweep = cow->sweep;
	cow->sweep = false;
	incoming = cow->incoming;
	bio_list_init(&cow->incoming);
	spin_unlock_irq(&cow->lock);

	progress = !list_empty(&written);
	list_for_each_entry_safe(copy, tmp, &written, list)
		end_write(cow, copy);
	trim_released(cow, &ranges, sweep);

	/* Who has waited for a page comes first, then who for a block. */
	ready = cow->stalled;
	bio_list_init(&cow->stalled);
	list_for_each_entry_safe(copy, tmp, &read, list)
		end_read(cow, copy, &ready);
	bio_list_merge(&ready, &incoming);

	while ((bio = bio_list_pop(&ready))) {
		if (tm_cow_is_valid(cow))
			advance(cow, bio, &go);
		else
			bio_list_add(&go, bio);
	}
	watch_stalled(cow, progress);
	if (!tm_cow_is_valid(cow))
		let_all_go(cow, &go);
	queue_work(cow->drain_wq, &cow->drain);

	while ((bio = bio_list_pop(&go)))
		submit_bio_noacct(bio);
}
