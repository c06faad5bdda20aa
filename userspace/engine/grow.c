// SPDX-License-Identifier: MIT
#include "engine/grow.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/attached.h"
#include "engine/metaset.h"
#include "port/blkdev.h"
#include "port/dm.h"
#include "port/file.h"
#include "port/loop.h"
#include "port/mapping.h"
#include "port/resident.h"

static int fail(struct tm_error *err, int r, const char *verb, const char *what)
{
	return tm_error_set(err, r, tm_exit_from_errno(r), what,
			    "cannot %s '%s': %s", verb, what, strerror(-r));
}

/* A snapshot shows the disk as long as it was. */
static int check_idle(const char *name, struct tm_error *err)
{
	struct mapping_info snap;
	struct tracked_status st;
	char path[160];
	int r = tracked_status(name, &st, err);

	snprintf(path, sizeof(path), "%.120s-snap", name);
	if (!r)
		r = mapping_info(path, &snap, err);
	if (r || (st.stage == TRACKED_NONE && !snap.exists))
		return r;
	tm_error_set(err, -EBUSY, TM_EXIT_BUSY, name,
		     "cannot grow '%s': a backup of it is running, or was left "
		     "unfinished", name);
	tm_error_action(err, "wait for it; or run a backup, which settles what "
			     "was left");
	return -EBUSY;
}

/* As the kernel decides: regions stay, unless there would be too many. */
static int meta_need(const struct tm_super *super, uint64_t sectors,
		     uint64_t *ret)
{
	const struct tm_geometry *was = &super->geo;
	struct tm_geometry geo;

	if (tm_geometry_init(&geo, sectors, was->chunk_sectors,
			     was->region_sectors) &&
	    tm_geometry_init(&geo, sectors, was->chunk_sectors, 0))
		return -EFBIG;
	*ret = geo.meta_sectors * TM_SECTOR_BYTES;
	return 0;
}

static int too_small(const char *place, uint64_t size, uint64_t need,
		     struct tm_error *err)
{
	tm_error_set(err, -ENOSPC, TM_EXIT_LIMIT, place,
		     "cannot keep the metadata of the larger disk in '%s': it "
		     "has %llu bytes, and %llu are needed", place,
		     (unsigned long long)size, (unsigned long long)need);
	tm_error_action(err, "make it larger; or detach the disk and attach it "
			     "with larger metadata, after which everything "
			     "counts as changed");
	return -ENOSPC;
}

/* @place is a file, attached to the loop device @node. */
static int enlarge(const char *place, const char *node, uint64_t need,
		   struct tm_error *err)
{
	int r = file_allocate(place, need);

	if (!r)
		r = loop_resize(node);
	return r ? fail(err, r, "enlarge", place) : 0;
}

static int fit_meta(const struct tm_attached *a, uint64_t sectors,
		    struct tm_error *err)
{
	char node[TM_DEVICE_SIZE];
	struct tm_super super;
	struct blkdev dev;
	uint64_t need;
	int r = attached_node(a->t.meta, node, NULL, err);

	if (r || !node[0])
		return r;
	r = metaset_read(node, &super, err);
	if (r == -ENODATA)
		return tm_error_set(err, r, TM_EXIT_INTEGRITY, a->t.meta,
				    "cannot grow '%s': its metadata in '%s' are "
				    "damaged", a->t.device, a->t.meta);
	if (!r)
		r = meta_need(&super, sectors, &need);
	if (!r)
		r = blkdev_by_path(node, &dev);
	if (r)
		return fail(err, r, "grow", a->t.device);
	if (dev.size >= need)
		return 0;
	if (strcmp(node, a->t.meta))
		return enlarge(a->t.meta, node, need, err);
	return too_small(a->t.meta, dev.size, need, err);
}

