// SPDX-License-Identifier: GPL-2.0-only
/*
 * drain.c - from the pool to the store, behind the writers
 *
 * Copies are written in the order in which they were made, many at once to
 * neighbouring slots: as soon as there are enough of them, or somebody wants a
 * page, or after a while. This may get stuck in a store that does not answer;
 * nobody but the pool waits for it, and that not for ever.
 */
#include <linux/device-mapper.h>
#include <linux/sched/mm.h>
#include "compat.h"
#include "cow.h"
#include "uapi/tidemark.h"

/* More would not make a disk faster, and the set of bios holds as many. */
#define TM_DRAIN_IN_FLIGHT	8
#define TM_DRAIN_BATCH		8	/* blocks */
#define TM_DRAIN_BATCH_BUSY	128
#define TM_DRAIN_DELAY		(HZ / 5)

void tm_drain_kick(struct tm_cow *cow)
{
	/* While writers keep us busy, less often and more at once. */
	unsigned int batch = cow->reading ? TM_DRAIN_BATCH_BUSY :
					    TM_DRAIN_BATCH;
	bool now = cow->nr_dirty >= min(batch, cow->pool_size / 4) ||
		   list_empty(&cow->free);

	lockdep_assert_held(&cow->lock);
	if (!cow->nr_dirty || !cow->store_bdev || cow->state != TM_COW_VALID ||
	    cow->writes_in_flight >= TM_DRAIN_IN_FLIGHT)
		return;
	if (now)
		mod_delayed_work(cow->drain_wq, &cow->drain, 0);
	else
		queue_delayed_work(cow->drain_wq, &cow->drain, TM_DRAIN_DELAY);
}

/* MEM -> STORE, or NONE when nobody asks any more. */
static void end_write(struct tm_cow *cow, struct tm_copy *copy,
		      blk_status_t status)
{
	struct tm_node *node = tm_store_node(&cow->store, copy->block);
	u32 *at = tm_store_at(node, copy->block);

	if (!status && cow->state == TM_COW_VALID &&
	    tm_cow_is_kept(cow, tm_cow_chunk_of(cow, copy->block))) {
		tm_store_set(at, tm_block_word(TM_BLOCK_STORE, copy->slot));
	} else {
		tm_store_set(at, TM_BLOCK_NONE);
		tm_store_drop_node(&cow->store, node, copy->block);
		tm_store_free(&cow->store, copy->slot);
	}
	tm_cow_free_copy(cow, copy);
	cow->writing--;
}

static void write_ended(struct bio *bio)
{
	struct tm_batch *batch = container_of(bio, struct tm_batch, bio);
	blk_status_t status = bio->bi_status;
	struct tm_cow *cow = batch->cow;
	struct tm_copy *copy, *tmp;
	unsigned long flags;
	LIST_HEAD(copies);

	list_splice_init(&batch->copies, &copies);
	bio_put(bio);
	/* After the lock is dropped, the object may be gone. */
	spin_lock_irqsave(&cow->lock, flags);
	/* First: who sees a block NONE again must see the view invalid. */
	if (status)
		tm_cow_invalidate_locked(cow, TM_CAUSE_FAILED);
	list_for_each_entry_safe(copy, tmp, &copies, list)
		end_write(cow, copy, status);
	cow->writes_in_flight--;
	tm_cow_watch_level(cow);
	tm_drain_kick(cow);
	tm_cow_wake_idle(cow);
	spin_unlock_irqrestore(&cow->lock, flags);
}

/*
 * Takes dirty copies for which there are slots in a row; returns the number.
 * cow->lock held.
 */
static u32 take_dirty(struct tm_cow *cow, struct list_head *copies,
		      u32 *ret_slot)
{
	struct tm_copy *copy;
	u32 nr, i;

	if (!cow->nr_dirty || cow->state != TM_COW_VALID ||
	    cow->writes_in_flight >= TM_DRAIN_IN_FLIGHT)
		return 0;
	nr = tm_store_alloc(&cow->store, min_t(u32, cow->nr_dirty, BIO_MAX_VECS),
			    ret_slot);
	if (!nr) {
		tm_cow_invalidate_locked(cow, TM_CAUSE_FULL);
		return 0;
	}
	for (i = 0; i < nr; i++) {
		copy = list_first_entry(&cow->dirty, struct tm_copy, list);
		copy->slot = *ret_slot + i;
		copy->writing = true;
		list_move_tail(&copy->list, copies);
	}
	cow->nr_dirty -= nr;
	cow->writing += nr;
	cow->writes_in_flight++;
	tm_cow_watch_level(cow);
	return nr;
}

static void write_copies(struct tm_cow *cow, struct list_head *copies, u32 nr,
			 u32 slot)
{
	struct tm_batch *batch;
	struct tm_copy *copy;
	struct bio *bio;

	/* Cannot fail: the set keeps some in reserve, and they come back. */
	bio = tm_bio_alloc(cow->store_bdev, nr, REQ_OP_WRITE, GFP_NOIO,
			   &cow->write_bios);
	batch = container_of(bio, struct tm_batch, bio);
	batch->cow = cow;
	INIT_LIST_HEAD(&batch->copies);
	list_splice_init(copies, &batch->copies);
	list_for_each_entry(copy, &batch->copies, list)
		__bio_add_page(bio, copy->page, TM_BLOCK_BYTES, 0);
	bio->bi_iter.bi_sector = (u64)slot << TM_BLOCK_SHIFT;
	bio->bi_end_io = write_ended;
	submit_bio_noacct(bio);
}

void tm_drain_work(struct work_struct *work)
{
	struct tm_cow *cow = container_of(to_delayed_work(work), struct tm_cow,
					  drain);
	unsigned int noio = memalloc_noio_save();
	LIST_HEAD(copies);
	u32 nr, slot;

	do {
		spin_lock_irq(&cow->lock);
		nr = take_dirty(cow, &copies, &slot);
		spin_unlock_irq(&cow->lock);
		if (nr)
			write_copies(cow, &copies, nr, slot);
	} while (nr);
	memalloc_noio_restore(noio);
}
