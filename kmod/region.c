// SPDX-License-Identifier: GPL-2.0-only
/*
 * region.c - which regions are open to writes without waiting for META
 *
 * Invariant: a write reaches the origin only when the bits of its chunks are
 * durable, or its regions are durably logged. A crash therefore loses no
 * change: every logged region is counted as changed.
 *
 *   CLOSED  -> OPENING	[collect]		a write queues behind the log
 *   OPENING -> OPEN	[publish]		its bit is durable: writes go
 *   OPEN    -> CLOSING	[pick, closer.c]	hidden; map() sees it no more
 *   CLOSING -> OPEN	[settle, closer.c]	it is wanted again
 *   CLOSING -> CLOSED	[settle, closer.c]	chunk bits durable, bit cleared
 *
 * A region is open or closing while its open or closing bit is set; opening
 * while it is among those taken. The rules, for each of which the model in
 * tests/model has a mistake that shows what happens without it:
 *
 * - open is set only when the logged bit is durable, in every epoch that is
 *   logged for.
 * - Sectors are built from logged, never from open, under the lock of the log,
 *   which one write at a time holds: two writes of one sector never meet.
 * - What has waited looks again whether its regions are open.
 * - Between collecting and publishing the regions are wanted: the closer does
 *   not clear what the opener is about to make durable.
 * - Open bits belong to an epoch: the cut exchanges them with all else.
 *
 * map() looks at open and marks under RCU, so that the closer, after a grace
 * period, has all bits that were set while a region was open.
 */
#include <linux/bitmap.h>
#include <linux/device-mapper.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include "compat.h"
#include "epoch.h"
#include "loss.h"
#include "region.h"
#include "session.h"

#define DM_MSG_PREFIX "tidemark"

static void regions_of(const struct tm_session *s, u64 chunk, u64 nr,
		       unsigned int *ret_first, unsigned int *ret_nr)
{
	*ret_first = chunk >> s->region_shift;
	*ret_nr = ((chunk + nr - 1) >> s->region_shift) - *ret_first + 1;
}

static bool is_open(const struct tm_epoch *epoch, unsigned int first,
		    unsigned int nr)
{
	if (likely(nr == 1))
		return test_bit(first, epoch->open);
	return find_next_zero_bit(epoch->open, first + nr, first) >= first + nr;
}

/* Keeps the closer away for a while. */
static void use(struct tm_regions *r, unsigned int first, unsigned int nr)
{
	for (; nr; first++, nr--)
		if (!test_bit(first, r->used))
			set_bit(first, r->used);
}

/* The gate has just changed: REMAPPED here means that it may try again. */
static int defer(struct tm_session *s, struct bio *bio, unsigned int first,
		 unsigned int nr)
{
	struct tm_regions *r = &s->regions;
	enum tm_gate gate;
	unsigned long flags;

	spin_lock_irqsave(&r->lock, flags);
	gate = r->gate;
	if (gate == TM_GATE_LOG || gate == TM_GATE_HOLD) {
		queue_delayed_work(tm_timer_wq, &r->timeout,
				   s->meta_timeout_s * HZ);
		bio->bi_opf &= ~TM_REQ_IMPATIENT;
		bio_list_add(&r->waiting, bio);
		bitmap_set(r->wanted, first, nr);
	}
	spin_unlock_irqrestore(&r->lock, flags);

	switch (gate) {
	case TM_GATE_LOG:
		queue_work(r->wq, &r->open);
		return DM_MAPIO_SUBMITTED;
	case TM_GATE_HOLD:
		return DM_MAPIO_SUBMITTED;
	case TM_GATE_FAIL:
		return DM_MAPIO_KILL;
	default:
		return DM_MAPIO_REMAPPED;
	}
}

