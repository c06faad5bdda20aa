// SPDX-License-Identifier: GPL-2.0-only
/*
 * meta.c - metadata I/O: what is written when
 *
 * I/O is in units of TM_ALIGN_SECTORS (4 KiB), which suits every logical block
 * size; what is believed is judged sector by sector.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include "bitmap.h"
#include "compat.h"
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
	if (!bdev)
		return 0;
	meta->buf = (void *)__get_free_pages(GFP_KERNEL,
					     get_order(TM_META_BUF_BYTES));
	if (!meta->buf)
		return -ENOMEM;
	meta->bdev = bdev;
	return 0;
}

void tm_meta_done(struct tm_meta *meta)
{
	if (meta->buf)
		free_pages((unsigned long)meta->buf,
			   get_order(TM_META_BUF_BYTES));
	meta->buf = NULL;
}

int tm_meta_load(struct tm_meta *meta)
{
	return read_supers(meta->bdev, meta->buf, &meta->super, &meta->first);
}

static int write_super(struct tm_meta *meta, const struct tm_super *super,
		       int copy)
{
	memset(meta->buf, 0, TM_ALIGN_SECTORS * TM_SECTOR_BYTES);
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
 * Writes one area, a buffer at a time; @bm NULL: all bits clear. The last
 * buffer is padded to the unit of I/O with zeroes: the layout has room for it.
 */
static int write_area(struct tm_meta *meta, const struct tm_super *super,
		      enum tm_area area, u64 epoch, u64 start,
		      const struct tm_bitmap *bm)
{
	u64 total = tm_area_sectors(&super->geo, area);
	u64 word[TM_SECTOR_WORDS] = {};
	u64 at;

	for (at = 0; at < total; at += TM_META_BUF_SECTORS) {
		u32 i, n = min_t(u64, total - at, TM_META_BUF_SECTORS);
		int r;

		memset(meta->buf, 0, TM_META_BUF_BYTES);
		for (i = 0; i < n; i++) {
			if (bm)
				tm_bitmap_export(bm, at + i, word);
			tm_bits_encode(&super->setid, area, epoch, at + i, word,
				       meta->buf + i * TM_SECTOR_BYTES);
		}
		r = meta_io(meta->bdev, REQ_OP_WRITE, start + at, meta->buf,
			    round_up(n, TM_ALIGN_SECTORS));
		if (r)
			return r;
		cond_resched();
	}
	return 0;
}

int tm_meta_format(struct tm_meta *meta, const struct tm_super *super)
{
	u64 epoch;
	int r;

	/* Epoch 0 is older than any: empty. Its number picks the area only. */
	for (epoch = 0; epoch < 2; epoch++) {
		r = write_area(meta, super, TM_AREA_REGION, 0,
			       tm_area_start(&super->geo, TM_AREA_REGION,
					     epoch), NULL);
		if (r)
			return r;
		r = write_area(meta, super, TM_AREA_CHUNK, 0,
			       tm_area_start(&super->geo, TM_AREA_CHUNK, epoch),
			       NULL);
		if (r)
			return r;
	}
	meta->super.seq = 0;
	meta->first = 0;
	return tm_meta_transition(meta, super);
}

/*
 * One sector of the area of epochs with the parity of @number: what it adds to
 * @bm. False: everything changed.
 */
static bool load_sector(struct tm_meta *meta, unsigned int number, u32 index,
			const void *sector, struct tm_bitmap *bm)
{
	const struct tm_super *super = &meta->super;
	u64 newest = max(super->epoch, super->next_epoch);
	u64 oldest = super->frozen_epoch ?: super->epoch;
	u64 first = (u64)index * TM_SECTOR_BITS;
	u64 word[TM_SECTOR_WORDS];
	u64 epoch;

	/* A sector that landed in the other area is lost to its own. */
	if (tm_bits_decode(&super->setid, TM_AREA_CHUNK, index, sector, &epoch,
			   word) ||
	    (epoch >= oldest && epoch <= newest && (epoch & 1) != number)) {
		tm_bitmap_mark(bm, first,
			       min_t(u64, TM_SECTOR_BITS, bm->nr - first));
		return true;
	}
	if (epoch > newest)
		return false;
	if (epoch >= oldest)
		tm_bitmap_import(bm, index, word);
	return true;
}

static bool load_area(struct tm_meta *meta, unsigned int number,
		      struct tm_bitmap *bm)
{
	u64 start = tm_area_start(&meta->super.geo, TM_AREA_CHUNK, number);
	u64 total = tm_area_sectors(&meta->super.geo, TM_AREA_CHUNK);
	u64 at;

	for (at = 0; at < total; at += TM_META_BUF_SECTORS) {
		u32 i, n = min_t(u64, total - at, TM_META_BUF_SECTORS);

		/* What cannot be read does not check. */
		if (meta_io(meta->bdev, REQ_OP_READ, start + at, meta->buf,
			    round_up(n, TM_ALIGN_SECTORS)))
			memset(meta->buf, 0, TM_META_BUF_BYTES);
		for (i = 0; i < n; i++)
			if (!load_sector(meta, number, at + i,
					 meta->buf + i * TM_SECTOR_BYTES, bm))
				return false;
		cond_resched();
	}
	return true;
}

void tm_meta_load_bits(struct tm_meta *meta, struct tm_bitmap *bm)
{
	unsigned int number;

	for (number = 0; number < 2; number++)
		if (!load_area(meta, number, bm))
			tm_bitmap_fill(bm);
}

int tm_meta_save_bits(struct tm_meta *meta, const struct tm_bitmap *bm,
		      u64 epoch)
{
	return write_area(meta, &meta->super, TM_AREA_CHUNK, epoch,
			  tm_area_start(&meta->super.geo, TM_AREA_CHUNK, epoch),
			  bm);
}
