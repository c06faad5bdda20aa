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
#include "compat.h"
#include "store.h"

struct dm_table;
struct tm_geometry;

#define TM_BLOCK_SHIFT	3	/* log2 of TM_BLOCK_SECTORS */

enum tm_cow_state {
	TM_COW_WAITING,		/* for its cut */
	TM_COW_VALID,
	TM_COW_INVALID,		/* for good: reads fail, writes pass */
};

/* Why a view is invalid; status has a word for each. */
enum tm_cow_cause {
	TM_CAUSE_NONE,
	TM_CAUSE_ENDED,		/* its cut was committed or aborted */
	TM_CAUSE_FULL,		/* the store, or the pool where there is none */
	TM_CAUSE_FAILED,	/* the store could not be written */
	TM_CAUSE_SILENT,	/* the store did not answer */
	TM_CAUSE_MEMORY,	/* there was none for the index */
	TM_CAUSE_GONE,		/* the tracked device is another now */
	TM_CAUSE_UNKNOWN,	/* an operation of unknown extent */
};

/* In every bio of the tracking target. */
struct tm_io {
	u64 settled;		/* all blocks before this are */
	u64 begun;		/* of all before this, copies were begun */
};

/* A page of the pool and the block that is in it. */
struct tm_copy {
	struct list_head list;	/* free, in a batch, or in a list of tm_cow */
	struct page *page;
	u64 block;
	u32 slot;		/* while it is written */
	bool writing;
	bool alone;		/* is read so: with others it failed */
	struct bio_list waiters;	/* while it is read */
};

struct tm_cow {
	/*
	 * Protects what follows, down to @idle, and the words of the index;
	 * taken in interrupts.
	 */
	spinlock_t lock;
	enum tm_cow_state state;
	enum tm_cow_cause cause;
	struct tm_store store;
	struct list_head free;		/* the pool's free pages */
	unsigned int pool_used;
	struct list_head unread;	/* copies that the worker is to read */
	struct list_head dirty;		/* copies that no write has begun of */
	unsigned int nr_dirty;
	struct bio_list stalled;	/* for the worker to take further */
	struct bio_list go;		/* to be passed on */
	unsigned long moved;		/* jiffies: a page last came or went */
	bool above_watermark;
	unsigned int reading;		/* copies */
	unsigned int writing;		/* copies */
	unsigned int writes_in_flight;	/* bios */
	wait_queue_head_t idle;		/* neither is read nor written */

	struct block_device *origin;	/* borrowed from the target */
	struct block_device *store_bdev;	/* NULL: the pool is all there is */
	struct dm_table *table;		/* for its events */
	u64 nr_sectors;
	u64 nr_chunks;
	unsigned int chunk_shift;	/* log2 of sectors */
	unsigned int block_shift;	/* log2 of blocks per chunk */
	unsigned int timeout_s;
	unsigned int watermark;		/* percent; 0: none */
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
	struct work_struct pass;
	struct workqueue_struct *drain_wq;
	struct delayed_work drain;
	struct delayed_work watch;
	struct work_struct event;
};

struct tm_cow_config {
	unsigned int pool_kib;
	unsigned int timeout_s;
	unsigned int watermark;
	bool full;
};

/*
 * @store may be NULL. Both devices and the table must outlive the object. NULL:
 * no memory.
 */
struct tm_cow *tm_cow_new(struct block_device *origin,
			  struct block_device *store, struct dm_table *table,
			  const struct tm_geometry *geo,
			  const struct tm_cow_config *config);
/* It is detached, and nobody reads any more. Waits for what is in flight. */
void tm_cow_free(struct tm_cow *cow);

/*
 * A write of these chunks is about to go to the origin. May be called from
 * map() under rcu_read_lock: never waits. DM_MAPIO_REMAPPED: it may.
 * DM_MAPIO_SUBMITTED: it will be passed on. @reads are for the caller to
 * submit; the object stays until they have ended.
 */
int tm_cow_write(struct tm_cow *cow, struct bio *bio, u64 first, u64 nr,
		 struct bio_list *reads);

