// SPDX-License-Identifier: GPL-2.0-only
/*
 * origin.c - the tracking target: constructor, map, status
 */
#include <linux/module.h>
#include <linux/slab.h>
#include "bitmap.h"
#include "compat.h"
#include "cow.h"
#include "epoch.h"
#include "grow.h"
#include "message.h"
#include "origin.h"
#include "session.h"
#include "uapi/tidemark.h"

#define DM_MSG_PREFIX TM_TARGET_TRACK

/* One table's hold on a session. */
struct tm_origin {
	struct dm_dev *origin;
	struct dm_dev *meta;		/* NULL: memory */
	struct tm_session *session;
	struct tm_growth *growth;	/* NULL: there is none */
	struct tm_config config;
};

static struct block_device *meta_bdev(const struct tm_origin *o)
{
	return o->meta ? o->meta->bdev : NULL;
}

static int parse_option(struct tm_config *c, const char *name,
			const char *value)
{
	if (!strcasecmp(name, TM_OPT_ON_LOST)) {
		c->fail_when_lost = !strcmp(value, TM_ON_LOST_FAIL);
		return c->fail_when_lost || !strcmp(value, TM_ON_LOST_PASS) ?
			       0 : -EINVAL;
	}
	if (!strcasecmp(name, TM_OPT_CHUNK_SECTORS))
		return kstrtou32(value, 10, &c->chunk_sectors) ?:
			       c->chunk_sectors ? 0 : -EINVAL;
	if (!strcasecmp(name, TM_OPT_REGION_SECTORS))
		return kstrtou64(value, 10, &c->region_sectors) ?:
			       c->region_sectors ? 0 : -EINVAL;
	if (!strcasecmp(name, TM_OPT_CLOSE_AFTER))
		return kstrtouint(value, 10, &c->close_after_s) ?:
			       c->close_after_s && c->close_after_s <= 86400 ?
			       0 : -EINVAL;
	if (!strcasecmp(name, TM_OPT_META_TIMEOUT))
		return kstrtouint(value, 10, &c->meta_timeout_s) ?:
			       c->meta_timeout_s && c->meta_timeout_s <= 86400 ?
			       0 : -EINVAL;
	return -EINVAL;
}

static int parse_options(struct dm_target *ti, struct tm_config *c,
			 unsigned int argc, char **argv)
{
	unsigned int nr, i;

	if (!argc)
		return 0;
	if (kstrtouint(argv[0], 10, &nr) || nr != argc - 1 || nr % 2) {
		ti->error = "Bad number of options";
		return -EINVAL;
	}
	for (i = 1; i < argc; i += 2) {
		if (parse_option(c, argv[i], argv[i + 1])) {
			ti->error = "Unknown option or bad value";
			return -EINVAL;
		}
	}
	return 0;
}

static const char *check_devices(struct dm_target *ti,
				 const struct tm_origin *o)
{
	struct gendisk *self = dm_disk(dm_table_get_md(ti->table));

	if (o->origin->bdev->bd_disk == self)
		return "Origin is the tracked device itself";
	if (bdev_is_zoned(o->origin->bdev))
		return "Zoned devices are not supported";
	if (bdev_nr_sectors(o->origin->bdev) < ti->len)
		return "Origin is smaller than the table says";
	if (!o->meta)
		return NULL;
	if (o->meta->bdev->bd_disk == self)
		return "Metadata device is the tracked device itself";
	if (tm_bdevs_overlap(o->meta->bdev, o->origin->bdev))
		return "Metadata device is the origin, or overlaps it";
	if (bdev_logical_block_size(o->meta->bdev) > TM_BLOCK_BYTES)
		return "Metadata device has blocks larger than 4 KiB";
	return NULL;
}

static int get_devices(struct dm_target *ti, struct tm_origin *o, char **argv)
{
	const char *why;
	int r;

	r = dm_get_device(ti, argv[0], dm_table_get_mode(ti->table),
			  &o->origin);
	if (r) {
		ti->error = "Cannot open origin device";
		return r;
	}
	if (strcmp(argv[1], TM_STATUS_NONE)) {
		r = dm_get_device(ti, argv[1], dm_table_get_mode(ti->table),
				  &o->meta);
		if (r) {
			ti->error = "Cannot open metadata device";
			goto err_put_origin;
		}
	}
	why = check_devices(ti, o);
	if (!why)
		return 0;
	ti->error = (char *)why;
	r = -EINVAL;
	if (o->meta)
		dm_put_device(ti, o->meta);
err_put_origin:
	dm_put_device(ti, o->origin);
	return r;
}

static void put_devices(struct dm_target *ti, struct tm_origin *o)
{
	if (o->meta)
		dm_put_device(ti, o->meta);
	dm_put_device(ti, o->origin);
}