int tm_region_write(struct tm_session *s, struct bio *bio, u64 first, u64 nr)
{
	struct tm_regions *r = &s->regions;
	unsigned int region, regions;
	struct tm_epoch *epoch;
	bool pass;
	int reply;

	regions_of(s, first, nr, &region, &regions);
	do {
		rcu_read_lock();
		epoch = READ_ONCE(s->cur);
		pass = READ_ONCE(r->gate) == TM_GATE_PASS ||
		       is_open(epoch, region, regions);
		if (pass) {
			tm_bitmap_mark(epoch->changed, first, nr);
			use(r, region, regions);
		}
		rcu_read_unlock();
		if (pass)
			return DM_MAPIO_REMAPPED;
		reply = defer(s, bio, region, regions);
	} while (reply == DM_MAPIO_REMAPPED);
	return reply;
}

int tm_region_mark(struct tm_session *s, u64 first, u64 nr)
{
	struct tm_regions *r = &s->regions;
	unsigned int region, regions;
	struct tm_mark *mark;

	lockdep_assert_held(&s->lock);
	mark = kmalloc(sizeof(*mark), GFP_NOIO);
	if (!mark)
		return -ENOMEM;
	mark->first = first;
	mark->nr = nr;
	regions_of(s, first, nr, &region, &regions);

	spin_lock_irq(&r->lock);
	if (r->gate == TM_GATE_LOG) {
		list_add_tail(&mark->list, &r->marks);
		bitmap_set(r->wanted, region, regions);
		queue_work(r->wq, &r->open);
		mark = NULL;
	} else {
		r->dropped = true;
	}
	spin_unlock_irq(&r->lock);
	/*
	 * Or tracking is not, or no more, META's: then everything counts as
	 * changed already, but for what was set aside since.
	 */
	if (mark && READ_ONCE(r->gate) == TM_GATE_PASS)
		tm_bitmap_mark(s->cur->changed, first, nr);
	kfree(mark);
	return 0;
}

static void take(struct tm_session *s, u64 first, u64 nr)
{
	unsigned int region, regions;

	regions_of(s, first, nr, &region, &regions);
	bitmap_set(s->regions.taken, region, regions);
}

/* False: there is nothing to open. */
static bool collect(struct tm_session *s, struct tm_epoch **ret_next)
{
	struct tm_regions *r = &s->regions;
	struct tm_mark *mark;
	struct bio *bio;
	u64 first, nr;
	bool any;

	spin_lock_irq(&r->lock);
	any = r->gate == TM_GATE_LOG &&
	      (!bio_list_empty(&r->waiting) || !list_empty(&r->marks));
	if (any) {
		bitmap_zero(r->taken, s->geo.nr_regions);
		bio_list_for_each(bio, &r->waiting) {
			tm_session_chunks_of(s, bio, &first, &nr);
			take(s, first, nr);
		}
		list_for_each_entry(mark, &r->marks, list)
			take(s, mark->first, mark->nr);
		bio_list_merge(&r->collected, &r->waiting);
		bio_list_init(&r->waiting);
		list_splice_tail_init(&r->marks, &r->marking);
		/* The last round may have taken that back. */
		bitmap_or(r->wanted, r->wanted, r->taken, s->geo.nr_regions);
		bitmap_or(s->cur->logged, s->cur->logged, r->taken,
			  s->geo.nr_regions);
		if (r->next)
			bitmap_or(r->next->logged, r->next->logged, r->taken,
				  s->geo.nr_regions);
		*ret_next = r->next;
		r->opening = true;
	}
	spin_unlock_irq(&r->lock);
	return any;
}

static int log_taken(struct tm_session *s, const struct tm_epoch *next)
{
	struct tm_regions *r = &s->regions;
	struct tm_meta_log log[2] = {
		{ s->epoch, s->cur->logged },
		{ s->epoch + 1, next ? next->logged : NULL },
	};

	return tm_meta_log(&s->meta, log, next ? 2 : 1, r->taken, &r->lock);
}

/*
 * The epoch cannot change: the cut needs the opener idle. Without @set tracking
 * is lost, and they are not needed.
 */
