// SPDX-License-Identifier: GPL-2.0-only
/*
 * session.c - the object that the two targets share: its lifetime and its modes
 */
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include "bitmap.h"
#include "compat.h"
#include "cow.h"
#include "cut.h"
#include "epoch.h"
#include "grow.h"
#include "loss.h"
#include "persist.h"
#include "session.h"

#define DM_MSG_PREFIX "tidemark"

struct workqueue_struct *tm_timer_wq;
struct workqueue_struct *tm_closer_wq;

static LIST_HEAD(tm_sessions);
static DEFINE_MUTEX(tm_sessions_lock);
static bool tm_hibernating;

int tm_session_module_init(void)
{
	tm_timer_wq = alloc_workqueue("tidemark_timer",
				      WQ_MEM_RECLAIM | WQ_UNBOUND, 0);
	if (!tm_timer_wq)
		return -ENOMEM;
	tm_closer_wq = alloc_workqueue("tidemark_closer", WQ_MEM_RECLAIM |
				       WQ_UNBOUND | WQ_FREEZABLE, 0);
	if (!tm_closer_wq) {
		destroy_workqueue(tm_timer_wq);
		return -ENOMEM;
	}
	return 0;
}

void tm_session_module_exit(void)
{
	destroy_workqueue(tm_closer_wq);
	destroy_workqueue(tm_timer_wq);
}

void tm_session_kick(struct tm_session *s)
{
	queue_work(s->wq, &s->work);
}

void tm_session_super(struct tm_session *s, struct tm_super *ret)
{
	lockdep_assert_held(&s->lock);
	memset(ret, 0, sizeof(*ret));
	ret->geo = s->geo;
	ret->compat = s->meta.super.compat;
	ret->incompat = TM_INCOMPAT_REGION_LOG;
	ret->setid = s->setid;
	ret->epoch = s->epoch;
	ret->base = s->base;
	ret->nr_merged = s->nr_merged;
	memcpy(ret->merged, s->merged, sizeof(ret->merged));

	/* next_epoch is for prepare to name: it is not in effect before that. */
	if (s->state == TM_CUT_STATE_PREPARED) {
		ret->next_epoch = s->epoch + 1;
		ret->cut = s->cut;
	} else if (s->frozen) {
		ret->frozen_epoch = s->epoch - 1;
		ret->cut = s->cut;
	}
}

void tm_session_transition(struct tm_session *s, struct tm_super *super)
{
	if (READ_ONCE(s->mode) != TM_TRACKING)
		return;
	super->flags |= TM_SUPER_UNCLEAN;
	if (tm_meta_transition(&s->meta, super))
		tm_loss_begin(s, "cannot be written");
}

static void session_work(struct work_struct *work)
{
	struct tm_session *s = container_of(work, struct tm_session, work);
	unsigned int noio = memalloc_noio_save();

	/* Reclaim may wait for the very writes that wait for us: hence no I/O. */
	tm_loss_work(s);
	tm_cut_work(s);
	memalloc_noio_restore(noio);
}

void tm_session_chunks_of(const struct tm_session *s, const struct bio *bio,
			  u64 *ret_first, u64 *ret_nr)
{
	u64 first, last;

	if (!bio_sectors(bio)) {
		/* An unknown operation without a range: anything may change. */
		*ret_first = 0;
		*ret_nr = s->geo.nr_chunks;
		return;
	}
	first = bio->bi_iter.bi_sector >> s->chunk_shift;
	last = (bio_end_sector(bio) - 1) >> s->chunk_shift;
	*ret_first = first;
	*ret_nr = last - first + 1;
}

/* Nearly always one chunk, nearly always marked already. */
static bool all_marked(const struct tm_session *s, u64 first, u64 nr)
{
	const struct tm_bitmap *changed = READ_ONCE(s->cur)->changed;

	return nr == 1 ? tm_bitmap_test(changed, first) :
			 !tm_bitmap_lacks(changed, NULL, first, nr);
}

int tm_session_write(struct tm_session *s, struct bio *bio)
{
	struct bio_list reads = BIO_EMPTY_LIST;
	int r = DM_MAPIO_REMAPPED;
	struct tm_cow *cow;
	struct bio *read;
	u64 first, nr;

	tm_session_chunks_of(s, bio, &first, &nr);
	if (unlikely(!all_marked(s, first, nr))) {
		r = tm_region_write(s, bio, first, nr);
		if (r != DM_MAPIO_REMAPPED)
			return r;
	}
	if (likely(!rcu_access_pointer(s->cow)))
		return r;
	rcu_read_lock();
	cow = rcu_dereference(s->cow);
	if (cow)
		r = tm_cow_write(cow, bio, first, nr, &reads);
	rcu_read_unlock();
	while ((read = bio_list_pop(&reads)))
		submit_bio_noacct(read);
	return r;
}