static int origin_ctr(struct dm_target *ti, unsigned int argc, char **argv)
{
	struct tm_origin *o;
	int r = -EINVAL;

	if (argc < 2) {
		ti->error = "Needs ORIGIN and META";
		return -EINVAL;
	}
	if (ti->begin) {
		ti->error = "Must begin at sector 0";
		return -EINVAL;
	}
	if (dm_table_get_mode(ti->table) != TM_OPEN_READ_WRITE) {
		ti->error = "A read-only table needs no tracking";
		return -EINVAL;
	}
	o = kzalloc(sizeof(*o), GFP_KERNEL);
	if (!o) {
		ti->error = "Cannot allocate memory";
		return -ENOMEM;
	}
	o->config.length_sectors = ti->len;
	o->config.close_after_s = TM_CLOSE_AFTER_DEFAULT;
	o->config.meta_timeout_s = TM_META_TIMEOUT_DEFAULT;
	r = parse_options(ti, &o->config, argc - 2, argv + 2);
	if (r)
		goto err_free;
	r = get_devices(ti, o, argv);
	if (r)
		goto err_free;
	o->session = tm_session_get(dm_table_get_md(ti->table), o->origin->bdev,
				    meta_bdev(o), &o->config, &ti->error);
	if (!o->session) {
		r = -EINVAL;
		goto err_put_devices;
	}
	ti->error = (char *)tm_growth_new(o->session, meta_bdev(o), &o->config,
					  &o->growth);
	if (ti->error) {
		r = -EINVAL;
		goto err_put_session;
	}
	tm_pass_operations(ti);
	ti->per_io_data_size = sizeof(struct tm_io);
	ti->private = o;
	return 0;

err_put_session:
	tm_session_put(o->session);
err_put_devices:
	put_devices(ti, o);
err_free:
	kfree(o);
	return r;
}

/* A live table ends with its device, or because another has taken its place. */
static bool device_ends(struct dm_target *ti)
{
	struct mapped_device *md = dm_table_get_md(ti->table);

	if (dm_hold(md))
		return true;
	dm_put(md);
	return false;
}

static void origin_dtr(struct dm_target *ti)
{
	struct tm_origin *o = ti->private;

	/*
	 * Not dm_suspended(): a device whose new table could not be resumed is
	 * that too, and with its next table it will write past this one.
	 */
	tm_session_close(o->session, ti, device_ends(ti));
	tm_session_put(o->session);
	tm_growth_free(o->growth);
	put_devices(ti, o);
	kfree(o);
}

static bool bio_changes(const struct bio *bio)
{
	switch (bio_op(bio)) {
	case REQ_OP_READ:
	case REQ_OP_FLUSH:
		return false;
	case REQ_OP_WRITE:
		/* Without data it is a flush. */
		return bio_sectors(bio);
	default:
		return true;
	}
}

static int origin_map(struct dm_target *ti, struct bio *bio)
{
	struct tm_origin *o = ti->private;

	bio_set_dev(bio, o->origin->bdev);
	if (!bio_changes(bio))
		return DM_MAPIO_REMAPPED;
	return tm_session_write(o->session, bio);
}

static int origin_preresume(struct dm_target *ti)
{
	struct tm_origin *o = ti->private;
	int r;

	r = tm_session_resume(o->session, ti, o->origin->bdev, meta_bdev(o),
			      &o->config, o->growth);
	if (r == -EBUSY)
		DMERR("metadata or origin is in use by another device");
	else if (r)
		DMERR("metadata changed since the table was loaded");
	return r;
}

static void origin_postsuspend(struct dm_target *ti)
{
	struct tm_origin *o = ti->private;

	tm_session_suspend(o->session);
}

static int origin_iterate_devices(struct dm_target *ti,
				  iterate_devices_callout_fn fn, void *data)
{
	struct tm_origin *o = ti->private;

	return fn(ti, o->origin, 0, ti->len, data);
}

static const char *const mode_word[] = {
	[TM_TRACKING] = TM_MODE_TRACKING,
	[TM_MEMORY] = TM_MODE_MEMORY,
	[TM_LOST] = TM_MODE_LOST,
};

static const char *const cut_word[] = {
	[TM_CUT_STATE_PREPARING] = TM_CUT_PREPARING,
	[TM_CUT_STATE_PREPARED] = TM_CUT_PREPARED,
	[TM_CUT_STATE_CUT] = TM_CUT_CUT,
	[TM_CUT_STATE_SHIPPING] = TM_CUT_SHIPPING,
	[TM_CUT_STATE_COMMITTING] = TM_CUT_COMMITTING,
	[TM_CUT_STATE_MERGING] = TM_CUT_MERGING,
};

#define ID_FMT	"%*phN"