static void end_marks(struct tm_session *s, bool set)
{
	struct tm_regions *r = &s->regions;
	struct tm_mark *mark, *tmp;
	LIST_HEAD(ended);

	list_for_each_entry(mark, &r->marking, list)
		if (set)
			tm_bitmap_mark(s->cur->changed, mark->first, mark->nr);
	spin_lock_irq(&r->lock);
	if (!set && !list_empty(&r->marking))
		r->dropped = true;
	list_splice_init(&r->marking, &ended);
	spin_unlock_irq(&r->lock);
	list_for_each_entry_safe(mark, tmp, &ended, list)
		kfree(mark);
}

/* Durable: now they are open, and what waited for them looks again. */
static void publish(struct tm_session *s, struct tm_epoch *next)
{
	struct tm_regions *r = &s->regions;

	spin_lock_irq(&r->lock);
	/* All that writes these bits holds the lock; who reads does not. */
	bitmap_or(s->cur->open, s->cur->open, r->taken, s->geo.nr_regions);
	if (next)
		bitmap_or(next->open, next->open, r->taken, s->geo.nr_regions);
	bitmap_or(r->used, r->used, r->taken, s->geo.nr_regions);
	spin_unlock_irq(&r->lock);
	end_marks(s, true);

	spin_lock_irq(&r->lock);
	bitmap_andnot(r->wanted, r->wanted, r->taken, s->geo.nr_regions);
	bio_list_merge(&r->opened, &r->collected);
	bio_list_init(&r->collected);
	r->opening = false;
	if (bio_list_empty(&r->waiting))
		cancel_delayed_work(&r->timeout);
	else
		mod_delayed_work(tm_timer_wq, &r->timeout,
				 s->meta_timeout_s * HZ);
	spin_unlock_irq(&r->lock);
	wake_up(&r->idle);
	tm_region_kick_closer(s);
	queue_work(r->wq, &r->admit);
}

/* Apart from the opener: the origin may be slow to take them. */
static void admit_work(struct work_struct *work)
{
	struct tm_regions *r = container_of(work, struct tm_regions, admit);
	struct tm_session *s = container_of(r, struct tm_session, regions);
	unsigned int noio = memalloc_noio_save();
	struct bio_list go;
	struct bio *bio;

	spin_lock_irq(&r->lock);
	go = r->opened;
	bio_list_init(&r->opened);
	spin_unlock_irq(&r->lock);
	while ((bio = bio_list_pop(&go)))
		tm_session_admit(s, bio);
	memalloc_noio_restore(noio);
}

/* The log failed: what was collected waits again, for the loss to be known. */
static void unpublish(struct tm_session *s)
{
	struct tm_regions *r = &s->regions;

	end_marks(s, false);
	spin_lock_irq(&r->lock);
	bio_list_merge_head(&r->waiting, &r->collected);
	bio_list_init(&r->collected);
	r->opening = false;
	spin_unlock_irq(&r->lock);
	wake_up(&r->idle);
}

static void open_work(struct work_struct *work)
{
	struct tm_regions *r = container_of(work, struct tm_regions, open);
	struct tm_session *s = container_of(r, struct tm_session, regions);
	unsigned int noio = memalloc_noio_save();
	struct tm_epoch *next;

	/* Reclaim may wait for the very writes that wait here: hence no I/O. */
	while (collect(s, &next)) {
		if (!log_taken(s, next)) {
			publish(s, next);
			continue;
		}
		/* The gate first: nothing may be collected again. */
		tm_loss_begin(s, "cannot be written");
		unpublish(s);
		tm_session_kick(s);
	}
	memalloc_noio_restore(noio);
}

void tm_region_gate(struct tm_session *s, enum tm_gate gate)
{
	struct tm_regions *r = &s->regions;
	struct bio_list bios = BIO_EMPTY_LIST;
	LIST_HEAD(marks);
	struct tm_mark *mark, *tmp;
	struct bio *bio;

	spin_lock_irq(&r->lock);
	if (r->gate == TM_GATE_PASS || r->gate == gate ||
	    (gate == TM_GATE_HOLD && r->gate != TM_GATE_LOG)) {
		spin_unlock_irq(&r->lock);
		return;
	}
	WRITE_ONCE(r->gate, gate);
	if (!list_empty(&r->marks))
		r->dropped = true;
	list_splice_init(&r->marks, &marks);
	if (gate != TM_GATE_HOLD) {
		bios = r->collected;
		bio_list_init(&r->collected);
		bio_list_merge(&bios, &r->waiting);
		bio_list_init(&r->waiting);
	}
	spin_unlock_irq(&r->lock);
	wake_up(&r->idle);

	/* Tracking is lost: everything counts as changed without them. */
	list_for_each_entry_safe(mark, tmp, &marks, list)
		kfree(mark);
	while ((bio = bio_list_pop(&bios))) {
		if (gate == TM_GATE_FAIL)
			bio_io_error(bio);
		else
			tm_session_admit(s, bio);
	}
}