/* The cut: WAITING becomes VALID. Takes a reference to @ship. No allocation. */
void tm_cow_arm(struct tm_cow *cow, struct tm_bitmap *ship);

/* The cut is over: VALID becomes INVALID, and every writer goes on. */
void tm_cow_disarm(struct tm_cow *cow);

/* The same from any state, for a reason. */
void tm_cow_invalidate(struct tm_cow *cow, enum tm_cow_cause cause);

/* These chunks will not be read again. -EBUSY: before its cut. May sleep. */
int tm_cow_release(struct tm_cow *cow, u64 first, u64 nr);

/* Are all these chunks kept? False when the view is not valid. */
bool tm_cow_keeps(struct tm_cow *cow, u64 first, u64 nr);

/*
 * What follows is between cow.c, copy.c and drain.c.
 */

static inline bool tm_cow_is_valid(const struct tm_cow *cow)
{
	/* Acquire: who sees VALID also sees the ship set. */
	return smp_load_acquire(&cow->state) == TM_COW_VALID;
}

/* The view is, or was, valid. */
static inline bool tm_cow_is_kept(const struct tm_cow *cow, u64 chunk)
{
	return !tm_bitmap_test(cow->released, chunk) &&
	       (!cow->ship || tm_bitmap_test(cow->ship, chunk));
}

static inline u64 tm_cow_chunk_of(const struct tm_cow *cow, u64 block)
{
	return block >> cow->block_shift;
}

static inline u64 tm_cow_first_block(const struct bio *bio)
{
	return bio->bi_iter.bi_sector >> TM_BLOCK_SHIFT;
}

static inline u64 tm_cow_end_block(const struct bio *bio)
{
	return ((bio_end_sector(bio) - 1) >> TM_BLOCK_SHIFT) + 1;
}

static inline struct tm_copy *tm_cow_copy_of(const struct tm_cow *cow, u32 word)
{
	return &cow->pool[tm_block_number(word)];
}

static inline u32 tm_cow_word_of(const struct tm_cow *cow,
				 enum tm_block_state state,
				 const struct tm_copy *copy)
{
	return tm_block_word(state, copy - cow->pool);
}

/* cow->lock held, here and in what follows. */
void tm_cow_invalidate_locked(struct tm_cow *cow, enum tm_cow_cause cause);
/* Some that were read or written are no more. */
void tm_cow_wake_idle(struct tm_cow *cow);
/* A page goes back to the pool. */
void tm_cow_free_copy(struct tm_cow *cow, struct tm_copy *copy);
/* More of the store, or of the pool, is in use, or less. */
void tm_cow_watch_level(struct tm_cow *cow);

/* How far a write has come. */
enum tm_advance {
	TM_ADVANCE_GO,		/* all is settled */
	TM_ADVANCE_WAIT,	/* it is among the waiters of a block */
	TM_ADVANCE_AGAIN,	/* that was enough for once */
	TM_ADVANCE_STALL,	/* it wants a page */
	TM_ADVANCE_MEMORY,	/* it wants a node for block @settled */
};

/*
 * copy.c. Takes a write as far as it can go; the copies that are begun join
 * @copies. cow->lock held.
 */
enum tm_advance tm_copy_advance(struct tm_cow *cow, struct bio *bio,
				struct list_head *copies);
/* Makes the bios that read @copies, or leaves that to the worker. */
void tm_copy_read(struct tm_cow *cow, struct list_head *copies, blk_opf_t opf,
		  struct bio_list *reads);
void tm_copy_work(struct work_struct *work);
void tm_pass_work(struct work_struct *work);
void tm_copy_watch(struct work_struct *work);

/* drain.c. Is there anything to write? Wakes it if so. cow->lock held. */
void tm_drain_kick(struct tm_cow *cow);
void tm_drain_work(struct work_struct *work);

/* A run of neighbouring blocks on its way; the bio's front pad. */
struct tm_batch {
	struct tm_cow *cow;
	struct list_head copies;
	struct bio bio;			/* last: its vectors follow */
};

#endif /* _TIDEMARK_COW_H */
