// SPDX-License-Identifier: GPL-2.0-only
/*
 * snap.c - the target that is a read-only view of one cut
 *
 * The view holds the origin open itself, a reference to the session, and the
 * tracked device open without a claim, since that may be mounted: it cannot be
 * removed before its view. It can get another table, though, and that makes the
 * view invalid.
 */
#include <linux/module.h>
#include <linux/slab.h>
#include "bitmap.h"
#include "compat.h"
#include "cow.h"
#include "session.h"
#include "snap.h"
#include "uapi/tidemark.h"
#include "view.h"

#define DM_MSG_PREFIX TM_TARGET_SNAP

#define TM_POOL_KIB_DEFAULT	16384
#define TM_POOL_KIB_MIN		64
#define TM_POOL_KIB_MAX		1048576
#define TM_COW_TIMEOUT_DEFAULT	30	/* seconds */
#define TM_WATERMARK_DEFAULT	80	/* percent */

struct tm_snap {
	struct list_head node;		/* in tm_snaps, when it has a store */
	struct tm_session *session;
	void *tracked;			/* holds the tracked device open */
	struct dm_dev *origin;
	struct dm_dev *store;		/* NULL: the pool alone */
	struct tm_cow *cow;
	struct tm_cow_config config;
	struct tm_view view;
	bool attached;
};

/* Device-mapper lets two of its devices share one below: a store must not. */
static LIST_HEAD(tm_snaps);
static DEFINE_MUTEX(tm_snaps_lock);

static int parse_option(struct tm_cow_config *c, const char *name,
			const char *value)
{
	if (!strcasecmp(name, TM_OPT_POOL_KIB))
		return kstrtouint(value, 10, &c->pool_kib) ?:
			       c->pool_kib >= TM_POOL_KIB_MIN &&
				       c->pool_kib <= TM_POOL_KIB_MAX ?
			       0 : -EINVAL;
	if (!strcasecmp(name, TM_OPT_COW_TIMEOUT))
		return kstrtouint(value, 10, &c->timeout_s) ?:
			       c->timeout_s && c->timeout_s <= 86400 ?
			       0 : -EINVAL;
	if (!strcasecmp(name, TM_OPT_WATERMARK))
		return kstrtouint(value, 10, &c->watermark) ?:
			       c->watermark <= 100 ? 0 : -EINVAL;
	return -EINVAL;
}

static int parse(struct dm_target *ti, struct tm_cow_config *c,
		 unsigned int argc, char **argv)
{
	unsigned int nr, i;

	if (argc < 3) {
		ti->error = "Needs TRACKED, STORE and delta or full";
		return -EINVAL;
	}
	c->full = !strcasecmp(argv[2], TM_SNAP_FULL);
	if (!c->full && strcasecmp(argv[2], TM_SNAP_DELTA)) {
		ti->error = "Neither delta nor full";
		return -EINVAL;
	}
	if (argc == 3)
		return 0;
	if (kstrtouint(argv[3], 10, &nr) || nr != argc - 4 || nr % 2) {
		ti->error = "Bad number of options";
		return -EINVAL;
	}
	for (i = 4; i < argc; i += 2) {
		if (parse_option(c, argv[i], argv[i + 1])) {
			ti->error = "Unknown option or bad value";
			return -EINVAL;
		}
	}
	return 0;
}

