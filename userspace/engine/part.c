// SPDX-License-Identifier: MIT
#include "engine/part.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "engine/attached.h"
#include "engine/snapshot.h"
#include "port/blkdev.h"
#include "port/dm.h"
#include "port/mapping.h"

static int find_store(struct part *p, const char *state, struct tm_error *err)
{
	struct tm_attached a;
	struct blkdev dev;
	int r = attached_load(state, p->seg->device, &a, err);

	if (r == -ENOENT)
		return 0;	/* attached by hand: the pool must do */
	if (r)
		return r;
	r = attached_node(a.t.store, p->store, NULL, err);
	tm_attached_done(&a);
	if (r || !p->store[0])
		return r;
	r = blkdev_by_path(p->store, &dev);
	if (r)
		return tm_error_set(err, r, TM_EXIT_DEVICE, p->store,
				    "cannot use '%s' as snapshot store: %s",
				    p->store, strerror(-r));
	p->store_dev = dev.dev;
	return 0;
}

int part_init(struct part *p, const struct tm_segment *seg, uint64_t disk_size,
	      uint32_t chunk_size, const char *state, struct tm_error *err)
{
	struct tracked_status st;
	int r, n;

	*p = (struct part){ .seg = seg, .chunk_size = chunk_size };
	r = tracked_status(seg->device, &st, err);
	if (r)
		return r;
	p->kernel_chunk = st.chunk_sectors * 512ull;
	p->kernel_chunks = st.total;
	p->aligned = !(seg->start % chunk_size) &&
		     !(p->kernel_chunk % chunk_size);
	p->last = seg->start + seg->len == disk_size;
	n = snprintf(p->snap, sizeof(p->snap), "%s-snap", seg->device);
	if (n < 0 || (size_t)n >= sizeof(p->snap))
		return tm_error_set(err, -ENAMETOOLONG, TM_EXIT_USAGE,
				    seg->device, "cannot name the snapshot of "
				    "'%s': the name is too long", seg->device);
	return find_store(p, state, err);
}

void part_done(struct part *p)
{
	if (p->disk)
		disk_close(p->disk);
	p->disk = NULL;
}

static uint64_t end_of(const struct part *p)
{
	return p->seg->start + p->seg->len;
}

/*
 * A chunk of the disk that goes on behind the segment is read whenever its
 * other part is: what of it lies here must then be in the snapshot.
 */
static int mark_edge(const struct part *p, struct tm_error *err)
{
	if (p->last || !(end_of(p) % p->chunk_size))
		return 0;
	return part_mark(p, end_of(p) - 1, 1, err);
}

int part_make_snapshot(struct part *p, const struct source_cut_options *how,
		       struct tm_error *err)
{
	const struct snap_options options = {
		.full = !p->aligned, .pool_kib = how->pool_kib,
		.cow_timeout_s = how->cow_timeout_s,
	};
	int r = part_drop_snapshot(p, err);

	/* A view that shows nothing any more holds the store none the less. */
	if (!r && p->store[0])
		r = snapshot_drop(p->seg->device, true, err);
	if (!r)
		r = snap_create(p->snap, NULL, p->seg->device,
				p->store[0] ? p->store : NULL,
				p->seg->len / 512, &options, err);
	if (!r)
		r = mark_edge(p, err);
	return r;
}

int part_open_snapshot(struct part *p, struct tm_error *err)
{
	char node[TRACKED_NODE_SIZE];
	int r;

	tracked_node(p->snap, node);
	r = disk_open(node, &p->disk);
	if (r)
		return tm_error_set(err, r, TM_EXIT_DEVICE, node,
				    "cannot open the snapshot '%s': %s", node,
				    strerror(-r));
	return 0;
}

/* Why a snapshot became invalid: what is said of it, and what can be done. */
struct fault {
	enum tm_exit code;
	const char *why, *action;
};

static const struct fault faults[] = {
	[SNAP_CAUSE_UNSAID] = {
		TM_EXIT_DEVICE, "it became invalid",
		"see the kernel's log (dmesg) for the cause, then back up again",
	},
	[SNAP_CAUSE_ENDED] = {
		TM_EXIT_DEVICE, "its cut was ended by somebody else",
		"back up again, and leave the cut alone meanwhile",
	},
	[SNAP_CAUSE_FULL] = {
		TM_EXIT_LIMIT, "its store is full",
		"give it a larger store: detach the device, and attach it with "
		"--store and --store-size",
	},
	[SNAP_CAUSE_FAILED] = {
		TM_EXIT_DEVICE, "its store cannot be written",
		"see the kernel's log (dmesg), and give it a store that works: "
		"detach the device, and attach it with --store",
	},
	[SNAP_CAUSE_SILENT] = {
		TM_EXIT_DEVICE, "its store did not answer in time",
		"see what holds up the store's device, then back up again",
	},
	[SNAP_CAUSE_MEMORY] = {
		TM_EXIT_DEVICE, "the kernel had no memory for it",
		"back up again when there is more free memory",
	},
	[SNAP_CAUSE_GONE] = {
		TM_EXIT_DEVICE, "the device was given another table, or the "
		"machine hibernated",
		"back up again when the device is tracked",
	},
	[SNAP_CAUSE_UNKNOWN] = {
		TM_EXIT_DEVICE, "the disk was changed in a way that the kernel "
		"module does not know",
		"use a kernel module made for this kernel",
	},
};

