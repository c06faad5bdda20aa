// SPDX-License-Identifier: GPL-2.0-only
/*
 * copy.c - old data into the pool before a write, and the worker that passes
 * the write on
 *
 * Waits for nothing but the origin. The states of a block and their transitions
 * are drawn in store.h.
 */
#include <linux/blk-cgroup.h>
#include <linux/device-mapper.h>
#include <linux/ioprio.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include "bitmap.h"
#include "compat.h"
#include "cow.h"
#include "session.h"
#include "uapi/tidemark.h"

#define DM_MSG_PREFIX TM_TARGET_SNAP

#define TM_STEP_BLOCKS	256	/* most that are looked at under the lock */
#define IOPRIO_BE_NORMAL	4	/* what a task without a choice has */

/* What of a block there is; the origin may end within the last one. */
static unsigned int block_bytes(const struct tm_cow *cow, u64 block)
{
	u64 left = cow->nr_sectors - (block << TM_BLOCK_SHIFT);

	return min_t(u64, left, TM_BLOCK_SECTORS) << SECTOR_SHIFT;
}

/* The block that they waited for is settled. */
static void wake_waiters(struct tm_cow *cow, struct tm_copy *copy)
{
	struct bio *bio;

	while ((bio = bio_list_pop(&copy->waiters))) {
		struct tm_io *io = dm_per_bio_data(bio, sizeof(*io));

		if (++io->settled >= tm_cow_end_block(bio)) {
			bio_list_add(&cow->go, bio);
			queue_work(cow->wq, &cow->pass);
		} else {
			bio_list_add(&cow->stalled, bio);
			queue_work(cow->wq, &cow->work);
		}
	}
}

/* COPYING -> MEM, BAD, or NONE when nobody asks any more. */
static void end_read(struct tm_cow *cow, struct tm_copy *copy,
		     blk_status_t status)
{
	struct tm_node *node = tm_store_node(&cow->store, copy->block);
	u32 *at = tm_store_at(node, copy->block);

	wake_waiters(cow, copy);
	cow->reading--;
	if (cow->state != TM_COW_VALID ||
	    !tm_cow_is_kept(cow, tm_cow_chunk_of(cow, copy->block))) {
		tm_store_set(at, TM_BLOCK_NONE);
		tm_store_drop_node(&cow->store, node, copy->block);
		tm_cow_free_copy(cow, copy);
	} else if (status) {
		DMWARN_LIMIT("origin block %llu is unreadable: lost to the snapshot",
			     copy->block);
		tm_store_set(at, TM_BLOCK_BAD);
		tm_cow_free_copy(cow, copy);
	} else {
		tm_store_set(at, tm_cow_word_of(cow, TM_BLOCK_MEM, copy));
		list_move_tail(&copy->list, &cow->dirty);
		cow->nr_dirty++;
	}
}

/* Together or in haste: that one cannot be read says nothing of the others. */
static void read_again(struct tm_cow *cow, struct list_head *copies)
{
	struct tm_copy *copy;

	list_for_each_entry(copy, copies, list)
		copy->alone = true;
	list_splice_tail_init(copies, &cow->unread);
	queue_work(cow->wq, &cow->work);
}

static void read_ended(struct bio *bio)
{
	struct tm_batch *batch = container_of(bio, struct tm_batch, bio);
	blk_status_t status = bio->bi_status;
	bool haste = bio->bi_opf & REQ_NOWAIT;
	struct tm_cow *cow = batch->cow;
	struct tm_copy *copy, *tmp;
	unsigned long flags;
	LIST_HEAD(copies);

	list_splice_init(&batch->copies, &copies);
	bio_put(bio);
	/* After the lock is dropped, the object may be gone. */
	spin_lock_irqsave(&cow->lock, flags);
	if (status && (haste || !list_is_singular(&copies)))
		read_again(cow, &copies);
	list_for_each_entry_safe(copy, tmp, &copies, list)
		end_read(cow, copy, status);
	/* Else who passes the write on does it, after that. */
	if (cow->reading)
		tm_drain_kick(cow);
	tm_cow_wake_idle(cow);
	spin_unlock_irqrestore(&cow->lock, flags);
}

/* How many of @copies are of neighbouring blocks, from the first one on. */
static unsigned int count_run(struct list_head *copies)
{
	struct tm_copy *copy;
	unsigned int nr = 0;
	u64 next = 0;

	list_for_each_entry(copy, copies, list) {
		if (nr && (copy->alone || copy->block != next))
			break;
		next = copy->block + 1;
		if (++nr == BIO_MAX_VECS || copy->alone)
			break;
	}
	return nr;
}