void tm_session_admit(struct tm_session *s, struct bio *bio)
{
	switch (tm_session_write(s, bio)) {
	case DM_MAPIO_REMAPPED:
		submit_bio_noacct(bio);
		break;
	case DM_MAPIO_KILL:
		bio_io_error(bio);
		break;
	}
}

static struct tm_session *session_new(struct mapped_device *md,
				      struct block_device *meta,
				      const struct tm_geometry *geo)
{
	struct tm_session *s;

	s = kzalloc(sizeof(*s), GFP_KERNEL);
	if (!s)
		return NULL;
	kref_init(&s->ref);
	INIT_LIST_HEAD(&s->node);
	mutex_init(&s->lock);
	INIT_WORK(&s->work, session_work);
	tm_loss_init(s);
	mutex_init(&s->areas);
	s->md = md;
	s->dev = disk_devt(dm_disk(md));
	s->meta_dev = meta ? meta->bd_dev : 0;
	s->geo = *geo;
	s->chunk_shift = ilog2(geo->chunk_sectors);
	s->region_shift = ilog2(geo->region_sectors) - s->chunk_shift;
	s->cur = tm_epoch_new(geo);
	if (!s->cur)
		goto err_free;
	if (tm_regions_init(s))
		goto err_free_epoch;
	if (tm_meta_init(&s->meta, meta))
		goto err_done_regions;
	s->wq = alloc_workqueue("tidemark", WQ_MEM_RECLAIM | WQ_UNBOUND, 1);
	if (!s->wq)
		goto err_done_meta;
	return s;

err_done_meta:
	tm_meta_done(&s->meta);
err_done_regions:
	tm_regions_done(s);
err_free_epoch:
	tm_epoch_free(s->cur);
err_free:
	kfree(s);
	return NULL;
}

static void session_release(struct kref *ref)
{
	struct tm_session *s = container_of(ref, struct tm_session, ref);

	tm_regions_done(s);
	destroy_workqueue(s->wq);
	tm_meta_done(&s->meta);
	tm_epoch_free(s->frozen);
	tm_epoch_free(s->next);
	tm_epoch_free(s->cur);
	kfree(s);
}

void tm_session_put(struct tm_session *s)
{
	kref_put(&s->ref, session_release);
}

static bool same_set(const struct tm_session *s, struct mapped_device *md,
		     dev_t meta_dev)
{
	return meta_dev ? s->meta_dev == meta_dev :
			  s->md == md && !s->meta_dev;
}

static struct tm_session *find_set(struct mapped_device *md, dev_t meta_dev)
{
	struct tm_session *s;

	lockdep_assert_held(&tm_sessions_lock);
	list_for_each_entry(s, &tm_sessions, node)
		if (same_set(s, md, meta_dev))
			return s;
	return NULL;
}

struct tm_session *tm_session_find(dev_t dev)
{
	struct tm_session *s, *found = NULL;

	mutex_lock(&tm_sessions_lock);
	list_for_each_entry(s, &tm_sessions, node) {
		if (s->dev != dev || READ_ONCE(s->life) != TM_LIVE)
			continue;
		kref_get(&s->ref);
		found = s;
		break;
	}
	mutex_unlock(&tm_sessions_lock);
	return found;
}

/* Memory will be what it is now, META and the origin will not. */
static void forget_if_hibernating(struct tm_session *s)
{
	struct tm_cow *cow;

	lockdep_assert_held(&tm_sessions_lock);
	if (!tm_hibernating || READ_ONCE(s->life) != TM_LIVE)
		return;
	mutex_lock(&s->lock);
	cow = rcu_dereference_protected(s->cow, lockdep_is_held(&s->lock));
	if (cow)
		tm_cow_invalidate(cow, TM_CAUSE_GONE);
	if (s->mode == TM_MEMORY)
		tm_bitmap_fill(s->cur->changed);
	mutex_unlock(&s->lock);
	if (READ_ONCE(s->mode) == TM_TRACKING)
		tm_loss_begin(s, "cannot follow a hibernation");
}

void tm_session_hibernate(bool begins)
{
	struct tm_session *s;

	mutex_lock(&tm_sessions_lock);
	/* At its end again, for what has come, or was cut, since. */
	tm_hibernating = true;
	list_for_each_entry(s, &tm_sessions, node)
		forget_if_hibernating(s);
	tm_hibernating = begins;
	mutex_unlock(&tm_sessions_lock);
}

