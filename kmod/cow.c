// SPDX-License-Identifier: GPL-2.0-only
/*
 * cow.c - copy before write: what one cut still needs of the old data
 *
 * Invariant: while the view is valid, a write reaches a block of a kept chunk
 * only after that block is settled (MEM, STORE or BAD, see store.h).
 *
 * map() asks without a lock, and queues what has to wait; it never waits, since
 * the reads that it would wait for may be on its own task's list of bios. One
 * worker does the rest: it alone changes blocks, so that a block is copied once
 * and a change of state is nobody's race. It never waits for the store either:
 * writing there is drain.c's, on a worker of its own, and a store that does not
 * answer costs the view, not the origin.
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

#define TM_BLOCK_SHIFT	3		/* log2 of TM_BLOCK_SECTORS */
#define TM_READ_BLOCKS	64		/* most that are read at once */
#define TM_MAP_BLOCKS	1024		/* most that map() looks at */

static_assert(1 << TM_BLOCK_SHIFT == TM_BLOCK_SECTORS, "blocks");
static_assert(TM_BLOCK_BYTES == PAGE_SIZE, "a page of the pool is a block");

struct tm_range {
	struct list_head list;
	u64 first;
	u64 nr;
};

static bool is_valid(const struct tm_cow *cow)
{
	/* Acquire: who sees VALID also sees the ship set. */
	return smp_load_acquire(&cow->state) == TM_COW_VALID;
}

/* The view is, or was, valid. */
static bool is_kept(const struct tm_cow *cow, u64 chunk)
{
	return tm_bitmap_lacks(cow->released, cow->ship, chunk, 1);
}

bool tm_cow_keeps(struct tm_cow *cow, u64 chunk)
{
	return is_valid(cow) && is_kept(cow, chunk);
}

static u64 first_block(const struct bio *bio)
{
	return bio->bi_iter.bi_sector >> TM_BLOCK_SHIFT;
}

static u64 end_block(const struct bio *bio)
{
	return ((bio_end_sector(bio) - 1) >> TM_BLOCK_SHIFT) + 1;
}

static u64 chunk_of(const struct tm_cow *cow, u64 block)
{
	return block >> cow->block_shift;
}

static unsigned long *block_in(const struct tm_cow *cow, struct tm_node *node,
			       u64 block)
{
	return &node->block[block & ((1U << cow->block_shift) - 1)];
}

static unsigned int block_bytes(const struct tm_cow *cow, u64 block)
{
	u64 left = cow->nr_sectors - (block << TM_BLOCK_SHIFT);

	return min_t(u64, left, TM_BLOCK_SECTORS) << SECTOR_SHIFT;
}

/*
 * Settled is final, so no lock is needed to see it. RCU keeps the nodes. What
 * is too long to be looked through here (zeroes, erasing) is the worker's.
 */
static bool all_settled(struct tm_cow *cow, const struct bio *bio)
{
	u64 block = first_block(bio), end = end_block(bio);

	if (end - block > TM_MAP_BLOCKS)
		return false;
	for (; block < end; block++) {
		struct tm_node *node;
		unsigned long state;

		if (!is_kept(cow, chunk_of(cow, block)))
			continue;
		node = tm_store_node(&cow->store, chunk_of(cow, block));
		if (!node)
			return false;
		/* Acquire: the write comes after the copy. */
		state = smp_load_acquire(block_in(cow, node, block));
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

	if (!is_valid(cow) ||
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
static struct tm_copy *begin_copy(struct tm_cow *cow, unsigned long *at, u64 block)
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
	u64 block, end = end_block(bio), wait_block = 0;
	struct tm_copy *wait = NULL;
	bool stalled = false;
	unsigned int nr = 0;
	LIST_HEAD(copies);

	for (block = io->block; block < end; block++) {
		u64 chunk = chunk_of(cow, block);
		struct tm_copy *copy;
		struct tm_node *node;
		unsigned long *at;

		cond_resched();
		if (!is_kept(cow, chunk)) {
			block |= (1U << cow->block_shift) - 1;
			continue;
		}
		node = tm_store_make_node(&cow->store, chunk);
		if (!node) {
			tm_cow_invalidate(cow, "no memory");
			break;
		}
		at = block_in(cow, node, block);
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
	u64 chunk = chunk_of(cow, copy->block);
	struct tm_node *node = tm_store_node(&cow->store, chunk);
	unsigned long *at = block_in(cow, node, copy->block);
	u64 block = copy->block;
	bool kept = is_kept(cow, chunk);
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
	u64 chunk = chunk_of(cow, copy->block);
	struct tm_node *node = tm_store_node(&cow->store, chunk);
	bool kept = is_kept(cow, chunk);

	if (copy->status)
		tm_cow_invalidate(cow, "the store cannot be written");
	spin_lock_irq(&cow->lock);
	if (kept && !copy->status) {
		set_block(cow, block_in(cow, node, copy->block),
			  tm_block_with_slot(copy->slot));
	} else {
		set_block(cow, block_in(cow, node, copy->block),
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
		if (!is_kept(cow, chunk))
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

static void watch_work(struct work_struct *work)
{
	struct tm_cow *cow = container_of(to_delayed_work(work), struct tm_cow,
					  watch);

	tm_cow_invalidate(cow, "the store does not answer");
}

static void cow_work(struct work_struct *work)
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
		if (is_valid(cow))
			advance(cow, bio, &go);
		else
			bio_list_add(&go, bio);
	}
	watch_stalled(cow, progress);
	if (!is_valid(cow))
		let_all_go(cow, &go);
	queue_work(cow->drain_wq, &cow->drain);

	while ((bio = bio_list_pop(&go)))
		submit_bio_noacct(bio);
}

int tm_cow_release(struct tm_cow *cow, u64 first, u64 nr)
{
	struct tm_range *range;

	if (!is_valid(cow))
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
	if (!--node->pins && !is_kept(cow, chunk)) {
		cow->sweep = true;
		queue_work(cow->wq, &cow->work);
	}
	spin_unlock_irq(&cow->lock);
}

int tm_cow_fetch(struct tm_cow *cow, u64 block, struct page *page)
{
	u64 chunk = chunk_of(cow, block);
	struct tm_node *node;
	unsigned long state;
	int r = 0;

	/*
	 * The lock is also the barrier: the origin was read before. If that
	 * read met new data, the block had been settled before they were
	 * written, and is found settled here.
	 */
	spin_lock_irq(&cow->lock);
	if (cow->state != TM_COW_VALID || !is_kept(cow, chunk)) {
		spin_unlock_irq(&cow->lock);
		return -EIO;
	}
	node = tm_store_node(&cow->store, chunk);
	state = node ? *block_in(cow, node, block) : TM_BLOCK_NONE;
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
	INIT_WORK(&cow->work, cow_work);
	INIT_WORK(&cow->drain, tm_drain_work);
	INIT_DELAYED_WORK(&cow->watch, watch_work);
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
