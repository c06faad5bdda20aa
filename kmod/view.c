// SPDX-License-Identifier: GPL-2.0-only
/*
 * view.c - reading the disk as it stood at the cut
 *
 * A read goes to the origin first, whole, and only then is asked which blocks
 * were overwritten: what was not by then is the cut's, what was is taken from
 * where it is kept. No lock is taken; each look at what may change under it is
 * followed by another that tells whether it did:
 *
 * - A write is submitted after its block was settled. So a block that is not,
 *   after the origin was read, was read as it was at the cut.
 * - A page of the pool is given to another block only after the word of the one
 *   that is in it has changed.
 * - A slot, and the word itself, are given back only after the chunk was
 *   released or the view made invalid: that is looked at last.
 */
#include <linux/device-mapper.h>
#include <linux/slab.h>
#include "compat.h"
#include "cow.h"
#include "uapi/tidemark.h"
#include "view.h"

/* More than an interrupt should look at. */
#define TM_GLANCE_BLOCKS	1024

/* A read on its way; the bio's front pad. */
struct tm_read {
	struct work_struct work;
	struct tm_view *view;
	struct bio *parent;
	atomic_t left;			/* reads of the store, and their maker */
	int error;
	struct bio bio;			/* last */
};

static bool keeps(struct tm_view *view, const struct bio *bio)
{
	u64 first = bio->bi_iter.bi_sector >> view->cow->chunk_shift;
	u64 last = (bio_end_sector(bio) - 1) >> view->cow->chunk_shift;

	return tm_cow_keeps(view->cow, first, last - first + 1);
}

static bool is_untouched(struct tm_view *view, const struct bio *bio)
{
	u64 block, end = tm_cow_end_block(bio);
	struct xarray *nodes = &view->cow->store.nodes;

	if (xa_empty(nodes))
		return true;
	for (block = tm_cow_first_block(bio); block < end; block++)
		if (tm_block_state(tm_store_word(&view->cow->store, block)) >
		    TM_BLOCK_COPYING)
			return false;
	return true;
}

static void copy_in(struct bio *bio, struct bvec_iter iter, const char *from,
		    unsigned int bytes)
{
	while (bytes) {
		struct bio_vec bv = bio_iter_iovec(bio, iter);
		unsigned int n = min(bytes, bv.bv_len);
		char *to = kmap_local_page(bv.bv_page);

		memcpy(to + bv.bv_offset, from, n);
		kunmap_local(to);
		flush_dcache_page(bv.bv_page);
		from += n;
		bio_advance_iter(bio, &iter, n);
		bytes -= n;
	}
}

/* @slot's data from @skip on, by way of a page: its device has large blocks. */
static int read_slot(struct tm_view *view, struct bio *bio,
		     struct bvec_iter iter, u32 slot, unsigned int skip,
		     unsigned int bytes)
{
	struct page *page = alloc_page(GFP_NOIO);
	struct bio_vec vec;
	struct bio read;
	int r;

	if (!page)
		return -ENOMEM;
	tm_bio_init(&read, view->cow->store_bdev, &vec, 1, REQ_OP_READ | REQ_SYNC);
	read.bi_iter.bi_sector = (u64)slot << TM_BLOCK_SHIFT;
	__bio_add_page(&read, page, TM_BLOCK_BYTES, 0);
	r = submit_bio_wait(&read);
	bio_uninit(&read);
	if (!r)
		copy_in(bio, iter, (char *)page_address(page) + skip, bytes);
	__free_page(page);
	return r;
}

static void finish(struct tm_read *read);

static void slots_were_read(struct bio *bio)
{
	struct tm_read *read = bio->bi_private;

	if (bio->bi_status)
		WRITE_ONCE(read->error, blk_status_to_errno(bio->bi_status));
	bio_put(bio);
	finish(read);
}

/* From @skip on in @slot, and on through the slots that follow; does not wait. */
static void read_slots(struct tm_read *read, struct bvec_iter iter, u32 slot,
		       unsigned int skip, unsigned int bytes)
{
	struct tm_view *view = read->view;
	struct bio *clone = tm_bio_clone(view->cow->store_bdev, read->parent, GFP_NOIO,
					 &view->store_bios);

	clone->bi_iter = iter;
	clone->bi_iter.bi_size = bytes;
	clone->bi_iter.bi_sector = ((u64)slot << TM_BLOCK_SHIFT) +
				   (skip >> SECTOR_SHIFT);
	clone->bi_opf &= ~TM_REQ_IMPATIENT;
	clone->bi_private = read;
	clone->bi_end_io = slots_were_read;
	atomic_inc(&read->left);
	submit_bio_noacct(clone);
}

/* How many bytes from @skip on lie in a row in the store, of @left. */
static unsigned int count_slots(struct tm_view *view, u64 block, u32 word,
				unsigned int skip, unsigned int left)
{
	unsigned int n = TM_BLOCK_BYTES - skip;

	while (n < left) {
		word += tm_block_word(TM_BLOCK_NONE, 1);
		if (tm_store_word(&view->cow->store, ++block) != word)
			break;
		n += TM_BLOCK_BYTES;
	}
	return min(n, left);
}