/* Does a tracked device other than @except (NULL: any) use it, or part of it? */
static bool used_but_by(struct block_device *bdev,
			const struct mapped_device *except)
{
	struct tm_session *s;
	bool used = false;

	lockdep_assert_held(&tm_sessions_lock);
	list_for_each_entry(s, &tm_sessions, node) {
		if (s->md == except)
			continue;
		mutex_lock(&s->lock);
		if ((s->origin && tm_bdevs_overlap(s->origin, bdev)) ||
		    (s->meta.bdev && tm_bdevs_overlap(s->meta.bdev, bdev)))
			used = true;
		mutex_unlock(&s->lock);
	}
	return used;
}

bool tm_session_uses(struct block_device *bdev)
{
	bool used;

	mutex_lock(&tm_sessions_lock);
	used = used_but_by(bdev, NULL);
	mutex_unlock(&tm_sessions_lock);
	return used;
}

/* May a table of @md with this configuration go on with a live session? */
static const char *check_share(struct tm_session *s,
			       struct mapped_device *md,
			       struct block_device *origin,
			       const struct tm_config *config)
{
	if (s->md != md)
		return "Metadata is in use by another device";
	if (READ_ONCE(s->life) != TM_LIVE)
		return "Metadata is just being opened or closed: try again";
	if (s->origin != origin)
		return "Cannot change the origin of a tracked device: remove it first";
	if (s->geo.origin_sectors > config->length_sectors)
		return "Cannot shrink a tracked device: remove it first";
	if (s->geo.origin_sectors < config->length_sectors)
		return tm_growth_check(s, config);
	return tm_persist_check(&s->geo, config);
}

struct tm_session *tm_session_get(struct mapped_device *md,
				  struct block_device *origin,
				  struct block_device *meta,
				  const struct tm_config *config, char **error)
{
	struct tm_geometry geo;
	struct tm_session *s;
	const char *why = NULL;

	mutex_lock(&tm_sessions_lock);
	s = find_set(md, meta ? meta->bd_dev : 0);
	if (s) {
		why = check_share(s, md, origin, config);
		if (!why)
			kref_get(&s->ref);
	} else if (used_but_by(origin, md)) {
		/* Each would miss what is written through the other. */
		why = "Origin is, or overlaps, a tracked device's";
	}
	mutex_unlock(&tm_sessions_lock);
	if (why)
		goto err_say;
	if (s)
		return s;

	/* Device-mapper would let its devices share what is below them. */
	if (meta && tm_session_uses(meta)) {
		why = "Metadata device is, or overlaps, a tracked device's";
		goto err_say;
	}
	why = tm_persist_choose(meta, config, &geo);
	if (why)
		goto err_say;
	s = session_new(md, meta, &geo);
	if (s)
		return s;
	why = "Cannot allocate memory";
err_say:
	*error = (char *)why;
	return NULL;
}

/* Takes the place of this set, for as long as the session lives. */
static int reserve(struct tm_session *s, struct block_device *origin,
		   bool *ret_bypassed)
{
	struct tm_session *other;
	int r = 0;

	mutex_lock(&tm_sessions_lock);
	*ret_bypassed = false;
	if (find_set(s->md, s->meta_dev) || used_but_by(origin, s->md)) {
		r = -EBUSY;
	} else {
		/* Another set was kept until now: this one missed that. */
		list_for_each_entry(other, &tm_sessions, node)
			if (other->md == s->md)
				*ret_bypassed = true;
		s->life = TM_STARTING;
		s->origin = origin;
		list_add(&s->node, &tm_sessions);
	}
	mutex_unlock(&tm_sessions_lock);
	return r;
}

static void unlist(struct tm_session *s, enum tm_life life)
{
	mutex_lock(&tm_sessions_lock);
	WRITE_ONCE(s->life, life);
	list_del_init(&s->node);
	mutex_unlock(&tm_sessions_lock);
}

/*
 * Nothing is in flight and no message gets through any more: gives up the cut
 * and its snapshot, and ends all work.
 */