/* The words of a table without the region size, which is the kernel's to say. */
static char *without_regions(const char *params)
{
	char origin[64], meta[64], words[256] = "", name[32], value[32];
	unsigned int count = 0, left = 0;
	int at = 0, n;
	char *ret;

	if (sscanf(params, "%63s %63s %u%n", origin, meta, &left, &at) < 3)
		return strdup(params);
	while (sscanf(params + at, " %31s %31s%n", name, value, &n) == 2) {
		at += n;
		if (!strcmp(name, TRACKED_REGION_OPTION))
			continue;
		n = (int)strlen(words);
		snprintf(words + n, sizeof(words) - n, " %s %s", name, value);
		count += 2;
	}
	if (asprintf(&ret, "%s %s %u%s", origin, meta, count, words) < 0)
		return NULL;
	return ret;
}

/*
 * Nothing may stand still for longer than it must: no signal comes between, and
 * if the new table cannot be resumed the old one is put back.
 */
static int exchange(const char *name, const struct mapping_table *to,
		    const struct mapping_table *from, struct tm_error *err)
{
	sigset_t all, mask;
	int r = resident_stay();

	if (r)
		return fail(err, r, "grow", name);
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &mask);
	r = mapping_load(name, to, err);
	if (!r) {
		r = mapping_suspend(name, err);
		if (!r)
			r = mapping_resume(name, err);
		if (r && !mapping_load(name, from, NULL))
			mapping_resume(name, NULL);
	}
	sigprocmask(SIG_SETMASK, &mask, NULL);
	if (r)
		tm_error_action(err, "see the end of the kernel's log (dmesg)");
	return r;
}

static int reload(const char *name, uint64_t sectors, struct tm_error *err)
{
	struct mapping_table from, to;
	char *target, *params, *longer;
	int r = mapping_table(name, &target, &params, &from.sectors, err);

	if (r)
		return r;
	longer = without_regions(params);
	from.target = target;
	from.params = params;
	to = (struct mapping_table){
		.sectors = sectors, .target = target, .params = longer,
	};
	r = longer ? exchange(name, &to, &from, err) :
		     fail(err, -ENOMEM, "grow", name);
	free(target);
	free(params);
	free(longer);
	return r;
}

static int grow_to(struct tm_attached *a, const char *state, uint64_t sectors,
		   struct tm_error *err)
{
	int r = check_idle(a->t.device, err);

	if (!r)
		r = fit_meta(a, sectors, err);
	if (!r)
		r = reload(a->t.device, sectors, err);
	if (r)
		return r;
	/* If this comes too late, attach follows what the metadata say. */
	a->sectors = sectors;
	return attached_save(state, a, err);
}

static int origin_sectors(const struct tm_attached *a, uint64_t *ret,
			  struct tm_error *err)
{
	struct blkdev origin;
	int r = blkdev_by_path(a->t.origin, &origin);

	if (r)
		return fail(err, r, "find", a->t.origin);
	if (origin.size / 512 < a->sectors)
		return tm_error_set(err, -ENOSPC, TM_EXIT_REFUSED, a->t.origin,
				    "cannot grow '%s': '%s' is smaller than it "
				    "was", a->t.device, a->t.origin);
	*ret = origin.size / 512;
	return 0;
}

int grow(const char *name, const char *state, struct grow_result *ret,
	 struct tm_error *err)
{
	struct mapping_info info;
	struct tm_attached a;
	uint64_t sectors = 0;
	int r = attached_load(state, name, &a, err);

	if (r == -ENOENT)
		return tm_error_set(err, r, TM_EXIT_NOT_FOUND, name,
				    "cannot grow '%s': nothing is recorded of "
				    "it", name);
	if (r)
		return r;
	r = mapping_info(name, &info, err);
	if (!r && !info.exists) {
		r = tm_error_set(err, -ENODEV, TM_EXIT_REFUSED, name,
				 "cannot grow '%s': it is not attached", name);
		tm_error_action(err, "tidemark attach %s", name);
	}
	if (!r)
		r = origin_sectors(&a, &sectors, err);
	if (!r) {
		ret->was_bytes = a.sectors * 512;
		if (sectors > a.sectors)
			r = grow_to(&a, state, sectors, err);
		ret->size_bytes = sectors * 512;
	}
	tm_attached_done(&a);
	return r;
}