static int get_session(struct dm_target *ti, struct tm_snap *snap,
		       const char *tracked)
{
	struct tm_session *s;
	char origin[24] = "";
	dev_t dev;

	if (tm_lookup_dev(tracked, &dev)) {
		ti->error = "No such tracked device";
		return -ENODEV;
	}
	if (dev == disk_devt(dm_disk(dm_table_get_md(ti->table)))) {
		ti->error = "Tracked device is the snapshot itself";
		return -EINVAL;
	}
	snap->tracked = tm_pin(dev);
	if (IS_ERR(snap->tracked)) {
		ti->error = "Cannot open the tracked device";
		return PTR_ERR(snap->tracked);
	}
	s = tm_session_find(dev);
	if (!s) {
		ti->error = "Device is not tracked, or not resumed yet";
		tm_unpin(snap->tracked);
		return -ENODEV;
	}
	mutex_lock(&s->lock);
	if (s->life == TM_LIVE)
		format_dev_t(origin, s->origin->bd_dev);
	mutex_unlock(&s->lock);
	if (ti->len != s->geo.origin_sectors) {
		ti->error = "Length is not that of the tracked device";
		goto err_put;
	}
	if (rcu_access_pointer(s->cow)) {
		ti->error = "Tracked device has a snapshot already";
		goto err_put;
	}
	/* Held since the constructor of the tracked device: opening is sharing. */
	if (dm_get_device(ti, origin, TM_OPEN_READ, &snap->origin)) {
		ti->error = "Cannot open the origin of the tracked device";
		goto err_put;
	}
	if (bdev_logical_block_size(snap->origin->bdev) > TM_BLOCK_BYTES) {
		ti->error = "Tracked device has blocks larger than 4 KiB";
		dm_put_device(ti, snap->origin);
		goto err_put;
	}
	snap->session = s;
	return 0;

err_put:
	tm_session_put(s);
	tm_unpin(snap->tracked);
	return -EINVAL;
}

static void put_session(struct dm_target *ti, struct tm_snap *snap)
{
	dm_put_device(ti, snap->origin);
	tm_session_put(snap->session);
	tm_unpin(snap->tracked);
}

static const char *check_store(struct dm_target *ti, struct tm_snap *snap)
{
	struct block_device *store = snap->store->bdev;
	struct tm_session *s = snap->session;
	struct tm_snap *other;
	const char *why = NULL;

	if (tm_bdevs_overlap(store, snap->origin->bdev))
		return "Store is the origin, or overlaps it";
	if (store->bd_dev == s->dev ||
	    store->bd_disk == dm_disk(dm_table_get_md(ti->table)))
		return "Store is the tracked device, or the snapshot itself";
	if (bdev_is_zoned(store))
		return "Zoned devices are not supported";
	if (bdev_nr_sectors(store) < TM_BLOCK_SECTORS)
		return "Store is too small";
	if (bdev_logical_block_size(store) > TM_BLOCK_BYTES)
		return "Store has blocks larger than 4 KiB";
	if (tm_session_uses(store))
		return "Store is in use by a tracked device";

	mutex_lock(&tm_snaps_lock);
	list_for_each_entry(other, &tm_snaps, node)
		if (tm_bdevs_overlap(store, other->store->bdev))
			why = "Store is in use by another snapshot";
	if (!why)
		list_add(&snap->node, &tm_snaps);
	mutex_unlock(&tm_snaps_lock);
	return why;
}

static struct block_device *store_bdev(const struct tm_snap *snap)
{
	return snap->store ? snap->store->bdev : NULL;
}

static int get_store(struct dm_target *ti, struct tm_snap *snap,
		     const char *path)
{
	const char *why;
	int r;

	if (!strcmp(path, TM_STATUS_NONE))
		return 0;
	r = dm_get_device(ti, path, TM_OPEN_READ_WRITE, &snap->store);
	if (r) {
		ti->error = "Cannot open store device";
		return r;
	}
	why = check_store(ti, snap);
	if (!why)
		return 0;
	dm_put_device(ti, snap->store);
	ti->error = (char *)why;
	return -EINVAL;
}

static void put_store(struct dm_target *ti, struct tm_snap *snap)
{
	if (!snap->store)
		return;
	mutex_lock(&tm_snaps_lock);
	list_del(&snap->node);
	mutex_unlock(&tm_snaps_lock);
	dm_put_device(ti, snap->store);
}