static const struct fault no_store = {
	TM_EXIT_LIMIT, "its memory is full, and it has no store",
	"give it a store: detach the device, and attach it with --store and "
	"--store-size",
};

bool part_is_invalid(const struct part *p, int r, struct tm_error *err)
{
	const struct fault *fault;
	struct snap_status st;

	if (snap_status(p->snap, &st, NULL) || st.state != SNAP_INVALID)
		return false;
	fault = &faults[st.cause];
	if (st.cause == SNAP_CAUSE_FULL && !p->store[0])
		fault = &no_store;
	tm_error_set(err, r, fault->code, p->seg->device,
		     "cannot read the snapshot of '%s' any more: %s%s%s",
		     p->seg->device, fault->why, p->store[0] ? "; store: " : "",
		     p->store);
	tm_error_action(err, "%s", fault->action);
	return true;
}

int part_drop_snapshot(struct part *p, struct tm_error *err)
{
	part_done(p);
	return mapping_remove(p->snap, err);
}

int part_has_snapshot(const struct part *p, bool *ret, struct tm_error *err)
{
	struct mapping_info info;
	int r = mapping_info(p->snap, &info, err);

	if (!r)
		*ret = info.exists;
	return r;
}

/* Cuts the range to the segment and moves it to count from there. */
static bool clip(const struct part *p, uint64_t *off, uint64_t *len)
{
	uint64_t from = *off, to = *off + *len;

	if (from < p->seg->start)
		from = p->seg->start;
	if (to > end_of(p))
		to = end_of(p);
	if (from >= to)
		return false;
	*off = from - p->seg->start;
	*len = to - from;
	return true;
}

/* The kernel's chunks that a range of the segment touches. */
static void touched(const struct part *p, uint64_t off, uint64_t len,
		    uint64_t *ret_start, uint64_t *ret_count)
{
	uint64_t end = (off + len - 1) / p->kernel_chunk + 1;

	*ret_start = off / p->kernel_chunk;
	*ret_count = end - *ret_start;
}

int part_mark(const struct part *p, uint64_t off, uint64_t len,
	      struct tm_error *err)
{
	uint64_t start, count;

	if (!clip(p, &off, &len))
		return 0;
	touched(p, off, len, &start, &count);
	if (!start && count == p->kernel_chunks)
		return tracked_mark_all(p->seg->device, err);
	return tracked_mark(p->seg->device, start, count, err);
}

static int list_changes(const struct part *p, bool frozen,
			struct tm_extents *ret, struct tm_error *err)
{
	struct tm_extents chunks = TM_EXTENTS_INIT;
	const struct tm_extent *x;
	int r;

	r = tracked_extents(p->seg->device, frozen, &chunks, err);
	if (r)
		goto out;
	r = tm_extents_scale(&chunks, &chunks, p->kernel_chunk, p->seg->len);
	tm_extents_for_each(x, &chunks)
		if (!r)
			r = tm_extents_add(ret, p->seg->start + x->start,
					   x->len);
	if (r)
		tm_error_set(err, r, TM_EXIT_FAILED, p->seg->device,
			     "cannot list the changes of '%s': %s",
			     p->seg->device, strerror(-r));
out:
	tm_extents_done(&chunks);
	return r;
}

int part_frozen(const struct part *p, struct tm_extents *ret,
		struct tm_error *err)
{
	return list_changes(p, true, ret, err);
}

int part_current(const struct part *p, struct tm_extents *ret,
		 struct tm_error *err)
{
	return list_changes(p, false, ret, err);
}

int part_release(const struct part *p, uint64_t off, uint64_t len,
		 struct tm_error *err)
{
	uint64_t start, end;

	if (!clip(p, &off, &len))
		return 0;
	start = (off + p->kernel_chunk - 1) / p->kernel_chunk;
	end = off + len == p->seg->len ? p->kernel_chunks :
					 (off + len) / p->kernel_chunk;
	if (start >= end)
		return 0;
	return snap_release(p->snap, start, end - start, err);
}

int part_marked(const struct part *p, uint64_t off, uint64_t len, bool *ret,
		struct tm_error *err)
{
	uint64_t start, count;

	*ret = false;
	if (!clip(p, &off, &len))
		return 0;
	touched(p, off, len, &start, &count);
	return tracked_marked(p->seg->device, start, count, ret, err);
}
