// SPDX-License-Identifier: GPL-2.0-only
/*
 * meta.c - metadata I/O: what is written when
 *
 * I/O is in blocks of TM_ALIGN_SECTORS (4 KiB), which suits every logical block
 * size; what is believed is judged sector by sector.
 */
#include <linux/bitmap.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "bitmap.h"
#include "compat.h"
#include "log.h"
#include "meta.h"

#define TM_META_BUF_SECTORS	128
#define TM_META_BUF_BYTES	(TM_META_BUF_SECTORS * TM_SECTOR_BYTES)

static int meta_io(struct block_device *bdev, blk_opf_t opf, u64 sector,
		   void *buf, unsigned int sectors)
{
	struct bio_vec vec;
	struct bio bio;
	int r;

	tm_bio_init(&bio, bdev, &vec, 1, opf | REQ_SYNC | REQ_META);
	bio.bi_iter.bi_sector = sector;
	__bio_add_page(&bio, virt_to_page(buf), sectors * TM_SECTOR_BYTES,
		       offset_in_page(buf));
	r = submit_bio_wait(&bio);
	bio_uninit(&bio);
	return r;
}

static int read_supers(struct block_device *bdev, void *buf,
		       struct tm_super *ret, int *ret_first)
{
	struct tm_super super[TM_SUPER_COPIES];
	int err[TM_SUPER_COPIES];
	int i, newest;

	for (i = 0; i < TM_SUPER_COPIES; i++) {
		err[i] = meta_io(bdev, REQ_OP_READ, i * TM_ALIGN_SECTORS, buf,
				 TM_ALIGN_SECTORS);
		if (err[i])
			return -EIO;
		err[i] = tm_super_decode(buf, &super[i]);
	}
	newest = tm_super_choose(super, err);
	if (newest < 0)
		return newest;
	*ret = super[newest];
	*ret_first = !newest;
	return 0;
}

