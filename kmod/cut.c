// SPDX-License-Identifier: GPL-2.0-only
/*
 * cut.c - closing an epoch: prepare, cut, commit, abort
 *
 * The states and their transitions are drawn in session.h. Three rules:
 *
 * A cut is taken only while the device is suspended and nothing is in flight,
 * so that no map() runs while @changed is exchanged, and every write either is
 * in the frozen bits and on the disk that the snapshot shows, or in neither.
 *
 * A superblock transition is in effect only when both copies are durable; until
 * then the state that status reports is the old one.
 *
 * A failure of META changes the mode, not the course of the cut: it goes on in
 * memory.
 *
 * What META holds in each state, and what a crash there makes of it:
 *
 *   PREPARING, PREPARED	S{E, next E + 1}, then openings are logged in both
 *			areas: both are united, E + 1 goes on
 *   CUT		the same. E + 1 is logged only in its own area, whose
 *			log began with all that was open: as above
 *   SHIPPING		S{E + 1, frozen E}: both are united, the cut is merged
 *   COMMITTING		S{E + 1, base}, after the origin was flushed
 *   MERGING		the union in the area of E + 1, then S{E + 1}
 *
 * A preparation that is given up leaves its area empty before the superblock
 * forgets it: sectors newer than the superblock mean that everything changed.
 */
#include <linux/mutex.h>
#include "bitmap.h"
#include "compat.h"
#include "cow.h"
#include "cut.h"
#include "epoch.h"
#include "loss.h"
#include "session.h"

#define DM_MSG_PREFIX "tidemark"

static bool is_cut(const struct tm_session *s, const struct tm_id *id)
{
	return s->state != TM_CUT_STATE_NONE && tm_id_equal(&s->cut, id);
}

static bool was_merged(const struct tm_session *s, const struct tm_id *id)
{
	u32 i;

	for (i = 0; i < s->nr_merged; i++)
		if (tm_id_equal(&s->merged[i], id))
			return true;
	return tm_id_equal(&s->aborted, id);
}

static struct tm_cow *attached_cow(struct tm_session *s)
{
	return rcu_dereference_protected(s->cow, lockdep_is_held(&s->lock));
}

/* session->lock held, here and in what the other messages do. */
static int do_prepare(struct tm_session *s, const struct tm_id *id)
{
	if (is_cut(s, id))
		return s->state <= TM_CUT_STATE_PREPARED ? 0 : -EBUSY;
	if (s->state != TM_CUT_STATE_NONE)
		return -EBUSY;
	s->cut = *id;
	s->state = TM_CUT_STATE_PREPARING;
	return 0;
}

static int do_cut(struct tm_session *s, const struct tm_id *id)
{
	struct tm_cow *cow = attached_cow(s);
	int r;

	if (!is_cut(s, id))
		return -ENOENT;
	if (s->state == TM_CUT_STATE_CUT || s->state == TM_CUT_STATE_SHIPPING)
		return 0;
	if (s->state != TM_CUT_STATE_PREPARED || !s->quiesced)
		return -EBUSY;
	r = tm_region_flip(s);
	if (r)
		return r;
	/* What is lost is not tracked: every cut has to ship it all. */
	if (s->mode == TM_LOST)
		tm_bitmap_fill(s->frozen->changed);
	s->held = true;
	s->state = TM_CUT_STATE_CUT;
	if (cow)
		tm_cow_arm(cow, s->frozen->changed);
	return 0;
}

static int do_commit(struct tm_session *s, const struct tm_id *id)
{
	if (!is_cut(s, id))
		return tm_id_equal(&s->base, id) ? 0 : -ENOENT;
	if (s->state == TM_CUT_STATE_COMMITTING)
		return 0;
	if (s->state != TM_CUT_STATE_SHIPPING)
		return -EBUSY;
	s->state = TM_CUT_STATE_COMMITTING;
	return 0;
}

static int do_abort(struct tm_session *s, const struct tm_id *id)
{
	if (!is_cut(s, id))
		return was_merged(s, id) ? 0 : -ENOENT;
	if (s->state == TM_CUT_STATE_COMMITTING)
		return -EBUSY;
	s->state = TM_CUT_STATE_MERGING;
	return 0;
}

