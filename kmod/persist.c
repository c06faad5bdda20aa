// SPDX-License-Identifier: GPL-2.0-only
/*
 * persist.c - from META to a session, and back
 *
 * Recovery is the same after an orderly stop and after a crash: what the areas
 * say is united, made durable in the area of the newest epoch that is named, and
 * that epoch becomes the current one. All before the first write is let through.
 * A second crash finds what the first has left, or the union.
 */
#include <linux/random.h>
#include "bitmap.h"
#include "compat.h"
#include "epoch.h"
#include "loss.h"
#include "persist.h"
#include "session.h"

#define DM_MSG_PREFIX "tidemark"

const char *tm_persist_check(const struct tm_geometry *geo,
			     const struct tm_config *config)
{
	if (geo->origin_sectors != config->length_sectors)
		return "Metadata belongs to a disk of another length";
	if (config->chunk_sectors && geo->chunk_sectors != config->chunk_sectors)
		return "Metadata was made with another chunk_sectors";
	if (config->region_sectors &&
	    geo->region_sectors != config->region_sectors)
		return "Metadata was made with another region_sectors";
	return NULL;
}

const char *tm_persist_choose(struct block_device *meta,
			      const struct tm_config *config,
			      struct tm_geometry *ret)
{
	struct tm_super super;
	const char *why;
	int r = meta ? tm_meta_probe(meta, &super) : -ENODATA;

	switch (r) {
	case 0:
		why = tm_persist_check(&super.geo, config);
		if (why)
			return why;
		*ret = super.geo;
		break;
	case -ENODATA:
	case -EBADMSG:
		if (tm_geometry_init(ret, config->length_sectors,
				     config->chunk_sectors ?:
				     1U << TM_CHUNK_SHIFT_DEFAULT,
				     config->region_sectors))
			return "Bad chunk_sectors or region_sectors";
		break;
	case -ENOMSG:
		return "Metadata device holds something else: zero its first 8 KiB to use it";
	case -EPROTONOSUPPORT:
		return "Metadata was made by a newer version";
	case -ENOMEM:
		return "Cannot allocate memory";
	default:
		return "Cannot read metadata";
	}
	if (meta && bdev_nr_sectors(meta) < ret->meta_sectors)
		return "Metadata device is too small";
	return NULL;
}

/* What META said, or a new set, becomes the session. @bypassed: disbelieve. */
static void adopt(struct tm_session *s, const struct tm_super *super,
		  bool bypassed)
{
	s->setid = super->setid;
	s->epoch = super->next_epoch ?: super->epoch;
	s->unclean = super->flags & TM_SUPER_FLAGS;
	if (bypassed || super->flags & TM_SUPER_LOST) {
		/* Changes were not seen: what is recorded is no base at all. */
		s->unclean = true;
		tm_bitmap_fill(s->cur->changed);
		return;
	}
	s->base = super->base;
	s->nr_merged = super->nr_merged;
	memcpy(s->merged, super->merged, sizeof(s->merged));
	/*
	 * A cut that a stop overtook: its changes are changes since the base.
	 * One only prepared is not remembered: in a machine rolled back to this
	 * META it may have been taken since, of a disk that is no more.
	 */
	if (super->frozen_epoch)
		tm_merged_add(s->merged, &s->nr_merged, &super->cut);
	if (tm_super_is_behind(super))
		tm_bitmap_fill(s->cur->changed);
	else
		tm_meta_load_bits(&s->meta, s->cur->changed);
}

static void new_super(struct tm_session *s, struct tm_super *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->geo = s->geo;
	ret->epoch = TM_EPOCH_FIRST;
	ret->incompat = TM_INCOMPAT_REGION_LOG;
	ret->flags = TM_SUPER_UNCLEAN;
	do {
		get_random_bytes(&ret->setid, sizeof(ret->setid));
	} while (tm_id_is_none(&ret->setid));
}

/* All else follows from these. */
static bool same_geometry(const struct tm_geometry *a,
			  const struct tm_geometry *b)
{
	return a->origin_sectors == b->origin_sectors &&
	       a->chunk_sectors == b->chunk_sectors &&
	       a->region_sectors == b->region_sectors;
}

/*
 * The union becomes durable, then the superblock that rests on it. Then what is
 * rotten in the other area is taken away, lest it count at every start.
 */
static int recover(struct tm_session *s)
{
	struct tm_super super;
	int r;

	r = tm_meta_recover(&s->meta, s->epoch, s->cur->changed);
	if (r)
		return r;
	mutex_lock(&s->lock);
	tm_session_super(s, &super);
	mutex_unlock(&s->lock);
	super.flags = TM_SUPER_UNCLEAN;
	return tm_meta_transition(&s->meta, &super) ?:
		       tm_meta_sweep(&s->meta);
}

void tm_persist_lose(struct tm_session *s, const char *why)
{
	tm_bitmap_clear(s->cur->changed);
	tm_loss_begin(s, why);
}

int tm_persist_start(struct tm_session *s, bool bypassed)
{
	struct tm_super fresh;
	int r;

	new_super(s, &fresh);
	s->mode = s->meta.bdev ? TM_TRACKING : TM_MEMORY;
	if (s->mode == TM_MEMORY) {
		adopt(s, &fresh, true);
		s->unclean = false;
		tm_region_gate(s, TM_GATE_PASS);
		return 0;
	}

	r = tm_meta_load(&s->meta);
	if (!r) {
		if (!same_geometry(&s->meta.super.geo, &s->geo))
			return -ESTALE;
		adopt(s, &s->meta.super, bypassed);
		if (recover(s))
			tm_persist_lose(s, "cannot be written");
		return 0;
	}
	if (r != -ENODATA && r != -EBADMSG && r != -EIO)
		return -ESTALE;

	adopt(s, &fresh, true);
	if (r == -EIO) {
		tm_persist_lose(s, "cannot be read");
		return 0;
	}
	if (r == -EBADMSG)
		DMWARN("%u:%u: metadata is damaged: made anew, everything counts as changed",
		       MAJOR(s->dev), MINOR(s->dev));
	else
		s->unclean = false;
	if (tm_meta_format(&s->meta, &fresh, s->cur->changed)) {
		tm_loss_begin(s, "cannot be written");
		/* What there may be of the attempt says that all has changed. */
		s->lost_durable = true;
		tm_loss_pass(s);
	}
	return 0;
}

int tm_persist_save(struct tm_session *s)
{
	struct tm_super super;
	int r;

	r = tm_region_close_all(s);
	if (r)
		return r;
	mutex_lock(&s->lock);
	tm_session_super(s, &super);
	mutex_unlock(&s->lock);
	return tm_meta_transition(&s->meta, &super);
}

int tm_persist_disown(struct tm_session *s)
{
	struct tm_super super;
	int r;

	mutex_lock(&s->lock);
	tm_session_super(s, &super);
	mutex_unlock(&s->lock);
	super.flags = TM_SUPER_UNCLEAN | TM_SUPER_LOST;
	r = tm_meta_transition(&s->meta, &super);
	if (r)
		DMERR("%u:%u: cannot record in metadata that it is not to be believed",
		      MAJOR(s->dev), MINOR(s->dev));
	return r;
}

void tm_persist_remake(struct tm_session *s)
{
	struct tm_super super;

	mutex_lock(&s->lock);
	tm_session_super(s, &super);
	mutex_unlock(&s->lock);
	super.flags = TM_SUPER_UNCLEAN;
	if (tm_meta_format(&s->meta, &super, s->cur->changed))
		tm_persist_lose(s, "cannot be written");
}