static bool has_bios(struct tm_regions *r)
{
	bool has;

	spin_lock_irq(&r->lock);
	has = !bio_list_empty(&r->waiting) || !bio_list_empty(&r->collected);
	spin_unlock_irq(&r->lock);
	return has;
}

static bool marks_done(struct tm_regions *r)
{
	bool done;

	spin_lock_irq(&r->lock);
	done = list_empty(&r->marks) && list_empty(&r->marking);
	spin_unlock_irq(&r->lock);
	return done;
}

/* A crash would still undo what a loss that is not recorded has dropped. */
static bool has_dropped(struct tm_regions *r)
{
	bool has;

	spin_lock_irq(&r->lock);
	has = r->dropped && r->gate != TM_GATE_PASS;
	spin_unlock_irq(&r->lock);
	return has;
}

bool tm_region_has_waiting(struct tm_regions *r)
{
	return has_bios(r) || !marks_done(r) || has_dropped(r);
}

unsigned int tm_region_count_open(struct tm_session *s)
{
	struct tm_regions *r = &s->regions;
	unsigned int i, count = 0;

	lockdep_assert_held(&s->lock);
	spin_lock_irq(&r->lock);
	for (i = 0; i < BITS_TO_LONGS(s->geo.nr_regions); i++)
		count += hweight_long(s->cur->open[i] | r->closing[i]);
	spin_unlock_irq(&r->lock);
	return count;
}

/* Has a write waited for META? If its turn has just not come yet, it waits on. */
static bool is_waited_for(struct tm_session *s)
{
	struct tm_regions *r = &s->regions;
	bool waits;

	spin_lock_irq(&r->lock);
	waits = !bio_list_empty(&r->waiting) || !bio_list_empty(&r->collected);
	if (waits && r->gate == TM_GATE_LOG && !r->opening) {
		mod_delayed_work(tm_timer_wq, &r->timeout,
				 s->meta_timeout_s * HZ);
		waits = false;
	}
	spin_unlock_irq(&r->lock);
	return waits;
}

/* Beside the opener, which may be stuck in a device that does not answer. */
static void region_timeout(struct work_struct *work)
{
	struct tm_regions *r = container_of(to_delayed_work(work),
					    struct tm_regions, timeout);
	struct tm_session *s = container_of(r, struct tm_session, regions);

	unsigned int noio = memalloc_noio_save();

	if (is_waited_for(s)) {
		tm_loss_begin(s, "does not answer");
		if (s->fail_when_lost)
			tm_region_gate(s, TM_GATE_FAIL);
		else
			tm_loss_pass(s);
	}
	memalloc_noio_restore(noio);
}

void tm_region_begin_next(struct tm_session *s, struct tm_epoch *next)
{
	struct tm_regions *r = &s->regions;

	lockdep_assert_held(&s->areas);
	spin_lock_irq(&r->lock);
	bitmap_copy(next->logged, s->cur->open, s->geo.nr_regions);
	bitmap_copy(r->closing, s->cur->open, s->geo.nr_regions);
	r->next = next;
	spin_unlock_irq(&r->lock);
}

void tm_region_open_next(struct tm_session *s, struct tm_epoch *next)
{
	struct tm_regions *r = &s->regions;

	lockdep_assert_held(&s->areas);
	spin_lock_irq(&r->lock);
	bitmap_or(next->open, next->open, r->closing, s->geo.nr_regions);
	bitmap_zero(r->closing, s->geo.nr_regions);
	spin_unlock_irq(&r->lock);
}