static int message(struct tm_session *s, const struct tm_id *id,
		   int (*step)(struct tm_session *s, const struct tm_id *id))
{
	int r = -ENODEV;

	mutex_lock(&s->lock);
	if (s->life == TM_LIVE)
		r = step(s, id);
	/* Under the lock: when the session winds down, no kick is late. */
	if (!r)
		tm_session_kick(s);
	mutex_unlock(&s->lock);
	return r;
}

int tm_cut_prepare(struct tm_session *s, const struct tm_id *id)
{
	return message(s, id, do_prepare);
}

int tm_cut_cut(struct tm_session *s, const struct tm_id *id)
{
	return message(s, id, do_cut);
}

int tm_cut_commit(struct tm_session *s, const struct tm_id *id)
{
	return message(s, id, do_commit);
}

int tm_cut_abort(struct tm_session *s, const struct tm_id *id)
{
	return message(s, id, do_abort);
}

/* Is this the worker's to do? If so, what META is to say begins as it is. */
static bool begin(struct tm_session *s, enum tm_cut_state state,
		  struct tm_super *ret)
{
	bool mine;

	mutex_lock(&s->lock);
	mine = s->state == state;
	if (mine)
		tm_session_super(s, ret);
	mutex_unlock(&s->lock);
	return mine;
}

/* Openings are logged for the next epoch too, and what is open is so there. */
static void log_next(struct tm_session *s, struct tm_epoch *next)
{
	struct tm_meta_log log = { s->epoch + 1, next->logged };
	struct tm_regions *r = &s->regions;

	tm_region_begin_next(s, next);
	if (tm_meta_log(&s->meta, &log, 1, r->closing, &r->lock))
		tm_loss_begin(s, "cannot be written");
	else
		tm_region_open_next(s, next);
}

static void prepare(struct tm_session *s)
{
	struct tm_epoch *next;
	struct tm_super super;

	if (!begin(s, TM_CUT_STATE_PREPARING, &super))
		return;
	tm_region_wait_marks(s);
	next = tm_epoch_new(&s->geo);
	if (next) {
		super.next_epoch = super.epoch + 1;
		super.cut = s->cut;
		tm_session_transition(s, &super);
		/* In any mode: the closer is through before there is a cut. */
		mutex_lock(&s->areas);
		if (READ_ONCE(s->mode) == TM_TRACKING)
			log_next(s, next);
		mutex_unlock(&s->areas);
	} else {
		DMERR("%u:%u: a cut finds no memory", MAJOR(s->dev),
		      MINOR(s->dev));
	}

	mutex_lock(&s->lock);
	s->next = next;
	if (s->state == TM_CUT_STATE_PREPARING)
		s->state = next ? TM_CUT_STATE_PREPARED : TM_CUT_STATE_NONE;
	mutex_unlock(&s->lock);
}

/* Resumed after the cut: now it can be told, once META knows it too. */
static void settle(struct tm_session *s)
{
	struct tm_super super;
	bool mine;

	mutex_lock(&s->lock);
	mine = s->state == TM_CUT_STATE_CUT && !s->held;
	if (mine)
		tm_session_super(s, &super);
	mutex_unlock(&s->lock);
	if (!mine)
		return;
	tm_session_transition(s, &super);

	mutex_lock(&s->lock);
	if (s->state == TM_CUT_STATE_CUT)
		s->state = TM_CUT_STATE_SHIPPING;
	mutex_unlock(&s->lock);
}

static int flush_origin(struct tm_session *s)
{
	struct bio bio;
	int r;

	tm_bio_init(&bio, s->origin, NULL, 0, REQ_OP_WRITE | REQ_PREFLUSH);
	r = submit_bio_wait(&bio);
	bio_uninit(&bio);
	return r;
}

/*
 * What was shipped may have been read out of the disk's volatile cache: a power
 * cut could take it back with no bit set. So the flush comes first.
 */
