// SPDX-License-Identifier: GPL-2.0-only
/*
 * region.c - writes wait here until a crash could no longer hide them
 *
 * Invariant: a write reaches the origin only when META durably says that the
 * device has been written to, or when the loss of tracking has been recorded,
 * or when the operator chose to let it pass.
 *
 *   CLOSED -> OPEN	[tm_region_open]	"unclean" is durable
 *   CLOSED -> OPEN	[region_timeout]	lost, on_lost pass
 *   CLOSED -> FAILED	[region_timeout]	lost, on_lost fail
 *   FAILED -> OPEN	[tm_region_open]	userspace recorded the loss
 *
 * OPEN is final: a session that was written to stays so until it closes.
 */
#include <linux/device-mapper.h>
#include "compat.h"
#include "region.h"
#include "session.h"

#define DM_MSG_PREFIX "tidemark"

int tm_region_defer(struct tm_session *s, struct bio *bio)
{
	struct tm_region *r = &s->region;
	enum tm_region_state state;
	unsigned long flags;

	spin_lock_irqsave(&r->lock, flags);
	state = r->state;
	if (state == TM_REGION_CLOSED) {
		if (bio_list_empty(&r->waiting))
			queue_delayed_work(tm_timer_wq, &r->timeout,
					   s->meta_timeout_s * HZ);
		bio->bi_opf &= ~TM_REQ_IMPATIENT;
		bio_list_add(&r->waiting, bio);
	}
	spin_unlock_irqrestore(&r->lock, flags);

	switch (state) {
	case TM_REGION_OPEN:
		return DM_MAPIO_REMAPPED;
	case TM_REGION_FAILED:
		return DM_MAPIO_KILL;
	default:
		tm_session_kick(s);
		return DM_MAPIO_SUBMITTED;
	}
}

static struct bio_list region_leave(struct tm_region *r,
				    enum tm_region_state state)
{
	struct bio_list bios = BIO_EMPTY_LIST;
	unsigned long flags;

	spin_lock_irqsave(&r->lock, flags);
	if (r->state != TM_REGION_OPEN) {
		/* Release: who sees it open also sees what made it so. */
		smp_store_release(&r->state, state);
		bios = r->waiting;
		bio_list_init(&r->waiting);
	}
	spin_unlock_irqrestore(&r->lock, flags);
	return bios;
}

void tm_region_open(struct tm_session *s)
{
	struct bio_list bios;
	struct bio *bio;

	if (tm_region_is_open(&s->region))
		return;
	bios = region_leave(&s->region, TM_REGION_OPEN);
	while ((bio = bio_list_pop(&bios)))
		tm_session_admit(s, bio);
}

void tm_region_fail(struct tm_session *s)
{
	struct bio_list bios = region_leave(&s->region, TM_REGION_FAILED);
	struct bio *bio;

	while ((bio = bio_list_pop(&bios)))
		bio_io_error(bio);
}

bool tm_region_has_waiting(struct tm_region *r)
{
	unsigned long flags;
	bool waiting;

	spin_lock_irqsave(&r->lock, flags);
	waiting = !bio_list_empty(&r->waiting);
	spin_unlock_irqrestore(&r->lock, flags);
	return waiting;
}

/* Beside the worker, which may be stuck in a device that does not answer. */
static void region_timeout(struct work_struct *work)
{
	struct tm_region *r = container_of(to_delayed_work(work),
					   struct tm_region, timeout);
	struct tm_session *s = container_of(r, struct tm_session, region);

	if (!tm_region_has_waiting(r))
		return;
	tm_session_lose(s, "does not answer");
	if (s->fail_when_lost)
		tm_region_fail(s);
	else
		tm_region_open(s);
}

void tm_region_init(struct tm_session *s)
{
	struct tm_region *r = &s->region;

	spin_lock_init(&r->lock);
	r->state = TM_REGION_CLOSED;
	bio_list_init(&r->waiting);
	INIT_DELAYED_WORK(&r->timeout, region_timeout);
}

void tm_region_stop(struct tm_session *s)
{
	cancel_delayed_work_sync(&s->region.timeout);
}
