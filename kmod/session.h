/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session.h - the object that the two targets share: its lifetime and its modes
 *
 * A session is one set of bits being kept for one mapped device. It begins when
 * the first table that names its metadata is resumed, passes from table to
 * table as they are reloaded, and closes with the last one. Memory lives as
 * long as the references: one per table that names it and one per snapshot.
 *
 * Lock order: session->areas, tm_sessions_lock, session->lock, regions->lock,
 * cow->lock. None but the first is held across I/O, and the lock of the log in
 * tm_meta, which comes between it and regions->lock. The lock of a snapshot's
 * attachment is session->lock.
 */
#ifndef _TIDEMARK_SESSION_H
#define _TIDEMARK_SESSION_H

#include <linux/device-mapper.h>
#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/workqueue.h>
#include "format.h"
#include "meta.h"
#include "region.h"

struct tm_cow;
struct tm_epoch;
struct tm_growth;

enum tm_mode {
	TM_TRACKING,		/* META is as it should be */
	TM_MEMORY,		/* there is no META */
	TM_LOST,		/* META failed: bits are in memory only */
};

/*
 * The life of a cut; status shows these words. cut.c performs every transition.
 *
 *   NONE	-> PREPARING	message prepare
 *   PREPARING	-> PREPARED	worker: memory is there, S{next} durable
 *   PREPARED	-> CUT		message cut: epoch flipped, snapshot armed
 *   CUT	-> SHIPPING	worker, after resume: S{frozen} durable
 *   SHIPPING	-> COMMITTING	message commit
 *   COMMITTING	-> NONE		worker: origin flushed, S{base} durable
 *   COMMITTING	-> SHIPPING	worker: the origin's flush failed
 *   PREPARING, PREPARED, CUT, SHIPPING
 *		-> MERGING	message abort
 *   MERGING	-> NONE		worker: bits joined, S{no frozen} durable
 */
enum tm_cut_state {
	TM_CUT_STATE_NONE,
	TM_CUT_STATE_PREPARING,
	TM_CUT_STATE_PREPARED,
	TM_CUT_STATE_CUT,
	TM_CUT_STATE_SHIPPING,
	TM_CUT_STATE_COMMITTING,
	TM_CUT_STATE_MERGING,
};

enum tm_life {
	TM_NEW,			/* made by a constructor, nothing read yet */
	TM_STARTING,		/* reading META in a first resume */
	TM_LIVE,
	TM_CLOSED,
};

/* What a table asks for; 0 where it leaves the choice. */
struct tm_config {
	u64 length_sectors;
	u32 chunk_sectors;
	u64 region_sectors;
	unsigned int close_after_s;
	unsigned int meta_timeout_s;
	bool fail_when_lost;
};

#define TM_META_TIMEOUT_DEFAULT	10	/* seconds */
#define TM_CLOSE_AFTER_DEFAULT	10	/* seconds */

struct tm_session {
	struct kref ref;
	struct list_head node;		/* in tm_sessions, from STARTING on */
	struct mapped_device *md;	/* identity, never followed */
	dev_t dev;			/* of the mapped device */
	dev_t meta_dev;			/* 0: memory */
	struct tm_geometry geo;
	unsigned int chunk_shift;	/* log2 of chunk_sectors */
	unsigned int region_shift;	/* log2 of chunks in a region */
	unsigned int close_after_s;
	unsigned int meta_timeout_s;
	bool fail_when_lost;

	struct mutex lock;		/* all below */
	enum tm_life life;
	enum tm_mode mode;
	struct dm_target *owner;	/* the target whose table is live */
	struct block_device *origin;	/* held open by the owner */
	bool quiesced;			/* suspended, nothing in flight */
	bool held;			/* still in the suspension of its cut */
	bool unclean;			/* more may count: unclean stop */
	bool lost_durable;		/* META says lost, or userspace does */

	enum tm_cut_state state;
	struct tm_id cut;
	struct tm_id aborted;		/* last cut given up, for repeats */
	struct tm_id setid;
	struct tm_id base;
	u64 epoch;
	u32 nr_merged;
	struct tm_id merged[TM_MERGED_MAX];

