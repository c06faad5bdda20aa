/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * meta.h - metadata I/O: what is written when
 *
 * Every call sleeps on I/O, for as long as the device takes: only the session's
 * worker and what has no worker beside it (start, close) may call, one at a
 * time. Time-outs belong to those who wait for the worker.
 */
#ifndef _TIDEMARK_META_H
#define _TIDEMARK_META_H

#include "format.h"

struct block_device;
struct tm_bitmap;

struct tm_meta {
	struct block_device *bdev;	/* borrowed; NULL: bits live in memory */
	void *buf;
	struct tm_super super;		/* as durable on both; seq: last tried */
	int first;			/* the copy to write first: the older */
};

/* Reads and judges the superblocks: as tm_super_choose(), and -EIO. */
int tm_meta_probe(struct block_device *bdev, struct tm_super *ret);

/* @bdev may be NULL: then nothing but tm_meta_done() may be called. */
int tm_meta_init(struct tm_meta *meta, struct block_device *bdev);
void tm_meta_done(struct tm_meta *meta);

/* Reads the superblocks into meta->super; errors as tm_meta_probe(). */
int tm_meta_load(struct tm_meta *meta);

/*
 * Makes a new set: all areas empty, then @super. Until it returns 0 the device
 * holds either what it did, or something that means "everything changed".
 */
int tm_meta_format(struct tm_meta *meta, const struct tm_super *super);

/*
 * Superblock transition: the older copy first, then the other, each with
 * PREFLUSH and FUA. In effect only when 0. Every attempt has a seq of its own:
 * what a failed one left behind is older than what the next one writes.
 */
int tm_meta_transition(struct tm_meta *meta, const struct tm_super *super);

/* Adds to @bm what both chunk areas hold, and all that cannot be read. */
void tm_meta_load_bits(struct tm_meta *meta, struct tm_bitmap *bm);

/* Writes @bm to the area of @epoch. A transition makes it durable. */
int tm_meta_save_bits(struct tm_meta *meta, const struct tm_bitmap *bm,
		      u64 epoch);

#endif /* _TIDEMARK_META_H */