/* session->lock held: what is told is one moment. */
static void status_info(struct tm_session *s, char *result, unsigned int maxlen)
{
	bool waiting = tm_region_has_waiting(&s->regions);
	unsigned int sz = 0;
	u32 i;

	DMEMIT("%u %s " ID_FMT " ", TM_STATUS_VERSION, mode_word[s->mode],
	       TM_ID_BYTES, s->setid.b);
	if (tm_id_is_none(&s->base))
		DMEMIT(TM_STATUS_NONE);
	else
		DMEMIT(ID_FMT, TM_ID_BYTES, s->base.b);
	if (s->state == TM_CUT_STATE_NONE)
		DMEMIT(" " TM_STATUS_NONE);
	else
		DMEMIT(" " ID_FMT ":%s", TM_ID_BYTES, s->cut.b, cut_word[s->state]);
	DMEMIT(" %llu %u %llu %llu %u ", s->epoch, s->geo.chunk_sectors,
	       s->mode == TM_LOST ? s->geo.nr_chunks :
				    tm_bitmap_count(s->cur->changed),
	       s->geo.nr_chunks,
	       tm_region_count_open(s));
	if (!s->unclean && !waiting && !s->held)
		DMEMIT(TM_STATUS_NONE);
	if (s->unclean)
		DMEMIT(TM_FLAG_UNCLEAN "%s", waiting || s->held ? "," : "");
	if (waiting)
		DMEMIT(TM_FLAG_WAITING "%s", s->held ? "," : "");
	if (s->held)
		DMEMIT(TM_FLAG_HELD);
	DMEMIT(" ");
	if (!s->nr_merged)
		DMEMIT(TM_STATUS_NONE);
	for (i = 0; i < s->nr_merged; i++)
		DMEMIT("%s" ID_FMT, i ? "," : "", TM_ID_BYTES, s->merged[i].b);
}

static void status_table(const struct tm_origin *o, char *result,
			 unsigned int maxlen)
{
	const struct tm_config *c = &o->config;
	bool close = c->close_after_s != TM_CLOSE_AFTER_DEFAULT;
	bool timeout = c->meta_timeout_s != TM_META_TIMEOUT_DEFAULT;
	unsigned int nr = !!c->chunk_sectors + !!c->region_sectors + close +
			  timeout + c->fail_when_lost;
	unsigned int sz = 0;

	DMEMIT("%s %s", o->origin->name,
	       o->meta ? o->meta->name : TM_STATUS_NONE);
	if (nr)
		DMEMIT(" %u", nr * 2);
	if (c->chunk_sectors)
		DMEMIT(" " TM_OPT_CHUNK_SECTORS " %u", c->chunk_sectors);
	if (c->region_sectors)
		DMEMIT(" " TM_OPT_REGION_SECTORS " %llu", c->region_sectors);
	if (close)
		DMEMIT(" " TM_OPT_CLOSE_AFTER " %u", c->close_after_s);
	if (timeout)
		DMEMIT(" " TM_OPT_META_TIMEOUT " %u", c->meta_timeout_s);
	if (c->fail_when_lost)
		DMEMIT(" " TM_OPT_ON_LOST " " TM_ON_LOST_FAIL);
}

static void origin_status(struct dm_target *ti, status_type_t type,
			  unsigned int status_flags, char *result,
			  unsigned int maxlen)
{
	struct tm_origin *o = ti->private;

	switch (type) {
	case STATUSTYPE_INFO:
		mutex_lock(&o->session->lock);
		status_info(o->session, result, maxlen);
		mutex_unlock(&o->session->lock);
		break;
	case STATUSTYPE_TABLE:
		status_table(o, result, maxlen);
		break;
	default:
		*result = '\0';
		break;
	}
}

static int origin_message(struct dm_target *ti, unsigned int argc, char **argv,
			  char *result, unsigned int maxlen)
{
	struct tm_origin *o = ti->private;

	return tm_message(o->session, argc, argv, result, maxlen);
}

static struct target_type origin_target = {
	.name = TM_TARGET_TRACK,
	.version = { 0, 1, 0 },
	.features = DM_TARGET_SINGLETON | DM_TARGET_NOWAIT |
		    DM_TARGET_PASSES_INTEGRITY | DM_TARGET_PASSES_CRYPTO |
		    DM_TARGET_ATOMIC_WRITES,
	.module = THIS_MODULE,
	.ctr = origin_ctr,
	.dtr = origin_dtr,
	.map = origin_map,
	.preresume = origin_preresume,
	.postsuspend = origin_postsuspend,
	.iterate_devices = origin_iterate_devices,
	.status = origin_status,
	.message = origin_message,
};

int tm_origin_register(void)
{
	return dm_register_target(&origin_target);
}

void tm_origin_unregister(void)
{
	dm_unregister_target(&origin_target);
}