static void commit(struct tm_session *s)
{
	struct tm_epoch *frozen = NULL;
	struct tm_super super;
	struct tm_cow *cow;
	int r;

	if (!begin(s, TM_CUT_STATE_COMMITTING, &super))
		return;
	r = flush_origin(s);
	if (r) {
		DMERR("%u:%u: cut not taken as base: flushing the origin failed: %d",
		      MAJOR(s->dev), MINOR(s->dev), r);
	} else {
		super.base = s->cut;
		super.frozen_epoch = 0;
		memset(&super.cut, 0, sizeof(super.cut));
		super.nr_merged = 0;
		tm_session_transition(s, &super);
	}

	mutex_lock(&s->lock);
	if (r) {
		s->state = TM_CUT_STATE_SHIPPING;
	} else {
		cow = attached_cow(s);
		if (cow)
			tm_cow_disarm(cow);
		s->base = s->cut;
		s->nr_merged = 0;
		s->unclean = false;
		frozen = s->frozen;
		s->frozen = NULL;
		s->state = TM_CUT_STATE_NONE;
	}
	mutex_unlock(&s->lock);
	tm_epoch_free(frozen);
}

/* META takes the merge, or the end of the preparation, over. */
static int save_merge(struct tm_session *s, const struct tm_epoch *frozen,
		      const struct tm_epoch *next)
{
	struct tm_meta_log nothing = { s->epoch + 1, NULL };
	struct tm_regions *r = &s->regions;
	int err = 0;

	lockdep_assert_held(&s->areas);
	if (next)
		err = tm_meta_log(&s->meta, &nothing, 1, next->logged,
				  &r->lock);
	if (!err && frozen)
		err = tm_meta_save_part(&s->meta, s->epoch, s->cur->changed,
					frozen->changed);
	return err;
}

static void settle_merge(struct tm_session *s, const struct tm_epoch *frozen,
			 const struct tm_epoch *next)
{
	int err = 0;

	mutex_lock(&s->areas);
	/* Whatever the mode: the opener may still look at it. */
	if (next)
		tm_region_end_next(s);
	if (READ_ONCE(s->mode) == TM_TRACKING)
		err = save_merge(s, frozen, next);
	mutex_unlock(&s->areas);
	if (err)
		tm_loss_begin(s, "cannot be written");
}

/* Gives up a cut, or a preparation: as if it had never been. */
static void merge(struct tm_session *s)
{
	struct tm_epoch *frozen, *next;
	struct tm_super super;
	struct tm_cow *cow;

	mutex_lock(&s->lock);
	if (s->state != TM_CUT_STATE_MERGING) {
		mutex_unlock(&s->lock);
		return;
	}
	frozen = s->frozen;
	next = s->next;
	cow = attached_cow(s);
	if (cow && frozen)
		tm_cow_disarm(cow);
	/*
	 * From here on map() and this set the same words: hence atomic. The
	 * frozen bits stay until the end; both hold them for a while. Once
	 * tracking is lost they are more than META covers: all will be set
	 * when that is known, and none before.
	 */
	if (frozen && (s->mode != TM_LOST ||
		       READ_ONCE(s->regions.gate) == TM_GATE_PASS))
		tm_bitmap_merge(s->cur->changed, frozen->changed);
	tm_session_super(s, &super);
	super.frozen_epoch = 0;
	memset(&super.cut, 0, sizeof(super.cut));
	if (frozen)
		tm_merged_add(super.merged, &super.nr_merged, &s->cut);
	mutex_unlock(&s->lock);

	settle_merge(s, frozen, next);
	tm_session_transition(s, &super);

	mutex_lock(&s->lock);
	s->frozen = NULL;
	s->next = NULL;
	s->aborted = s->cut;
	s->held = false;
	s->nr_merged = super.nr_merged;
	memcpy(s->merged, super.merged, sizeof(s->merged));
	s->state = TM_CUT_STATE_NONE;
	mutex_unlock(&s->lock);
	tm_epoch_free(frozen);
	tm_epoch_free(next);
}

void tm_cut_close(struct tm_session *s)
{
	mutex_lock(&s->lock);
	if (s->state != TM_CUT_STATE_NONE)
		s->state = TM_CUT_STATE_MERGING;
	mutex_unlock(&s->lock);
	merge(s);
}

void tm_cut_work(struct tm_session *s)
{
	prepare(s);
	settle(s);
	commit(s);
	merge(s);
}