/* It is not the writer's own: others wait for it, and so may a cut. */
static void disown(struct bio *bio)
{
	bio_associate_blkg_from_css(bio, blkcg_root_css);
	bio->bi_ioprio = IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, IOPRIO_BE_NORMAL);
}

static struct bio *new_read(struct tm_cow *cow, struct list_head *copies,
			    blk_opf_t opf, gfp_t gfp)
{
	unsigned int nr = count_run(copies);
	struct tm_batch *batch;
	struct tm_copy *copy;
	struct bio *bio;

	bio = tm_bio_alloc(cow->origin, nr, opf, gfp, &cow->read_bios);
	if (!bio)
		return NULL;
	disown(bio);
	batch = container_of(bio, struct tm_batch, bio);
	batch->cow = cow;
	INIT_LIST_HEAD(&batch->copies);
	copy = list_first_entry(copies, struct tm_copy, list);
	bio->bi_iter.bi_sector = copy->block << TM_BLOCK_SHIFT;
	bio->bi_end_io = read_ended;
	for (; nr; nr--) {
		unsigned int bytes;

		copy = list_first_entry(copies, struct tm_copy, list);
		list_move_tail(&copy->list, &batch->copies);
		bytes = block_bytes(cow, copy->block);
		/* A slot is always whole, and must not tell what was here. */
		memset(page_address(copy->page) + bytes, 0,
		       TM_BLOCK_BYTES - bytes);
		__bio_add_page(bio, copy->page, bytes, 0);
	}
	return bio;
}

void tm_copy_read(struct tm_cow *cow, struct list_head *copies, blk_opf_t opf,
		  struct bio_list *reads)
{
	gfp_t gfp = reads ? GFP_NOWAIT | __GFP_NOWARN : GFP_NOIO;
	unsigned long flags;
	struct bio *bio;

	while (!list_empty(copies)) {
		bio = new_read(cow, copies, opf, gfp);
		if (!bio)
			break;
		if (reads)
			bio_list_add(reads, bio);
		else
			submit_bio_noacct(bio);
	}
	if (list_empty(copies))
		return;
	spin_lock_irqsave(&cow->lock, flags);
	list_splice_tail_init(copies, &cow->unread);
	queue_work(cow->wq, &cow->work);
	spin_unlock_irqrestore(&cow->lock, flags);
}

/*
 * NONE -> COPYING. NULL: no page for it. The read is for the caller to start;
 * no write is let through before it has ended.
 */
static struct tm_copy *begin_copy(struct tm_cow *cow, u32 *at, u64 block,
				  struct list_head *copies)
{
	struct tm_copy *copy;

	copy = list_first_entry_or_null(&cow->free, struct tm_copy, list);
	if (!copy)
		return NULL;
	list_move_tail(&copy->list, copies);
	copy->block = block;
	copy->writing = false;
	copy->alone = false;
	cow->pool_used++;
	cow->reading++;
	cow->moved = jiffies;
	if (!cow->store_bdev)
		tm_cow_watch_level(cow);
	tm_store_set(at, tm_cow_word_of(cow, TM_BLOCK_COPYING, copy));
	return copy;
}

enum tm_advance tm_copy_advance(struct tm_cow *cow, struct bio *bio,
				struct list_head *copies)
{
	struct tm_io *io = dm_per_bio_data(bio, sizeof(*io));
	u64 block, end = tm_cow_end_block(bio);
	enum tm_advance how = TM_ADVANCE_GO;
	unsigned int left = TM_STEP_BLOCKS;
	struct tm_copy *wait = NULL;
	struct tm_node *node;
	u32 *at;

	lockdep_assert_held(&cow->lock);
	for (block = io->settled; block < end; block++) {
		/* The first to wait for is known, and what was begun is. */
		if (wait && block < io->begun) {
			block = io->begun;
			if (block >= end)
				break;
		}
		if (!left--) {
			how = TM_ADVANCE_AGAIN;
			break;
		}
		if (!tm_cow_is_kept(cow, tm_cow_chunk_of(cow, block))) {
			block |= (1ULL << cow->block_shift) - 1;
			continue;
		}
		node = tm_store_make_node(&cow->store, block);
		if (!node) {
			how = TM_ADVANCE_MEMORY;
			break;
		}
		at = tm_store_at(node, block);
		if (tm_block_is_settled(*at))
			continue;
		if (tm_block_state(*at) == TM_BLOCK_NONE &&
		    !begin_copy(cow, at, block, copies)) {
			how = TM_ADVANCE_STALL;
			break;
		}
		if (!wait) {
			wait = tm_cow_copy_of(cow, *at);
			io->settled = block;
		}
	}
	io->begun = max(io->begun, block);
	if (!wait)
		io->settled = block;
	if (!wait || (how != TM_ADVANCE_GO && how != TM_ADVANCE_STALL))
		return how;
	bio_list_add(&wait->waiters, bio);
	return TM_ADVANCE_WAIT;
}