	/*
	 * map() reads @cur without a lock: it changes only in a cut, while no
	 * map() can run, and then under regions->lock too. @next is empty and
	 * waits for the cut; @frozen is what the cut took.
	 */
	struct tm_epoch *cur;
	struct tm_epoch *next;
	struct tm_epoch *frozen;

	struct tm_regions regions;
	struct tm_cow __rcu *cow;	/* the attached snapshot */

	struct tm_meta meta;		/* see there who may call what */
	struct mutex areas;		/* who writes chunk areas, or closes */
	struct workqueue_struct *wq;
	struct work_struct work;
	struct delayed_work retry;	/* to record a loss */
};

int tm_session_module_init(void);
void tm_session_module_exit(void);

/*
 * Memory is about to be written to disk, to come back later: META will have
 * gone on until then, and so will the disk. Tracking is lost for all that live,
 * or come to life before that ends.
 */
void tm_session_hibernate(bool begins);

/*
 * For a constructor: the live session of this device and metadata, or a new
 * one. @meta may be NULL. On failure *@error says why in words.
 */
struct tm_session *tm_session_get(struct mapped_device *md,
				  struct block_device *origin,
				  struct block_device *meta,
				  const struct tm_config *config, char **error);
void tm_session_put(struct tm_session *s);

/* Is this the origin or the metadata of any tracked device, or part of it? */
bool tm_session_uses(struct block_device *bdev);

/* The live session of a mapped device, with a reference; NULL. It may close. */
struct tm_session *tm_session_find(dev_t dev);

/*
 * preresume: @ti takes the session over, or starts it. @growth is what the
 * constructor made for a longer table, or NULL. -EBUSY: metadata or
 * origin are in use by another device. -ESTALE: the session closed under this
 * table, or the metadata changed since it was loaded. -ENOMEM.
 */
int tm_session_resume(struct tm_session *s, struct dm_target *ti,
		      struct block_device *origin, struct block_device *meta,
		      const struct tm_config *config, struct tm_growth *growth);
/* postsuspend: nothing is in flight any more. */
void tm_session_suspend(struct tm_session *s);
/*
 * Destructor of a table: if it still holds the session, that ends here. The
 * bits are saved when @orderly, that is, when nothing can be written past us.
 */
void tm_session_close(struct tm_session *s, struct dm_target *ti, bool orderly);

/* Message: chunks count as changed, from @first to the end where @nr is 0. */
int tm_session_mark(struct tm_session *s, u64 first, u64 nr);

/* -ENODEV: closed. -EBUSY: has a snapshot. -ESTALE: has grown since. */
int tm_session_attach(struct tm_session *s, struct tm_cow *cow);
/* Nobody sees @cow after this. May sleep. */
void tm_session_detach(struct tm_session *s, struct tm_cow *cow);

/* A write that is about to reach the origin: DM_MAPIO_*. Called by map(). */
int tm_session_write(struct tm_session *s, struct bio *bio);
/* The same for one that has waited; passes it on itself. */
void tm_session_admit(struct tm_session *s, struct bio *bio);

/* The chunks that a write may change. */
void tm_session_chunks_of(const struct tm_session *s, const struct bio *bio,
			  u64 *ret_first, u64 *ret_nr);

/* Wakes the worker. */
void tm_session_kick(struct tm_session *s);

/* What the superblock should say now. session->lock held. */
void tm_session_super(struct tm_session *s, struct tm_super *ret);

/*
 * Worker only: makes @super durable, marked unclean. In memory mode there is
 * nothing to do; a failure loses tracking, and the caller goes on in memory.
 */
void tm_session_transition(struct tm_session *s, struct tm_super *super);

/* The regions' timers run here, beside workers that may be stuck. */
extern struct workqueue_struct *tm_timer_wq;
/* All closers; freezable. */
extern struct workqueue_struct *tm_closer_wq;

#endif /* _TIDEMARK_SESSION_H */