static int snap_ctr(struct dm_target *ti, unsigned int argc, char **argv)
{
	struct tm_snap *snap;
	int r;

	if (ti->begin) {
		ti->error = "Must begin at sector 0";
		return -EINVAL;
	}
	snap = kzalloc(sizeof(*snap), GFP_KERNEL);
	if (!snap) {
		ti->error = "Cannot allocate memory";
		return -ENOMEM;
	}
	snap->config.pool_kib = TM_POOL_KIB_DEFAULT;
	snap->config.timeout_s = TM_COW_TIMEOUT_DEFAULT;
	snap->config.watermark = TM_WATERMARK_DEFAULT;
	r = parse(ti, &snap->config, argc, argv);
	if (r)
		goto err_free;
	r = get_session(ti, snap, argv[0]);
	if (r)
		goto err_free;
	r = get_store(ti, snap, argv[1]);
	if (r)
		goto err_put_session;

	r = -ENOMEM;
	ti->error = "Cannot allocate memory";
	snap->cow = tm_cow_new(snap->origin->bdev, store_bdev(snap), ti->table,
			       &snap->session->geo, &snap->config);
	if (!snap->cow)
		goto err_put_store;
	if (tm_view_init(&snap->view, snap->cow))
		goto err_free_cow;
	ti->error = NULL;
	ti->private = snap;
	return 0;

err_free_cow:
	tm_cow_free(snap->cow);
err_put_store:
	put_store(ti, snap);
err_put_session:
	put_session(ti, snap);
err_free:
	kfree(snap);
	return r;
}

static void snap_dtr(struct dm_target *ti)
{
	struct tm_snap *snap = ti->private;

	tm_session_detach(snap->session, snap->cow);
	tm_view_done(&snap->view);
	tm_cow_free(snap->cow);
	put_store(ti, snap);
	put_session(ti, snap);
	kfree(snap);
}

static int snap_map(struct dm_target *ti, struct bio *bio)
{
	struct tm_snap *snap = ti->private;

	if (bio_op(bio) != REQ_OP_READ || !bio_sectors(bio))
		return DM_MAPIO_KILL;
	return tm_view_read(&snap->view, bio);
}

static int snap_preresume(struct dm_target *ti)
{
	struct tm_snap *snap = ti->private;
	int r;

	if (snap->attached)
		return 0;
	r = tm_session_attach(snap->session, snap->cow);
	if (r)
		DMERR("cannot attach: %s", r == -EBUSY ?
		      "the tracked device has a snapshot already" :
		      r == -ESTALE ? "the tracked device has grown since" :
		      "the tracked device is gone");
	else
		snap->attached = true;
	return r;
}

static int snap_iterate_devices(struct dm_target *ti,
				iterate_devices_callout_fn fn, void *data)
{
	struct tm_snap *snap = ti->private;

	return fn(ti, snap->origin, 0, ti->len, data);
}

static const char *const state_word[] = {
	[TM_COW_WAITING] = TM_SNAP_WAITING,
	[TM_COW_VALID] = TM_SNAP_VALID,
	[TM_COW_INVALID] = TM_SNAP_INVALID,
};

static const char *const cause_word[] = {
	[TM_CAUSE_NONE] = TM_STATUS_NONE,
	[TM_CAUSE_ENDED] = TM_SNAP_ENDED,
	[TM_CAUSE_FULL] = TM_SNAP_STORE_FULL,
	[TM_CAUSE_FAILED] = TM_SNAP_STORE_FAILED,
	[TM_CAUSE_SILENT] = TM_SNAP_STORE_SILENT,
	[TM_CAUSE_MEMORY] = TM_SNAP_NO_MEMORY,
	[TM_CAUSE_GONE] = TM_SNAP_GONE,
	[TM_CAUSE_UNKNOWN] = TM_SNAP_UNKNOWN,
};