static bool try_end_next(struct tm_regions *r)
{
	bool idle;

	spin_lock_irq(&r->lock);
	idle = !r->opening;
	if (idle)
		r->next = NULL;
	spin_unlock_irq(&r->lock);
	return idle;
}

void tm_region_end_next(struct tm_session *s)
{
	lockdep_assert_held(&s->areas);
	wait_event(s->regions.idle, try_end_next(&s->regions));
}

void tm_region_wait_marks(struct tm_session *s)
{
	wait_event(s->regions.idle, marks_done(&s->regions));
}

int tm_region_flip(struct tm_session *s)
{
	struct tm_regions *r = &s->regions;
	int reply = -EBUSY;

	lockdep_assert_held(&s->lock);
	spin_lock_irq(&r->lock);
	if (!r->opening && list_empty(&r->marks)) {
		s->frozen = s->cur;
		WRITE_ONCE(s->cur, s->next);
		s->next = NULL;
		s->epoch++;
		r->next = NULL;
		reply = 0;
	}
	spin_unlock_irq(&r->lock);
	return reply;
}

unsigned long *tm_regions_bits(const struct tm_geometry *geo)
{
	return kvcalloc(4 * BITS_TO_LONGS(geo->nr_regions), sizeof(long),
			GFP_KERNEL);
}

static void put_bits(struct tm_regions *r, unsigned long *bits,
		     unsigned int nr)
{
	r->wanted = bits;
	r->taken = r->wanted + BITS_TO_LONGS(nr);
	r->closing = r->taken + BITS_TO_LONGS(nr);
	r->used = r->closing + BITS_TO_LONGS(nr);
}

void tm_regions_grow(struct tm_session *s, struct tm_epoch **epoch,
		     unsigned long **bits, const struct tm_geometry *geo)
{
	struct tm_regions *r = &s->regions;
	struct tm_epoch *old_epoch = s->cur;
	unsigned long *old_bits = r->wanted;

	lockdep_assert_held(&s->lock);
	spin_lock_irq(&r->lock);
	WRITE_ONCE(s->cur, *epoch);
	put_bits(r, *bits, geo->nr_regions);
	s->geo = *geo;
	s->region_shift = ilog2(geo->region_sectors) - s->chunk_shift;
	spin_unlock_irq(&r->lock);
	*epoch = old_epoch;
	*bits = old_bits;
}

int tm_regions_init(struct tm_session *s)
{
	struct tm_regions *r = &s->regions;
	unsigned long *bits;

	spin_lock_init(&r->lock);
	r->gate = TM_GATE_LOG;
	bio_list_init(&r->waiting);
	bio_list_init(&r->collected);
	INIT_LIST_HEAD(&r->marks);
	INIT_LIST_HEAD(&r->marking);
	init_waitqueue_head(&r->idle);
	bio_list_init(&r->opened);
	INIT_WORK(&r->open, open_work);
	INIT_WORK(&r->admit, admit_work);
	INIT_DELAYED_WORK(&r->close, tm_region_close_work);
	INIT_DELAYED_WORK(&r->timeout, region_timeout);
	bits = tm_regions_bits(&s->geo);
	if (!bits)
		return -ENOMEM;
	put_bits(r, bits, s->geo.nr_regions);
	r->wq = alloc_workqueue("tidemark_open", WQ_MEM_RECLAIM | WQ_UNBOUND |
				WQ_HIGHPRI, 2);
	if (!r->wq) {
		kvfree(r->wanted);
		return -ENOMEM;
	}
	return 0;
}

void tm_region_stop(struct tm_session *s)
{
	struct tm_regions *r = &s->regions;

	cancel_delayed_work_sync(&r->timeout);
	flush_work(&r->open);
	flush_work(&r->admit);
	/* The opener has it run again. */
	cancel_delayed_work_sync(&r->close);
}

void tm_regions_done(struct tm_session *s)
{
	tm_region_stop(s);
	destroy_workqueue(s->regions.wq);
	kvfree(s->regions.wanted);
}
