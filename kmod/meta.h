/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * meta.h - metadata I/O: what is written when
 *
 * Every call sleeps on I/O, for as long as the device takes; time-outs belong
 * to those who wait for the caller. Of the log there is one write at a time,
 * whoever calls. All else is for one caller at a time: what reads and writes
 * chunk areas for who holds session->areas, superblocks for the session's
 * worker; and both for what has no worker beside it (start, close).
 */
#ifndef _TIDEMARK_META_H
#define _TIDEMARK_META_H

#include <linux/bio.h>
#include <linux/completion.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include "format.h"

struct block_device;
struct tm_bitmap;

/* I/O is in blocks of TM_ALIGN_SECTORS, which suit every logical block size. */
#define TM_META_BLOCK_BYTES	(TM_ALIGN_SECTORS * TM_SECTOR_BYTES)
#define TM_META_BLOCK_BITS	(TM_ALIGN_SECTORS * TM_SECTOR_BITS)
#define TM_LOG_BLOCKS		DIV_ROUND_UP(TM_REGIONS_MAX, TM_META_BLOCK_BITS)

/* A block of the log: its image, and the write of it. */
struct tm_log_block {
	struct page *page;
	u64 epoch;			/* that the image is of */
	struct bio *bio;
	struct bio_vec vec;
};

struct tm_meta {
	struct block_device *bdev;	/* borrowed; NULL: bits live in memory */
	struct tm_super super;		/* as durable on both; seq: last tried */
	int first;			/* the copy to write first: the older */
	void *buf;			/* for superblocks */
	void *area_buf;			/* for areas */

	struct mutex log_lock;		/* all below */
	struct tm_log_block log[2][TM_LOG_BLOCKS];	/* by area */
	atomic_t log_left;
	blk_status_t log_status;
	struct completion log_done;
};

/* Reads and judges the superblocks: as tm_super_choose(), and -EIO. */
int tm_meta_probe(struct block_device *bdev, struct tm_super *ret);

/* @bdev may be NULL: then nothing but tm_meta_done() may be called. */
int tm_meta_init(struct tm_meta *meta, struct block_device *bdev);
void tm_meta_done(struct tm_meta *meta);

/* Reads the superblocks into meta->super; errors as tm_meta_probe(). */
int tm_meta_load(struct tm_meta *meta);

/*
 * Makes a new set: @changed in the area of the epoch of @super, all other areas
 * empty, then @super. Until it returns 0 the device holds either what it did,
 * or something that means "everything changed": if it held the same set, it has
 * to say that already.
 */
int tm_meta_format(struct tm_meta *meta, const struct tm_super *super,
		   const struct tm_bitmap *changed);

/*
 * Superblock transition: the older copy first, then the other, each with
 * PREFLUSH and FUA. In effect only when 0. Every attempt has a seq of its own:
 * what a failed one left behind is older than what the next one writes.
 */
int tm_meta_transition(struct tm_meta *meta, const struct tm_super *super);

/*
 * Adds to @bm what the areas say of the epochs that meta->super names: chunks,
 * all chunks of logged regions, and what bad sectors cover. Both whole areas
 * are read: a sector newer than the superblock means that everything changed.
 */
void tm_meta_load_bits(struct tm_meta *meta, struct tm_bitmap *bm);

/*
 * Recovery: makes the chunk area of @epoch hold @bm, durably, and only then its
 * log empty. Writes where that is not so yet.
 */
int tm_meta_recover(struct tm_meta *meta, u64 epoch,
		    const struct tm_bitmap *bm);

/*
 * What the area that no epoch of meta->super uses holds, of which nothing may
 * be believed, is made empty where it is anything else.
 */
int tm_meta_sweep(struct tm_meta *meta);

/* Chunk sectors, durable on return: those of @regions, those that @part has. */
int tm_meta_save_regions(struct tm_meta *meta, u64 epoch,
			 const struct tm_bitmap *bm,
			 const unsigned long *regions);
int tm_meta_save_part(struct tm_meta *meta, u64 epoch,
		      const struct tm_bitmap *bm, const struct tm_bitmap *part);

/* What the log of one epoch is to say. NULL: nothing, as of none. */
struct tm_meta_log {
	u64 epoch;			/* its parity is that of the area */
	const unsigned long *logged;
};

/*
 * Makes the sectors durable that hold regions of @dirty, for one or two epochs.
 * They are built when it is their turn, with @lock held, from @logged.
 */
int tm_meta_log(struct tm_meta *meta, const struct tm_meta_log *log,
		unsigned int nr, const unsigned long *dirty, spinlock_t *lock);

#endif /* _TIDEMARK_META_H */