static void status_info(struct tm_cow *cow, char *result, unsigned int maxlen)
{
	unsigned int pool, used, sz = 0;
	enum tm_cow_state state;
	enum tm_cow_cause cause;

	spin_lock_irq(&cow->lock);
	state = cow->state;
	cause = cow->cause;
	used = cow->store.used;
	pool = cow->pool_used;
	spin_unlock_irq(&cow->lock);
	DMEMIT("%u %s %llu %llu %u %u %u %u %s", TM_STATUS_VERSION,
	       state_word[state], (u64)atomic64_read(&cow->needed),
	       cow->nr_chunks, used, cow->store.nr_slots, pool, cow->pool_size,
	       cause_word[cause]);
}

static void status_table(const struct tm_snap *snap, char *result,
			 unsigned int maxlen)
{
	const struct tm_cow_config *c = &snap->config;
	bool pool = c->pool_kib != TM_POOL_KIB_DEFAULT;
	bool timeout = c->timeout_s != TM_COW_TIMEOUT_DEFAULT;
	bool watermark = c->watermark != TM_WATERMARK_DEFAULT;
	unsigned int nr = pool + timeout + watermark;
	unsigned int sz = 0;

	DMEMIT("%u:%u %s %s", MAJOR(snap->session->dev),
	       MINOR(snap->session->dev),
	       snap->store ? snap->store->name : TM_STATUS_NONE,
	       c->full ? TM_SNAP_FULL : TM_SNAP_DELTA);
	if (nr)
		DMEMIT(" %u", nr * 2);
	if (pool)
		DMEMIT(" " TM_OPT_POOL_KIB " %u", c->pool_kib);
	if (timeout)
		DMEMIT(" " TM_OPT_COW_TIMEOUT " %u", c->timeout_s);
	if (watermark)
		DMEMIT(" " TM_OPT_WATERMARK " %u", c->watermark);
}

static void snap_status(struct dm_target *ti, status_type_t type,
			unsigned int status_flags, char *result,
			unsigned int maxlen)
{
	struct tm_snap *snap = ti->private;

	switch (type) {
	case STATUSTYPE_INFO:
		status_info(snap->cow, result, maxlen);
		break;
	case STATUSTYPE_TABLE:
		status_table(snap, result, maxlen);
		break;
	default:
		*result = '\0';
		break;
	}
}

static int release(struct tm_cow *cow, unsigned int argc, char **argv,
		   bool check_only)
{
	unsigned int i;
	u64 first, nr;
	int r;

	for (i = 1; i + 1 < argc; i += 2) {
		if (kstrtou64(argv[i], 10, &first) ||
		    kstrtou64(argv[i + 1], 10, &nr) || !nr ||
		    first >= cow->nr_chunks || nr > cow->nr_chunks - first)
			return -EINVAL;
		r = check_only ? 0 : tm_cow_release(cow, first, nr);
		if (r)
			return r;
	}
	return 0;
}

static int snap_message(struct dm_target *ti, unsigned int argc, char **argv,
			char *result, unsigned int maxlen)
{
	struct tm_snap *snap = ti->private;

	if (strcasecmp(argv[0], TM_MSG_RELEASE) || argc < 3 || argc % 2 == 0)
		return -EINVAL;
	/* All or nothing, as far as the words go. */
	return release(snap->cow, argc, argv, true) ?:
		       release(snap->cow, argc, argv, false);
}

static struct target_type snap_target = {
	.name = TM_TARGET_SNAP,
	.version = { 0, 1, 0 },
	.features = DM_TARGET_SINGLETON,
	.module = THIS_MODULE,
	.ctr = snap_ctr,
	.dtr = snap_dtr,
	.map = snap_map,
	.preresume = snap_preresume,
	.iterate_devices = snap_iterate_devices,
	.status = snap_status,
	.message = snap_message,
};

int tm_snap_register(void)
{
	return dm_register_target(&snap_target);
}

void tm_snap_unregister(void)
{
	dm_unregister_target(&snap_target);
}
