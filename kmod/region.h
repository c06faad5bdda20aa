/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * region.h - which regions are open to writes without waiting for META
 *
 * A write whose chunks are all marked already passes. Any other needs all its
 * regions open, or it waits here until the opener has logged them.
 */
#ifndef _TIDEMARK_REGION_H
#define _TIDEMARK_REGION_H

#include <linux/bio.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

struct tm_epoch;
struct tm_geometry;
struct tm_session;

/* What becomes of a write that needs a region opened. */
enum tm_gate {
	TM_GATE_LOG,		/* it waits for the log */
	TM_GATE_HOLD,		/* META failed: it waits for that to be known */
	TM_GATE_PASS,		/* it passes: bits are in memory only */
	TM_GATE_FAIL,		/* it fails: so the operator chose */
};

/* Chunks that a message wants marked. */
struct tm_mark {
	struct list_head list;
	u64 first;
	u64 nr;
};

struct tm_regions {
	spinlock_t lock;		/* all below, open and logged bits */
	enum tm_gate gate;		/* read without */
	bool opening;			/* the opener is at work */
	struct tm_epoch *next;		/* openings are logged for it, too */
	struct bio_list waiting;	/* for the opener to collect */
	struct bio_list collected;
	struct bio_list opened;		/* on their way to the origin */
	struct list_head marks;		/* the same, of messages */
	struct list_head marking;
	bool dropped;			/* marks, at a loss not known yet */
	wait_queue_head_t idle;		/* the opener is through */

	/* A bit per region. */
	unsigned long *wanted;		/* by what waits or was collected */
	unsigned long *taken;		/* the opener's, in this round */
	unsigned long *closing;		/* by who holds session->areas */
	unsigned long *used;		/* without lock: marked in, lately */

	struct workqueue_struct *wq;	/* of these two, who wait for no other */
	struct work_struct open;
	struct work_struct admit;
	struct delayed_work close;
	struct delayed_work timeout;
};

/* The session's geometry is known. -ENOMEM. */
int tm_regions_init(struct tm_session *s);
void tm_regions_done(struct tm_session *s);

/*
 * The session's geometry becomes @geo, its current epoch *epoch; bits are from
 * tm_regions_bits(). Nothing is in flight or at work. Both are exchanged for
 * the old ones. session->lock held.
 */
unsigned long *tm_regions_bits(const struct tm_geometry *geo);
void tm_regions_grow(struct tm_session *s, struct tm_epoch **epoch,
		     unsigned long **bits, const struct tm_geometry *geo);

/*
 * A write of these chunks, not all of which are marked, is about to go to the
 * origin. May be called from map(): takes no lock and does not sleep, but for
 * a spinlock where it has to queue. DM_MAPIO_REMAPPED: they are marked now.
 * DM_MAPIO_SUBMITTED: queued, and will be passed on. DM_MAPIO_KILL.
 */
int tm_region_write(struct tm_session *s, struct bio *bio, u64 first, u64 nr);

/*
 * Chunks will count as changed, as soon as a crash cannot undo it. -ENOMEM.
 * session->lock held.
 */
int tm_region_mark(struct tm_session *s, u64 first, u64 nr);

/*
 * META is not to be waited for any more. HOLD follows LOG only, FAIL both of
 * them, PASS is final. What waits goes on with PASS, fails with FAIL.
 */
void tm_region_gate(struct tm_session *s, enum tm_gate gate);

/* Does a write, or a mark, wait for META? */
bool tm_region_has_waiting(struct tm_regions *r);

/* Those being closed are not closed yet. session->lock held. */
unsigned int tm_region_count_open(struct tm_session *s);

/*
 * From here on openings are logged for @next too. On return its logged bits
 * are those open now, and regions->closing names them: once these are durable,
 * tm_region_open_next() opens them there. session->areas held, in all three.
 */
void tm_region_begin_next(struct tm_session *s, struct tm_epoch *next);
void tm_region_open_next(struct tm_session *s, struct tm_epoch *next);
/* Waits for the opener; what it opens from here on is logged for one epoch. */
void tm_region_end_next(struct tm_session *s);

/* Waits until no message's marks are left. */
void tm_region_wait_marks(struct tm_session *s);

/*
 * The cut: the next epoch becomes the current one. session->lock held, nothing
 * in flight. -EBUSY: a message's marks are still on their way.
 */
int tm_region_flip(struct tm_session *s);

/* The closer looks again, in a while. */
void tm_region_kick_closer(struct tm_session *s);

/* The end: closes all regions. No work runs, nothing is in flight. 0 or -EIO. */
int tm_region_close_all(struct tm_session *s);

/* No timer and no work runs after this. Nothing is in flight. */
void tm_region_stop(struct tm_session *s);

/* Of closer.c. */
void tm_region_close_work(struct work_struct *work);

#endif /* _TIDEMARK_REGION_H */