/* Can the store's device write into these vectors itself? */
static bool fits(struct tm_view *view, struct bio *bio, struct bvec_iter iter,
		 unsigned int skip, unsigned int bytes)
{
	unsigned int mask = bdev_logical_block_size(view->cow->store_bdev) - 1;
	unsigned int bits = skip | bytes;

	while (bytes) {
		struct bio_vec bv = bio_iter_iovec(bio, iter);
		unsigned int n = min(bytes, bv.bv_len);

		bits |= bv.bv_offset | n;
		bio_advance_iter(bio, &iter, n);
		bytes -= n;
	}
	return !(bits & mask);
}

static int patch_slots(struct tm_read *read, struct bvec_iter *iter, u32 word,
		       unsigned int skip)
{
	struct tm_view *view = read->view;
	struct bio *bio = read->parent;
	u64 block = iter->bi_sector >> TM_BLOCK_SHIFT;
	u32 slot = tm_block_number(word);
	unsigned int n;
	int r = 0;

	n = count_slots(view, block, word, skip, iter->bi_size);
	if (fits(view, bio, *iter, skip, n)) {
		read_slots(read, *iter, slot, skip, n);
	} else {
		n = min_t(unsigned int, n, TM_BLOCK_BYTES - skip);
		r = read_slot(view, bio, *iter, slot, skip, n);
	}
	bio_advance_iter(bio, iter, n);
	return r;
}

/* Puts the old data where the origin's are not the cut's any more. */
static int patch(struct tm_read *read)
{
	struct tm_view *view = read->view;
	struct bio *bio = read->parent;
	struct bvec_iter iter = bio->bi_iter;
	int r = 0;

	while (!r && iter.bi_size) {
		u64 at = (u64)iter.bi_sector << SECTOR_SHIFT;
		unsigned int skip = at & (TM_BLOCK_BYTES - 1);
		unsigned int n = min_t(unsigned int, iter.bi_size,
				       TM_BLOCK_BYTES - skip);
		u64 block = at / TM_BLOCK_BYTES;
		u32 word = tm_store_word(&view->cow->store, block);
		struct page *page;

		switch (tm_block_state(word)) {
		case TM_BLOCK_NONE:
		case TM_BLOCK_COPYING:
			bio_advance_iter(bio, &iter, n);
			break;
		case TM_BLOCK_MEM:
			page = tm_cow_copy_of(view->cow, word)->page;
			copy_in(bio, iter, (char *)page_address(page) + skip,
				n);
			/* The page before the word. */
			smp_rmb();
			if (tm_store_word(&view->cow->store, block) == word)
				bio_advance_iter(bio, &iter, n);
			break;
		case TM_BLOCK_STORE:
			r = patch_slots(read, &iter, word, skip);
			break;
		default:
			r = -EIO;
			break;
		}
	}
	return r;
}

/* The last of its parts: is what was read the cut's? */
static void finish(struct tm_read *read)
{
	struct bio *parent = read->parent;
	int r;

	if (!atomic_dec_and_test(&read->left))
		return;
	/* All that was read was read before this. */
	smp_rmb();
	r = READ_ONCE(read->error) ?: keeps(read->view, parent) ? 0 : -EIO;
	if (r)
		parent->bi_status = errno_to_blk_status(r);
	bio_put(&read->bio);
	bio_endio(parent);
}

static void read_work(struct work_struct *work)
{
	struct tm_read *read = container_of(work, struct tm_read, work);
	int r = patch(read);

	if (r)
		WRITE_ONCE(read->error, r);
	finish(read);
}

static void origin_was_read(struct bio *bio)
{
	struct tm_read *read = container_of(bio, struct tm_read, bio);
	struct bio *parent = read->parent;

	read->error = blk_status_to_errno(bio->bi_status);
	/* The origin before the words. */
	smp_rmb();
	if (!read->error &&
	    (bio_sectors(parent) >> TM_BLOCK_SHIFT > TM_GLANCE_BLOCKS ||
	     !is_untouched(read->view, parent)))
		queue_work(read->view->wq, &read->work);
	else
		finish(read);
}

int tm_view_read(struct tm_view *view, struct bio *bio)
{
	struct tm_read *read;
	struct bio *clone;

	if (!keeps(view, bio))
		return DM_MAPIO_KILL;
	clone = tm_bio_clone(view->cow->origin, bio, GFP_NOIO, &view->origin_bios);
	clone->bi_opf &= ~TM_REQ_IMPATIENT;
	clone->bi_end_io = origin_was_read;
	read = container_of(clone, struct tm_read, bio);
	INIT_WORK(&read->work, read_work);
	read->view = view;
	read->parent = bio;
	atomic_set(&read->left, 1);
	submit_bio_noacct(clone);
	return DM_MAPIO_SUBMITTED;
}

int tm_view_init(struct tm_view *view, struct tm_cow *cow)
{
	memset(view, 0, sizeof(*view));
	view->cow = cow;
	/* Not for reclaim: nobody's memory is freed by reading a snapshot. */
	view->wq = alloc_workqueue("tidemark_view", WQ_UNBOUND, 0);
	if (view->wq &&
	    !bioset_init(&view->origin_bios, 16, offsetof(struct tm_read, bio),
			 0) &&
	    !bioset_init(&view->store_bios, 16, 0, 0))
		return 0;
	tm_view_done(view);
	return -ENOMEM;
}

void tm_view_done(struct tm_view *view)
{
	if (view->wq)
		destroy_workqueue(view->wq);
	bioset_exit(&view->store_bios);
	bioset_exit(&view->origin_bios);
}