int tm_meta_probe(struct block_device *bdev, struct tm_super *ret)
{
	void *buf;
	int r, first;

	buf = (void *)__get_free_page(GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	r = read_supers(bdev, buf, ret, &first);
	free_page((unsigned long)buf);
	return r;
}

int tm_meta_init(struct tm_meta *meta, struct block_device *bdev)
{
	memset(meta, 0, sizeof(*meta));
	mutex_init(&meta->log_lock);
	if (!bdev)
		return 0;
	meta->buf = (void *)__get_free_page(GFP_KERNEL);
	meta->area_buf = (void *)__get_free_pages(GFP_KERNEL,
						  get_order(TM_META_BUF_BYTES));
	if (tm_log_init(meta) || !meta->buf || !meta->area_buf) {
		tm_meta_done(meta);
		return -ENOMEM;
	}
	meta->bdev = bdev;
	return 0;
}

void tm_meta_done(struct tm_meta *meta)
{
	tm_log_done(meta);
	if (meta->area_buf)
		free_pages((unsigned long)meta->area_buf,
			   get_order(TM_META_BUF_BYTES));
	free_page((unsigned long)meta->buf);
}

int tm_meta_load(struct tm_meta *meta)
{
	return read_supers(meta->bdev, meta->buf, &meta->super, &meta->first);
}

static int write_super(struct tm_meta *meta, const struct tm_super *super,
		       int copy)
{
	memset(meta->buf, 0, TM_META_BLOCK_BYTES);
	tm_super_encode(super, meta->buf);
	return meta_io(meta->bdev, REQ_OP_WRITE | REQ_PREFLUSH | REQ_FUA,
		       copy * TM_ALIGN_SECTORS, meta->buf, TM_ALIGN_SECTORS);
}

int tm_meta_transition(struct tm_meta *meta, const struct tm_super *super)
{
	struct tm_super next = *super;
	int i, r;

	/* A failed attempt may have landed: the next must not look like it. */
	next.seq = ++meta->super.seq;
	for (i = 0; i < TM_SUPER_COPIES; i++) {
		r = write_super(meta, &next, meta->first);
		if (r)
			return r;
		meta->first = !meta->first;
	}
	meta->super = next;
	return 0;
}

/*
 * What plain writes have left is made durable. A superblock's PREFLUSH would do
 * it, too, but device-mapper does not tell when the flush before data failed.
 */
static int flush(struct tm_meta *meta)
{
	struct bio bio;
	int r;

	tm_bio_init(&bio, meta->bdev, NULL, 0, REQ_OP_WRITE | REQ_PREFLUSH);
	r = submit_bio_wait(&bio);
	bio_uninit(&bio);
	return r;
}

/* Sectors of an area that are looked at together, from @at on. */
static unsigned int step_sectors(u64 total, u64 at)
{
	return min_t(u64, total - at, TM_META_BUF_SECTORS);
}

/*
 * @n sectors of chunks from @at on, as of @epoch; @bm NULL: none. The last
 * block is padded with zeroes: the layout has room for it.
 */
static int write_chunks(struct tm_meta *meta, const struct tm_super *super,
			unsigned int number, u64 epoch, u64 at, unsigned int n,
			const struct tm_bitmap *bm, blk_opf_t opf)
{
	u64 start = tm_area_start(&super->geo, TM_AREA_CHUNK, number);
	unsigned int bytes = round_up(n, TM_ALIGN_SECTORS) * TM_SECTOR_BYTES;
	u64 word[TM_SECTOR_WORDS] = {};
	unsigned int i;

	memset(meta->area_buf, 0, bytes);
	for (i = 0; i < n; i++) {
		if (bm)
			tm_bitmap_export(bm, at + i, word);
		tm_bits_encode(&super->setid, TM_AREA_CHUNK, epoch, at + i,
			       word, meta->area_buf + i * TM_SECTOR_BYTES);
	}
	return meta_io(meta->bdev, REQ_OP_WRITE | opf, start + at,
		       meta->area_buf, round_up(n, TM_ALIGN_SECTORS));
}

static int write_area(struct tm_meta *meta, const struct tm_super *super,
		      unsigned int number, u64 epoch,
		      const struct tm_bitmap *bm)
{
	u64 total = tm_area_sectors(&super->geo, TM_AREA_CHUNK);
	u64 at;

	for (at = 0; at < total; at += TM_META_BUF_SECTORS) {
		int r = write_chunks(meta, super, number, epoch, at,
				     step_sectors(total, at), bm, 0);

		if (r)
			return r;
		cond_resched();
	}
	return 0;
}

/* The log of an area, all of it, without a region. */
static int write_empty_log(struct tm_meta *meta, const struct tm_super *super,
			   unsigned int number, u64 epoch)
{
	u64 total = tm_area_sectors(&super->geo, TM_AREA_REGION);
	unsigned int n = round_up(total, TM_ALIGN_SECTORS), i;
	u64 word[TM_SECTOR_WORDS] = {};

	static_assert(TM_LOG_BLOCKS * TM_ALIGN_SECTORS <= TM_META_BUF_SECTORS,
		      "a log fits the buffer");
	memset(meta->area_buf, 0, n * TM_SECTOR_BYTES);
	for (i = 0; i < total; i++)
		tm_bits_encode(&super->setid, TM_AREA_REGION, epoch, i, word,
			       meta->area_buf + i * TM_SECTOR_BYTES);
	tm_log_forget(meta, number);
	return meta_io(meta->bdev, REQ_OP_WRITE | REQ_FUA,
		       tm_area_start(&super->geo, TM_AREA_REGION, number),
		       meta->area_buf, n);
}

int tm_meta_format(struct tm_meta *meta, const struct tm_super *super,
		   const struct tm_bitmap *changed)
{
	unsigned int number, own = super->epoch & 1;
	int r;

	/* As of an epoch older than any: empty. See TM_EPOCH_FIRST. */
	for (number = 0; number < 2; number++) {
		r = write_empty_log(meta, super, number, number);
		if (r)
			return r;
	}
	r = write_area(meta, super, !own, !own, NULL);
	if (!r)
		r = write_area(meta, super, own, super->epoch, changed);
	if (!r)
		r = flush(meta);
	if (r)
		return r;
	return tm_meta_transition(meta, super);
}

static void mark_clipped(struct tm_bitmap *bm, u64 first, u64 nr)
{
	if (first < bm->nr)
		tm_bitmap_mark(bm, first, min(nr, bm->nr - first));
}

/* All chunks of the regions in @word, of a sector of the log. */
static void mark_regions(const struct tm_geometry *geo, struct tm_bitmap *bm,
			 u64 first_region, const u64 *word)
{
	u64 chunks = geo->region_sectors / geo->chunk_sectors;
	unsigned int bit;

	for (bit = 0; bit < TM_SECTOR_BITS; bit++)
		if (word[bit / 64] >> (bit % 64) & 1)
			mark_clipped(bm, (first_region + bit) * chunks, chunks);
}

/* What one sector adds to @bm. False: everything changed. */
static bool load_sector(const struct tm_super *super, enum tm_area area,
			unsigned int number, u32 index, const void *sector,
			struct tm_bitmap *bm)
{
	const struct tm_geometry *geo = &super->geo;
	u64 covers = area == TM_AREA_CHUNK ? 1 :
			     geo->region_sectors / geo->chunk_sectors;
	u64 first = (u64)index * TM_SECTOR_BITS;
	u64 epoch, word[TM_SECTOR_WORDS];

	switch (tm_bits_judge(super, area, number, index, sector, &epoch,
			      word)) {
	case TM_BITS_EMPTY:
		return true;
	case TM_BITS_BAD:
		mark_clipped(bm, first * covers, TM_SECTOR_BITS * covers);
		return true;
	case TM_BITS_NEWER:
		return false;
	case TM_BITS_VALID:
		break;
	}
	if (area == TM_AREA_CHUNK)
		tm_bitmap_import(bm, index, word);
	else
		mark_regions(geo, bm, first, word);
	return true;
}

/* What cannot be read does not check. */
static void read_area(struct tm_meta *meta, u64 start, unsigned int n)
{
	if (meta_io(meta->bdev, REQ_OP_READ, start, meta->area_buf,
		    round_up(n, TM_ALIGN_SECTORS)))
		memset(meta->area_buf, 0, TM_META_BUF_BYTES);
}

static bool load_area(struct tm_meta *meta, enum tm_area area,
		      unsigned int number, struct tm_bitmap *bm)
{
	u64 start = tm_area_start(&meta->super.geo, area, number);
	u64 total = tm_area_sectors(&meta->super.geo, area);
	u64 at;

	for (at = 0; at < total; at += TM_META_BUF_SECTORS) {
		unsigned int i, n = step_sectors(total, at);

		read_area(meta, start + at, n);
		for (i = 0; i < n; i++)
			if (!load_sector(&meta->super, area, number, at + i,
					 meta->area_buf + i * TM_SECTOR_BYTES,
					 bm))
				return false;
		cond_resched();
	}
	return true;
}

void tm_meta_load_bits(struct tm_meta *meta, struct tm_bitmap *bm)
{
	unsigned int number;

	for (number = 0; number < 2; number++)
		if (!load_area(meta, TM_AREA_REGION, number, bm) ||
		    !load_area(meta, TM_AREA_CHUNK, number, bm))
			tm_bitmap_fill(bm);
}

/* Will this sector say, to who starts from @super, just what @word does? */
static bool says(const struct tm_super *super, enum tm_area area, u32 index,
		 const void *sector, const u64 *word)
{
	static const u64 none[TM_SECTOR_WORDS];
	u64 epoch, found[TM_SECTOR_WORDS];

	switch (tm_bits_judge(super, area, super->epoch & 1, index, sector,
			      &epoch, found)) {
	case TM_BITS_EMPTY:
		return !memcmp(word, none, sizeof(none));
	case TM_BITS_VALID:
		return !memcmp(word, found, sizeof(found));
	default:
		return false;
	}
}

static bool area_says(struct tm_meta *meta, const struct tm_super *super,
		      enum tm_area area, u64 at, unsigned int n,
		      const struct tm_bitmap *bm)
{
	u64 word[TM_SECTOR_WORDS] = {};
	unsigned int i;

	read_area(meta, tm_area_start(&super->geo, area, super->epoch) + at,
		  n);
	for (i = 0; i < n; i++) {
		if (bm)
			tm_bitmap_export(bm, at + i, word);
		if (!says(super, area, at + i,
			  meta->area_buf + i * TM_SECTOR_BYTES, word))
			return false;
	}
	return true;
}

int tm_meta_recover(struct tm_meta *meta, u64 epoch,
		    const struct tm_bitmap *bm)
{
	struct tm_super super = meta->super;
	u64 total = tm_area_sectors(&super.geo, TM_AREA_CHUNK);
	unsigned int log = tm_area_sectors(&super.geo, TM_AREA_REGION);
	u64 at;
	int r;

	/* As who starts after the transition that follows will see it. */
	super.epoch = epoch;
	super.next_epoch = 0;
	super.frozen_epoch = 0;
	for (at = 0; at < total; at += TM_META_BUF_SECTORS) {
		unsigned int n = step_sectors(total, at);

		if (area_says(meta, &super, TM_AREA_CHUNK, at, n, bm))
			continue;
		r = write_chunks(meta, &super, epoch & 1, epoch, at, n, bm, 0);
		if (r)
			return r;
		cond_resched();
	}
	/* A region, or an epoch, may be forgotten once its chunks cannot be. */
	r = flush(meta);
	if (r || area_says(meta, &super, TM_AREA_REGION, 0, log, NULL))
		return r;
	return write_empty_log(meta, &super, epoch & 1, epoch);
}

static bool area_is_empty(struct tm_meta *meta, enum tm_area area,
			  unsigned int number, u64 at, unsigned int n)
{
	const struct tm_super *super = &meta->super;
	u64 epoch, word[TM_SECTOR_WORDS];
	unsigned int i;

	read_area(meta, tm_area_start(&super->geo, area, number) + at, n);
	for (i = 0; i < n; i++)
		if (tm_bits_judge(super, area, number, at + i,
				  meta->area_buf + i * TM_SECTOR_BYTES, &epoch,
				  word) != TM_BITS_EMPTY)
			return false;
	return true;
}

int tm_meta_sweep(struct tm_meta *meta)
{
	const struct tm_super *super = &meta->super;
	u64 total = tm_area_sectors(&super->geo, TM_AREA_CHUNK);
	unsigned int log = tm_area_sectors(&super->geo, TM_AREA_REGION);
	unsigned int number = !(super->epoch & 1);
	u64 at;
	int r = 0;

	if (!area_is_empty(meta, TM_AREA_REGION, number, 0, log))
		r = write_empty_log(meta, super, number, number);
	for (at = 0; at < total && !r; at += TM_META_BUF_SECTORS) {
		unsigned int n = step_sectors(total, at);

		if (!area_is_empty(meta, TM_AREA_CHUNK, number, at, n))
			r = write_chunks(meta, super, number, number, at, n,
					 NULL, 0);
		cond_resched();
	}
	return r;
}

/* The block of chunk sectors with this number. */
static int save_block(struct tm_meta *meta, u64 epoch,
		      const struct tm_bitmap *bm, u64 block)
{
	u64 total = tm_area_sectors(&meta->super.geo, TM_AREA_CHUNK);
	u64 at = block * TM_ALIGN_SECTORS;

	cond_resched();
	return write_chunks(meta, &meta->super, epoch & 1, epoch, at,
			    min_t(u64, total - at, TM_ALIGN_SECTORS), bm,
			    REQ_FUA);
}

int tm_meta_save_regions(struct tm_meta *meta, u64 epoch,
			 const struct tm_bitmap *bm,
			 const unsigned long *regions)
{
	const struct tm_geometry *geo = &meta->super.geo;
	u64 chunks = geo->region_sectors / geo->chunk_sectors;
	u64 block = 0, last;
	unsigned int region;

	for_each_set_bit(region, regions, geo->nr_regions) {
		u64 first = region * chunks;

		block = max(block, div_u64(first, TM_META_BLOCK_BITS));
		last = div_u64(min(first + chunks, geo->nr_chunks) - 1,
			       TM_META_BLOCK_BITS);
		for (; block <= last; block++) {
			int r = save_block(meta, epoch, bm, block);

			if (r)
				return r;
		}
	}
	return 0;
}

int tm_meta_save_part(struct tm_meta *meta, u64 epoch,
		      const struct tm_bitmap *bm, const struct tm_bitmap *part)
{
	u64 first, nr, block, next = 0;

	for (first = 0; tm_bitmap_next(part, first, &first, &nr); first += nr) {
		u64 last = div_u64(first + nr - 1, TM_META_BLOCK_BITS);

		block = max(next, div_u64(first, TM_META_BLOCK_BITS));
		for (; block <= last; block++) {
			int r = save_block(meta, epoch, bm, block);

			if (r)
				return r;
		}
		next = block;
	}
	return 0;
}
