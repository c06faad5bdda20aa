// SPDX-License-Identifier: GPL-2.0-only
/*
 * closer.c - idle regions are closed again, so that a crash costs little
 *
 * Apart from the opener, which never waits for it but for one write of the log
 * that is under way. The rules:
 *
 * - After the open bits are cleared, a grace period: who has seen them set has
 *   marked by then. Writes in flight need not be waited for.
 * - The chunk sectors are durable before a logged bit is cleared even in
 *   memory: the opener may publish that clear with a write of its own.
 * - What the opener has collected, or has opened again, stays: looked at and
 *   cleared in one step, under the opener's lock.
 * - It does not run across a cut: from its preparation on it keeps still.
 * - Nor while the machine is being put to sleep on disk: what META is told then
 *   would not be in the memory that comes back.
 */
#include <linux/bitmap.h>
#include <linux/sched/mm.h>
#include "compat.h"
#include "epoch.h"
#include "loss.h"
#include "region.h"
#include "session.h"

static bool may_close(struct tm_session *s)
{
	bool may;

	mutex_lock(&s->lock);
	may = s->mode == TM_TRACKING && (s->state == TM_CUT_STATE_NONE ||
					 s->state == TM_CUT_STATE_SHIPPING ||
					 s->state == TM_CUT_STATE_COMMITTING);
	mutex_unlock(&s->lock);
	return may;
}

/* Hides what was idle since the last look, or @all. False: there is none. */
static bool pick(struct tm_session *s, bool all)
{
	struct tm_regions *r = &s->regions;
	unsigned int region;
	bool any = false;

	spin_lock_irq(&r->lock);
	bitmap_zero(r->closing, s->geo.nr_regions);
	for_each_set_bit(region, s->cur->open, s->geo.nr_regions) {
		if (test_and_clear_bit(region, r->used) && !all)
			continue;
		set_bit(region, r->closing);
		clear_bit(region, s->cur->open);
		any = true;
	}
	spin_unlock_irq(&r->lock);
	return any;
}

/* Chunk sectors are durable: the regions are closed, or stay open. */
static void settle(struct tm_session *s)
{
	struct tm_regions *r = &s->regions;
	unsigned int region;

	spin_lock_irq(&r->lock);
	for_each_set_bit(region, r->closing, s->geo.nr_regions) {
		if (test_bit(region, r->wanted) ||
		    test_bit(region, s->cur->open))
			set_bit(region, s->cur->open);
		else
			clear_bit(region, s->cur->logged);
	}
	spin_unlock_irq(&r->lock);
}

/* Of what was picked. */
static int close_picked(struct tm_session *s)
{
	struct tm_meta_log log = { s->epoch, s->cur->logged };
	struct tm_regions *r = &s->regions;
	int err;

	lockdep_assert_held(&s->areas);
	synchronize_rcu();
	err = tm_meta_save_regions(&s->meta, s->epoch, s->cur->changed,
				   r->closing);
	if (err || READ_ONCE(s->mode) != TM_TRACKING)
		return err;
	settle(s);
	err = tm_meta_log(&s->meta, &log, 1, r->closing, &r->lock);
	spin_lock_irq(&r->lock);
	bitmap_zero(r->closing, s->geo.nr_regions);
	spin_unlock_irq(&r->lock);
	return err;
}

void tm_region_kick_closer(struct tm_session *s)
{
	queue_delayed_work(tm_closer_wq, &s->regions.close,
			   s->close_after_s * HZ);
}

void tm_region_close_work(struct work_struct *work)
{
	struct tm_regions *r = container_of(to_delayed_work(work),
					    struct tm_regions, close);
	struct tm_session *s = container_of(r, struct tm_session, regions);
	unsigned int noio = memalloc_noio_save();
	bool more;

	mutex_lock(&s->areas);
	if (may_close(s) && pick(s, false) && close_picked(s))
		tm_loss_begin(s, "cannot be written");
	spin_lock_irq(&r->lock);
	more = !bitmap_empty(s->cur->open, s->geo.nr_regions);
	spin_unlock_irq(&r->lock);
	mutex_unlock(&s->areas);
	memalloc_noio_restore(noio);
	if (more && READ_ONCE(s->mode) == TM_TRACKING)
		tm_region_kick_closer(s);
}

int tm_region_close_all(struct tm_session *s)
{
	int err = 0;

	mutex_lock(&s->areas);
	if (pick(s, true))
		err = close_picked(s);
	mutex_unlock(&s->areas);
	return err;
}
