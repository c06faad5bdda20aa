// SPDX-License-Identifier: GPL-2.0-only
/*
 * grow.c - a longer table for a live session
 *
 * A larger disk has a different layout on META. So META says lost first, and
 * how long the disk is now: a crash while the areas are written means that
 * everything has changed, and the longer table is accepted all the same.
 */
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "bitmap.h"
#include "compat.h"
#include "epoch.h"
#include "grow.h"
#include "persist.h"
#include "session.h"

struct tm_growth {
	struct tm_geometry geo;
	struct tm_epoch *epoch;
	unsigned long *bits;		/* of the regions */
};

/* Regions stay as large as they are, unless there would be too many. */
static int grown_geometry(const struct tm_session *s,
			  const struct tm_config *config,
			  struct tm_geometry *ret)
{
	u64 length = config->length_sectors;
	u32 chunk = s->geo.chunk_sectors;

	if (config->region_sectors)
		return tm_geometry_init(ret, length, chunk,
					config->region_sectors);
	if (!tm_geometry_init(ret, length, chunk, s->geo.region_sectors))
		return 0;
	return tm_geometry_init(ret, length, chunk, 0);
}

const char *tm_growth_check(struct tm_session *s,
			    const struct tm_config *config)
{
	struct tm_geometry geo;
	bool has_cut;

	if (config->chunk_sectors &&
	    config->chunk_sectors != s->geo.chunk_sectors)
		return "Metadata was made with another chunk_sectors";
	if (grown_geometry(s, config, &geo))
		return "Bad region_sectors, or too many regions for them";
	mutex_lock(&s->lock);
	has_cut = s->state != TM_CUT_STATE_NONE;
	mutex_unlock(&s->lock);
	if (has_cut)
		return "Cannot grow a tracked device that has a cut: commit or abort it first";
	return NULL;
}

const char *tm_growth_new(const struct tm_session *s,
			  struct block_device *meta,
			  const struct tm_config *config,
			  struct tm_growth **ret)
{
	struct tm_growth *g;

	*ret = NULL;
	if (s->geo.origin_sectors >= config->length_sectors)
		return NULL;
	g = kzalloc(sizeof(*g), GFP_KERNEL);
	if (!g)
		return "Cannot allocate memory";
	if (grown_geometry(s, config, &g->geo)) {
		kfree(g);
		return "Bad region_sectors, or too many regions for them";
	}
	if (meta && bdev_nr_sectors(meta) < g->geo.meta_sectors) {
		kfree(g);
		return "Metadata device is too small for the larger disk";
	}
	g->epoch = tm_epoch_new(&g->geo);
	g->bits = tm_regions_bits(&g->geo);
	if (!g->epoch || !g->bits) {
		tm_growth_free(g);
		return "Cannot allocate memory";
	}
	*ret = g;
	return NULL;
}

void tm_growth_free(struct tm_growth *g)
{
	if (!g)
		return;
	tm_epoch_free(g->epoch);
	kvfree(g->bits);
	kfree(g);
}

bool tm_growth_is_due(const struct tm_session *s, const struct tm_growth *g)
{
	return s->geo.origin_sectors < g->geo.origin_sectors;
}

/*
 * Bits move to where there is room for more. What was added counts as changed,
 * and so does a last chunk that was not whole. But when tracking is lost and
 * that is not known yet, no bit may be set: all will be.
 */
static void extend(struct tm_session *s, struct tm_growth *g)
{
	u64 first = s->geo.origin_sectors >> s->chunk_shift;

	mutex_lock(&s->lock);
	tm_bitmap_merge(g->epoch->changed, s->cur->changed);
	if (s->mode != TM_LOST || s->regions.gate == TM_GATE_PASS)
		tm_bitmap_mark(g->epoch->changed, first,
			       g->geo.nr_chunks - first);
	tm_regions_grow(s, &g->epoch, &g->bits, &g->geo);
	mutex_unlock(&s->lock);
}

void tm_growth_apply(struct tm_session *s, struct tm_growth *g)
{
	bool tracking = s->mode == TM_TRACKING;

	extend(s, g);
	if (s->mode != TM_MEMORY && !tm_persist_disown(s)) {
		if (tracking)
			tm_persist_remake(s);
	} else if (tracking) {
		tm_persist_lose(s, "cannot be written");
	}
	/* They are the old ones now. */
	tm_epoch_free(g->epoch);
	kvfree(g->bits);
	g->epoch = NULL;
	g->bits = NULL;
}
