// SPDX-License-Identifier: GPL-2.0-only
/*
 * loss.c - META fails: tracking is lost, and the disk goes on
 */
#include "bitmap.h"
#include "compat.h"
#include "epoch.h"
#include "loss.h"
#include "session.h"

#define DM_MSG_PREFIX "tidemark"

#define TM_LOSS_RETRY_S	10	/* between attempts to record a loss */

void tm_loss_begin(struct tm_session *s, const char *why)
{
	mutex_lock(&s->lock);
	if (s->mode == TM_TRACKING) {
		DMERR("%u:%u: metadata %s: tracking is lost", MAJOR(s->dev),
		      MINOR(s->dev), why);
		WRITE_ONCE(s->mode, TM_LOST);
		if (s->owner)
			dm_table_event(s->owner->table);
	}
	mutex_unlock(&s->lock);
	/*
	 * Until the loss is known, or accepted, no bit may be set that META
	 * does not cover: a write would pass. So all are set in
	 * tm_loss_pass(), and not here.
	 */
	tm_region_gate(s, TM_GATE_HOLD);
	tm_session_kick(s);
}

void tm_loss_pass(struct tm_session *s)
{
	mutex_lock(&s->lock);
	tm_bitmap_fill(s->cur->changed);
	mutex_unlock(&s->lock);
	tm_region_gate(s, TM_GATE_PASS);
}

/* Tracking was lost while META says that all is well: it must not any more. */
void tm_loss_work(struct tm_session *s)
{
	struct tm_super super;

	mutex_lock(&s->lock);
	if (s->mode != TM_LOST || s->lost_durable) {
		mutex_unlock(&s->lock);
		return;
	}
	tm_session_super(s, &super);
	mutex_unlock(&s->lock);

	super.flags = TM_SUPER_UNCLEAN | TM_SUPER_LOST;
	if (tm_meta_transition(&s->meta, &super)) {
		/* It may come back, and would then be believed. */
		mutex_lock(&s->lock);
		if (s->life == TM_LIVE)
			mod_delayed_work(tm_timer_wq, &s->retry,
					 TM_LOSS_RETRY_S * HZ);
		mutex_unlock(&s->lock);
		return;
	}
	mutex_lock(&s->lock);
	s->lost_durable = true;
	mutex_unlock(&s->lock);
	tm_loss_pass(s);
}

static void retry_work(struct work_struct *work)
{
	tm_session_kick(container_of(to_delayed_work(work), struct tm_session,
				     retry));
}

void tm_loss_init(struct tm_session *s)
{
	INIT_DELAYED_WORK(&s->retry, retry_work);
}

int tm_loss_recorded(struct tm_session *s)
{
	int r = -EBUSY;

	mutex_lock(&s->lock);
	if (s->life == TM_LIVE && s->mode == TM_LOST) {
		s->lost_durable = true;
		r = 0;
	}
	mutex_unlock(&s->lock);
	if (!r)
		tm_loss_pass(s);
	return r;
}
