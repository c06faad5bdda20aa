/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cow.h - copy before write: what one cut still needs of the old data
 *
 * Made by the snapshot target, attached to the session, armed by the cut. It is
 * reached from map() through session->cow under RCU, and freed only after it
 * has been detached and a grace period has passed.
 */
#ifndef _TIDEMARK_COW_H
#define _TIDEMARK_COW_H

#include <linux/bio.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include "bitmap.h"
#include "store.h"

struct tm_geometry;

#define TM_BLOCK_SHIFT	3	/* log2 of TM_BLOCK_SECTORS */

enum tm_cow_state {
	TM_COW_WAITING,		/* for its cut */
	TM_COW_VALID,
	TM_COW_INVALID,		/* for good: reads fail, writes pass */
};

/* In every bio of the tracking target. */
struct tm_io {
	u64 block;		/* all before this are known to be settled */
};

/* A page of the pool and the block that is in it. */
struct tm_copy {
	struct list_head list;	/* free, in a batch, or in a list of tm_cow */
	struct page *page;
	u64 block;
	u64 slot;		/* while it is written */
	struct bio_list waiters;	/* while it is read; the worker's */
	blk_status_t status;	/* of its last I/O */
	bool writing;
};

struct tm_cow {
	/*
	 * Protects what follows, down to @idle; taken in interrupts. Blocks of
	 * the index are changed by the worker alone, and under it.
	 */
	spinlock_t lock;
	enum tm_cow_state state;
	struct tm_store store;
	struct list_head free;		/* the pool's free pages */
	unsigned int pool_used;
	struct bio_list incoming;	/* writes that map() has queued */
	struct list_head read;		/* copies whose reading ended */
	struct list_head dirty;		/* copies that no write has begun of */
	struct list_head written;	/* copies whose writing ended */
	struct list_head ranges;	/* released, struct tm_range */
	bool sweep;			/* released slots were pinned */
	unsigned int in_flight;		/* bios of ours that copy */
	unsigned int writes_in_flight;
	wait_queue_head_t idle;		/* in_flight became 0 */

	struct bio_list stalled;	/* want a page; the worker's */

	struct block_device *origin;	/* borrowed from the target */
	struct block_device *store_bdev;	/* NULL: the pool is all there is */
	u64 nr_sectors;
	u64 nr_chunks;
	unsigned int chunk_shift;	/* log2 of sectors */
	unsigned int block_shift;	/* log2 of blocks per chunk */
	unsigned int timeout_s;
	bool full;			/* keep everything, not the ship set */
	struct tm_bitmap *ship;		/* set by the cut, when not full */
	struct tm_bitmap *released;
	atomic64_t needed;		/* chunks */

	struct tm_copy *pool;
	unsigned int pool_size;
	struct bio_set read_bios;
	struct bio_set write_bios;
	struct workqueue_struct *wq;
	struct work_struct work;
	struct workqueue_struct *drain_wq;
	struct work_struct drain;
	struct delayed_work watch;
};

struct tm_cow_config {
	unsigned int pool_kib;
	unsigned int timeout_s;
	bool full;
};

/* @store may be NULL. Both devices must outlive the object. NULL: no memory. */
struct tm_cow *tm_cow_new(struct block_device *origin,
			  struct block_device *store,
			  const struct tm_geometry *geo,
			  const struct tm_cow_config *config);
/* It is detached, and nobody reads any more. Waits for what is in flight. */
void tm_cow_free(struct tm_cow *cow);

/*
 * A write of these chunks is about to go to the origin. May be called from
 * map() under rcu_read_lock: never waits. DM_MAPIO_REMAPPED: it may.
 * DM_MAPIO_SUBMITTED: it was queued, and will be passed on.
 */
int tm_cow_write(struct tm_cow *cow, struct bio *bio, u64 first, u64 nr);

/* The cut: WAITING becomes VALID. Takes a reference to @ship. No allocation. */
void tm_cow_arm(struct tm_cow *cow, struct tm_bitmap *ship);

/* The cut is over: VALID becomes INVALID, and every writer goes on. */
void tm_cow_disarm(struct tm_cow *cow);

/* The same from any state, for a reason that is logged, NULL if none. */
void tm_cow_invalidate(struct tm_cow *cow, const char *why);

/* These chunks will not be read again. -EBUSY: before its cut. -ENOMEM. */
int tm_cow_release(struct tm_cow *cow, u64 first, u64 nr);

/* Is this chunk kept? False when the view is not valid. */
bool tm_cow_keeps(struct tm_cow *cow, u64 chunk);

/*
 * After the origin was read: 0, those data are the cut's; 1, the old data of
 * the block are now in @page; -EIO, there are none. May sleep.
 */
int tm_cow_fetch(struct tm_cow *cow, u64 block, struct page *page);

/*
 * What follows is between cow.c, copy.c and drain.c.
 */

/* Chunks released, for the worker to give back what they hold. */
struct tm_range {
	struct list_head list;
	u64 first;
	u64 nr;
};

static inline bool tm_cow_is_valid(const struct tm_cow *cow)
{
	/* Acquire: who sees VALID also sees the ship set. */
	return smp_load_acquire(&cow->state) == TM_COW_VALID;
}

/* The view is, or was, valid. */
static inline bool tm_cow_is_kept(const struct tm_cow *cow, u64 chunk)
{
	return tm_bitmap_lacks(cow->released, cow->ship, chunk, 1);
}

static inline u64 tm_cow_chunk_of(const struct tm_cow *cow, u64 block)
{
	return block >> cow->block_shift;
}

static inline unsigned long *tm_cow_block_in(const struct tm_cow *cow,
					     struct tm_node *node, u64 block)
{
	return &node->block[block & ((1U << cow->block_shift) - 1)];
}

static inline u64 tm_cow_end_block(const struct bio *bio)
{
	return ((bio_end_sector(bio) - 1) >> TM_BLOCK_SHIFT) + 1;
}

/* A bio of ours ended: its copies go to @list of the object. Any context. */
void tm_cow_ended(struct tm_cow *cow, struct list_head *copies,
		  struct list_head *list, blk_status_t status);
/* The workers: of copy.c, its watch over the store, and that of drain.c. */
void tm_copy_work(struct work_struct *work);
void tm_copy_watch(struct work_struct *work);
void tm_drain_work(struct work_struct *work);

/* A run of neighbouring blocks on its way; the bio's front pad. */
struct tm_batch {
	struct tm_cow *cow;
	struct list_head copies;
	struct bio bio;			/* last: its vectors follow */
};

/* Takes @copies over. @bios: one of the two sets of @cow. */
struct tm_batch *tm_batch_new(struct tm_cow *cow, struct bio_set *bios,
			      struct block_device *bdev, blk_opf_t opf,
			      struct list_head *copies, unsigned int nr);

#endif /* _TIDEMARK_COW_H */