static void wind_down(struct tm_session *s, enum tm_life life)
{
	struct tm_cow *cow;

	/* Who starts work looks at life under one lock or the other. */
	mutex_lock(&tm_sessions_lock);
	mutex_lock(&s->lock);
	WRITE_ONCE(s->life, life);
	cow = rcu_dereference_protected(s->cow, lockdep_is_held(&s->lock));
	if (cow)
		tm_cow_invalidate(cow, TM_CAUSE_GONE);
	RCU_INIT_POINTER(s->cow, NULL);
	mutex_unlock(&s->lock);
	mutex_unlock(&tm_sessions_lock);

	/* None of these can be started any more. */
	tm_region_stop(s);
	cancel_delayed_work_sync(&s->retry);
	flush_workqueue(s->wq);

	tm_cut_close(s);
	/* That may have lost tracking, and woken the worker. */
	flush_workqueue(s->wq);
}

int tm_session_resume(struct tm_session *s, struct dm_target *ti,
		      struct block_device *origin, struct block_device *meta,
		      const struct tm_config *config, struct tm_growth *growth)
{
	bool bypassed;
	int r;

	if (s->life == TM_CLOSED)
		return -ESTALE;
	if (s->life == TM_NEW) {
		r = reserve(s, origin, &bypassed);
		if (r)
			return r;
		r = tm_persist_start(s, bypassed);
		if (r) {
			unlist(s, TM_NEW);
			return r;
		}
	} else if (growth && tm_growth_is_due(s, growth)) {
		wind_down(s, TM_STARTING);
		tm_growth_apply(s, growth);
	}
	if (s->geo.origin_sectors != config->length_sectors)
		return -ESTALE;
	mutex_lock(&s->lock);
	s->close_after_s = config->close_after_s;
	s->meta_timeout_s = config->meta_timeout_s;
	s->fail_when_lost = config->fail_when_lost;
	s->owner = ti;
	s->origin = origin;
	s->meta.bdev = meta;
	s->quiesced = false;
	s->held = false;
	WRITE_ONCE(s->life, TM_LIVE);
	mutex_unlock(&s->lock);

	mutex_lock(&tm_sessions_lock);
	forget_if_hibernating(s);
	mutex_unlock(&tm_sessions_lock);
	/* A loss at the start had no table to tell of it. */
	if (READ_ONCE(s->mode) == TM_LOST)
		dm_table_event(ti->table);
	tm_session_kick(s);
	return 0;
}

void tm_session_suspend(struct tm_session *s)
{
	mutex_lock(&s->lock);
	s->quiesced = true;
	mutex_unlock(&s->lock);
}

void tm_session_close(struct tm_session *s, struct dm_target *ti, bool orderly)
{
	mutex_lock(&s->lock);
	if (s->owner != ti) {
		mutex_unlock(&s->lock);
		return;
	}
	s->owner = NULL;
	mutex_unlock(&s->lock);

	wind_down(s, TM_CLOSED);

	/* META may answer again, and must not tell of the time before. */
	if (s->mode == TM_LOST || (s->mode == TM_TRACKING && !orderly))
		tm_persist_disown(s);
	else if (s->mode == TM_TRACKING && tm_persist_save(s))
		DMERR("%u:%u: cannot save changes: whole regions count as changed next time",
		      MAJOR(s->dev), MINOR(s->dev));
	unlist(s, TM_CLOSED);
}

int tm_session_mark(struct tm_session *s, u64 first, u64 nr)
{
	int r = -ENODEV;

	mutex_lock(&s->lock);
	if (s->life == TM_LIVE) {
		if (!nr)
			nr = s->geo.nr_chunks - first;
		r = first < s->geo.nr_chunks && nr <= s->geo.nr_chunks - first ?
			    tm_region_mark(s, first, nr) : -EINVAL;
	}
	mutex_unlock(&s->lock);
	return r;
}

int tm_session_attach(struct tm_session *s, struct tm_cow *cow)
{
	struct tm_cow *old;
	int r = 0;

	mutex_lock(&s->lock);
	old = rcu_dereference_protected(s->cow, lockdep_is_held(&s->lock));
	if (s->life != TM_LIVE)
		r = -ENODEV;
	else if (old && old != cow)
		r = -EBUSY;
	/* Made before the device grew. */
	else if (cow->nr_sectors != s->geo.origin_sectors ||
		 cow->nr_chunks != s->geo.nr_chunks)
		r = -ESTALE;
	else
		rcu_assign_pointer(s->cow, cow);
	mutex_unlock(&s->lock);
	return r;
}

void tm_session_detach(struct tm_session *s, struct tm_cow *cow)
{
	mutex_lock(&s->lock);
	if (rcu_access_pointer(s->cow) == cow)
		RCU_INIT_POINTER(s->cow, NULL);
	mutex_unlock(&s->lock);
	synchronize_rcu();
}
