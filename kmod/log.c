// SPDX-License-Identifier: GPL-2.0-only
/*
 * log.c - which regions are open, on META: the only write that others wait for
 *
 * Each block of the log has an image in memory, of which only the sectors that
 * change are built again. All blocks of a write are in flight together.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include "compat.h"
#include "log.h"
#include "meta.h"

static struct tm_log_block *log_block(struct tm_meta *meta, unsigned int i)
{
	return &meta->log[i / TM_LOG_BLOCKS][i % TM_LOG_BLOCKS];
}

int tm_log_init(struct tm_meta *meta)
{
	unsigned int i;

	for (i = 0; i < 2 * TM_LOG_BLOCKS; i++) {
		struct tm_log_block *b = log_block(meta, i);

		b->page = alloc_page(GFP_KERNEL);
		b->bio = kmalloc(sizeof(*b->bio), GFP_KERNEL);
		if (!b->page || !b->bio)
			return -ENOMEM;
	}
	return 0;
}

void tm_log_done(struct tm_meta *meta)
{
	unsigned int i;

	for (i = 0; i < 2 * TM_LOG_BLOCKS; i++) {
		struct tm_log_block *b = log_block(meta, i);

		if (b->page)
			__free_page(b->page);
		kfree(b->bio);
	}
}

void tm_log_forget(struct tm_meta *meta, unsigned int number)
{
	unsigned int i;

	for (i = 0; i < TM_LOG_BLOCKS; i++)
		meta->log[number][i].epoch = 0;
}

static void log_ended(struct bio *bio)
{
	struct tm_meta *meta = bio->bi_private;

	if (bio->bi_status)
		WRITE_ONCE(meta->log_status, bio->bi_status);
	if (atomic_dec_and_test(&meta->log_left))
		complete(&meta->log_done);
}

/* Of @logged, the words of one sector. */
static void log_words(const struct tm_geometry *geo,
		      const unsigned long *logged, unsigned int sector,
		      u64 *word)
{
	unsigned int words = BITS_TO_LONGS(geo->nr_regions), i;

	for (i = 0; i < TM_SECTOR_WORDS; i++) {
		unsigned int at = sector * TM_SECTOR_WORDS + i;

		word[i] = logged && at < words ? logged[at] : 0;
	}
}

static bool any_bit(const unsigned long *bits, unsigned int from,
		    unsigned int nr, unsigned int end)
{
	unsigned int to = min(from + nr, end);

	return from < to && find_next_bit(bits, to, from) < to;
}

/* Brings the image of a block up to date: all of it if it is another epoch's. */
static void build_block(struct tm_meta *meta, const struct tm_meta_log *log,
			unsigned int block, const unsigned long *dirty,
			spinlock_t *lock)
{
	struct tm_log_block *b = &meta->log[log->epoch & 1][block];
	u64 epoch = log->logged ? log->epoch : log->epoch & 1;
	const struct tm_geometry *geo = &meta->super.geo;
	bool whole = b->epoch != log->epoch || !log->logged;
	char *image = page_address(b->page);
	u64 word[TM_SECTOR_WORDS];
	unsigned int i;

	if (whole)
		memset(image, 0, TM_META_BLOCK_BYTES);
	for (i = 0; i < TM_ALIGN_SECTORS; i++) {
		unsigned int sector = block * TM_ALIGN_SECTORS + i;

		if (sector >= geo->region_area_sectors)
			break;
		if (!whole && !any_bit(dirty, sector * TM_SECTOR_BITS,
				       TM_SECTOR_BITS, geo->nr_regions))
			continue;
		spin_lock_irq(lock);
		log_words(geo, log->logged, sector, word);
		spin_unlock_irq(lock);
		tm_bits_encode(&meta->super.setid, TM_AREA_REGION, epoch,
			       sector, word, image + i * TM_SECTOR_BYTES);
	}
	b->epoch = epoch;
}

static void submit_block(struct tm_meta *meta, u64 epoch, unsigned int block)
{
	u64 start = tm_area_start(&meta->super.geo, TM_AREA_REGION, epoch);
	struct tm_log_block *b = &meta->log[epoch & 1][block];

	tm_bio_init(b->bio, meta->bdev, &b->vec, 1,
		    REQ_OP_WRITE | REQ_FUA | REQ_SYNC | REQ_META);
	b->bio->bi_iter.bi_sector = start + block * TM_ALIGN_SECTORS;
	b->bio->bi_private = meta;
	b->bio->bi_end_io = log_ended;
	__bio_add_page(b->bio, b->page, TM_META_BLOCK_BYTES, 0);
	atomic_inc(&meta->log_left);
	submit_bio(b->bio);
}

int tm_meta_log(struct tm_meta *meta, const struct tm_meta_log *log,
		unsigned int nr, const unsigned long *dirty, spinlock_t *lock)
{
	unsigned int nr_regions = meta->super.geo.nr_regions;
	unsigned int i, block;
	int r;

	mutex_lock(&meta->log_lock);
	init_completion(&meta->log_done);
	meta->log_status = BLK_STS_OK;
	/* One for us, so that it does not end before the last was begun. */
	atomic_set(&meta->log_left, 1);
	for (i = 0; i < nr; i++) {
		for (block = 0; block < TM_LOG_BLOCKS; block++) {
			if (!any_bit(dirty, block * TM_META_BLOCK_BITS,
				     TM_META_BLOCK_BITS, nr_regions))
				continue;
			build_block(meta, &log[i], block, dirty, lock);
			submit_block(meta, log[i].epoch, block);
		}
	}
	if (!atomic_dec_and_test(&meta->log_left))
		wait_for_completion_io(&meta->log_done);
	r = blk_status_to_errno(meta->log_status);
	mutex_unlock(&meta->log_lock);
	return r;
}
