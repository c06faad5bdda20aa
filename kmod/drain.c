// SPDX-License-Identifier: GPL-2.0-only
/*
 * drain.c - from the pool to the store, behind the writers
 *
 * Copies are written in the order in which they were made, neighbours in the
 * store together. This may get stuck in a store that does not answer; nobody
 * but the pool waits for it, and that not for ever.
 */
#include <linux/device-mapper.h>
#include "compat.h"
#include "cow.h"
#include "uapi/tidemark.h"

/* More would not make a disk faster, and the set of bios holds as many. */
#define TM_DRAIN_IN_FLIGHT	8

static void write_ended(struct bio *bio)
{
	struct tm_batch *batch = container_of(bio, struct tm_batch, bio);
	blk_status_t status = bio->bi_status;
	struct tm_cow *cow = batch->cow;
	LIST_HEAD(copies);

	list_splice_init(&batch->copies, &copies);
	bio_put(bio);
	tm_cow_ended(cow, &copies, &cow->written, status);
}

/* Takes dirty copies for which there are slots in a row. -ENOSPC. */
static int take_dirty(struct tm_cow *cow, struct list_head *ret_copies,
		      unsigned int *ret_nr)
{
	struct tm_copy *copy, *tmp;
	u64 slot, next = 0;
	int r = 0;

	*ret_nr = 0;
	spin_lock_irq(&cow->lock);
	if (cow->state != TM_COW_VALID ||
	    cow->writes_in_flight >= TM_DRAIN_IN_FLIGHT)
		goto out;
	list_for_each_entry_safe(copy, tmp, &cow->dirty, list) {
		if (*ret_nr == BIO_MAX_VECS)
			break;
		if (tm_store_alloc(&cow->store, &slot)) {
			r = *ret_nr ? 0 : -ENOSPC;
			break;
		}
		if (*ret_nr && slot != next) {
			tm_store_free(&cow->store, slot);
			cow->store.hint = slot;
			break;
		}
		next = slot + 1;
		copy->slot = slot;
		copy->writing = true;
		list_move_tail(&copy->list, ret_copies);
		(*ret_nr)++;
	}
	if (*ret_nr) {
		cow->in_flight++;
		cow->writes_in_flight++;
	}
out:
	spin_unlock_irq(&cow->lock);
	return r;
}

void tm_drain_work(struct work_struct *work)
{
	struct tm_cow *cow = container_of(work, struct tm_cow, drain);
	struct tm_batch *batch;
	LIST_HEAD(copies);
	unsigned int nr;
	u64 slot;

	if (!cow->store_bdev)
		return;
	for (;;) {
		if (take_dirty(cow, &copies, &nr)) {
			tm_cow_invalidate(cow, "the store is full");
			return;
		}
		if (!nr)
			return;
		slot = list_first_entry(&copies, struct tm_copy, list)->slot;
		batch = tm_batch_new(cow, &cow->write_bios, cow->store_bdev,
				     REQ_OP_WRITE, &copies, nr);
		batch->bio.bi_iter.bi_sector = slot * TM_BLOCK_SECTORS;
		batch->bio.bi_end_io = write_ended;
		submit_bio_noacct(&batch->bio);
	}
}