/* Writers that want a page wait for the store, but not for ever. */
static void starve(struct tm_cow *cow)
{
	lockdep_assert_held(&cow->lock);
	if (cow->store_bdev)
		queue_delayed_work(tm_timer_wq, &cow->watch,
				   cow->timeout_s * HZ);
	else
		tm_cow_invalidate_locked(cow, TM_CAUSE_FULL);
}

void tm_copy_watch(struct work_struct *work)
{
	struct tm_cow *cow = container_of(to_delayed_work(work), struct tm_cow,
					  watch);
	unsigned long end;

	spin_lock_irq(&cow->lock);
	end = cow->moved + cow->timeout_s * HZ;
	if (cow->state == TM_COW_VALID && list_empty(&cow->free) &&
	    !bio_list_empty(&cow->stalled)) {
		/* While nothing is written, it is the origin that is slow. */
		if (time_before(jiffies, end))
			queue_delayed_work(tm_timer_wq, &cow->watch,
					   end - jiffies);
		else if (cow->writing)
			tm_cow_invalidate_locked(cow, TM_CAUSE_SILENT);
		else
			starve(cow);
	}
	spin_unlock_irq(&cow->lock);
}

/*
 * Takes the first write further. False: there is nothing more to do. cow->lock
 * held. *@ret_block: where memory is wanted, if it is.
 */
static bool step(struct tm_cow *cow, struct list_head *copies, u64 *ret_block,
		 enum tm_advance *ret_how)
{
	struct bio *bio = bio_list_pop(&cow->stalled);

	if (!bio)
		return false;
	*ret_how = cow->state == TM_COW_VALID ?
			   tm_copy_advance(cow, bio, copies) : TM_ADVANCE_GO;
	switch (*ret_how) {
	case TM_ADVANCE_GO:
		bio_list_add(&cow->go, bio);
		queue_work(cow->wq, &cow->pass);
		return true;
	case TM_ADVANCE_WAIT:
		return true;
	default:
		*ret_block = ((struct tm_io *)
			      dm_per_bio_data(bio, sizeof(struct tm_io)))->begun;
		bio_list_add_head(&cow->stalled, bio);
		if (*ret_how == TM_ADVANCE_STALL)
			starve(cow);
		/* If that was the end of the view, they all go. */
		return *ret_how != TM_ADVANCE_STALL ||
		       cow->state != TM_COW_VALID;
	}
}

/* Begins what waits to be begun, in order, and for as long as there are pages. */
void tm_copy_work(struct work_struct *work)
{
	struct tm_cow *cow = container_of(work, struct tm_cow, work);
	unsigned int noio = memalloc_noio_save();
	enum tm_advance how;
	LIST_HEAD(copies);
	u64 block = 0;
	bool more;

	do {
		how = TM_ADVANCE_GO;
		spin_lock_irq(&cow->lock);
		list_splice_init(&cow->unread, &copies);
		more = step(cow, &copies, &block, &how);
		if (!more)
			tm_drain_kick(cow);
		spin_unlock_irq(&cow->lock);

		tm_copy_read(cow, &copies, REQ_OP_READ, NULL);
		if (how == TM_ADVANCE_MEMORY &&
		    tm_store_add_node(&cow->store, block))
			tm_cow_invalidate(cow, TM_CAUSE_MEMORY);
		cond_resched();
	} while (more);
	memalloc_noio_restore(noio);
}

/* Passes on what may go; the origin may let it wait, and nobody else. */
void tm_pass_work(struct work_struct *work)
{
	struct tm_cow *cow = container_of(work, struct tm_cow, pass);
	unsigned int noio = memalloc_noio_save();
	struct bio_list go;
	struct bio *bio;

	spin_lock_irq(&cow->lock);
	go = cow->go;
	bio_list_init(&cow->go);
	spin_unlock_irq(&cow->lock);
	while ((bio = bio_list_pop(&go)))
		submit_bio_noacct(bio);

	/* The store can wait, writers cannot: so this comes last. */
	spin_lock_irq(&cow->lock);
	tm_drain_kick(cow);
	spin_unlock_irq(&cow->lock);
	memalloc_noio_restore(noio);
}
