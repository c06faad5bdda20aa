// SPDX-License-Identifier: MIT
/*
 * source_tracked.c - a disk of which the kernel tracks all or some partitions
 *
 * What is tracked is read from snapshots, cut at one instant over all disks of
 * a run; the rest is scanned (scanned.h).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/cut.h"
#include "engine/layout.h"
#include "engine/loss.h"
#include "engine/snapshot.h"
#include "engine/tracked.h"
#include "port/dm.h"

static void forget_layout(struct tracked *t)
{
	scanned_free(t->scanned);
	t->scanned = NULL;
	for (size_t i = 0; i < t->n_parts; i++)
		part_done(&t->parts[i]);
	free(t->parts);
	t->parts = NULL;
	t->n_parts = 0;
	tm_segments_done(&t->segs);
	if (t->disk)
		disk_close(t->disk);
	t->disk = NULL;
}

static int find_parts(struct tracked *t, struct tm_error *err)
{
	int r = 0;

	t->parts = calloc(t->segs.n, sizeof(*t->parts));
	if (!t->parts)
		return tracked_no_memory(t, err);
	for (size_t i = 0; !r && i < t->segs.n; i++) {
		if (t->segs.v[i].kind != TM_SEGMENT_TRACKED)
			continue;
		r = part_init(&t->parts[t->n_parts], &t->segs.v[i], t->size,
			      t->source.chunk_size, t->state_dir, err);
		if (!r)
			t->n_parts++;
	}
	return r;
}

/* The disk as it is made up now: it may have grown, or been attached anew. */
static int look(struct tracked *t, struct tm_error *err)
{
	int r;

	forget_layout(t);
	r = layout_find(t->path, &t->segs, &t->size, err);
	if (r)
		return r;
	if (!tm_segments_any(&t->segs, TM_SEGMENT_TRACKED))
		return tm_error_set(err, -ENODEV, TM_EXIT_DEVICE, t->path,
				    "cannot back up '%s' by its changes: it is "
				    "not tracked any more", t->path);
	r = find_parts(t, err);
	if (r)
		return r;
	r = disk_open(t->path, &t->disk);
	if (r)
		return tm_error_set(err, r, TM_EXIT_DEVICE, t->path,
				    "cannot open disk '%s': %s", t->path,
				    strerror(-r));
	return 0;
}

/*
 * Was the cut made by a run? Then there is the run's snapshot of it, or none
 * at all, if it was a live one. One made by hand has a view.
 */
static int made_by_run(const struct part *p, const char *cut_id, bool *ret,
		       struct tm_error *err)
{
	char view[TM_VIEW_NAME_SIZE];
	int r = part_has_snapshot(p, ret, err);

	if (r || *ret)
		return r;
	r = snapshot_find(p->seg->device, cut_id, view, err);
	*ret = r == -ENOENT;
	return r == -ENOENT ? 0 : r;
}

/* One part's frozen cut joins @ret; the first one found names it. */
static int add_frozen(const struct part *p, const struct tracked_status *st,
		      struct source_state *ret, struct tm_error *err)
{
	bool ours;
	int r;

	if (st->stage == TRACKED_NONE)
		return 0;
	r = made_by_run(p, st->frozen, &ours, err);
	if (r)
		return r;
	if (!ours)
		ret->frozen = SOURCE_FROZEN_LOCAL;
	else if (ret->frozen == SOURCE_FROZEN_NONE)
		ret->frozen = SOURCE_FROZEN_RUN;
	if (!ret->frozen_id[0] || !ours)
		strcpy(ret->frozen_id, st->frozen);
	return 0;
}

static int tracked_op_state(struct source *s, struct source_state *ret,
			    struct tm_error *err)
{
	struct tracked *t = tracked_of(s);
	struct source_state state = { .tracked = true };
	struct tracked_status st;
	int r = look(t, err);
	bool lost;

	for (size_t i = 0; !r && i < t->n_parts; i++) {
		r = tracked_status(t->parts[i].seg->device, &st, err);
		if (!r)
			r = loss_of(t->state_dir, &st, &lost, err);
		if (r)
			break;
		if (lost)
			state.lost = true;
		if (!i)
			strcpy(state.base, st.base);
		else if (strcmp(state.base, st.base))
			state.base[0] = '\0';
		r = add_frozen(&t->parts[i], &st, &state, err);
	}
	if (r)
		return r;
	state.size_bytes = t->size;
	*ret = state;
	return 0;
}

static int tracked_op_knows(struct source *s, const char *cut_id, bool *ret,
			    struct tm_error *err)
{
	struct tracked *t = tracked_of(s);
	struct tracked_status st;
	bool all = true;
	int r = 0;

	for (size_t i = 0; !r && i < t->n_parts; i++) {
		r = tracked_status(t->parts[i].seg->device, &st, err);
		if (!r && !tracked_knows(&st, cut_id))
			all = false;
	}
	if (!r)
		*ret = all;
	return r;
}

static int tracked_op_settle(struct source *s, const char *cut_id,
			     bool committed, struct tm_error *err)
{
	struct tracked *t = tracked_of(s);
	struct tracked_status st;
	int r = 0;

	/* Another cut than the one asked about was never a point of its own. */
	for (size_t i = 0; !r && i < t->n_parts; i++) {
		const char *device = t->parts[i].seg->device;

		r = snapshot_drop(device, false, err);
		if (!r)
			r = tracked_status(device, &st, err);
		if (!r && st.frozen[0] && strcmp(st.frozen, cut_id))
			r = cut_end(device, st.frozen, false, err);
	}
	return r ? r : tracked_end_cut(t, cut_id, committed, err);
}

static int tracked_op_commit(struct source *s, const char *cut_id,
			     struct tm_error *err)
{
	struct tracked *t = tracked_of(s);
	int r = tracked_end_cut(t, cut_id, true, err);

	for (size_t i = 0; !r && i < t->n_parts; i++)
		r = loss_settle(t->state_dir, t->parts[i].seg->device, err);
	return r;
}

static int tracked_op_abort(struct source *s, const char *cut_id,
			    struct tm_error *err)
{
	return tracked_end_cut(tracked_of(s), cut_id, false, err);
}

static int tracked_op_rebase(struct source *s, const char *cut_id,
			     struct tm_error *err)
{
	return tracked_end_cut(tracked_of(s), cut_id, true, err);
}

static int tracked_op_mark(struct source *s, uint64_t start, uint64_t count,
			   struct tm_error *err)
{
	struct tracked *t = tracked_of(s);
	int r = 0;

	for (size_t i = 0; !r && i < t->n_parts; i++)
		r = part_mark(&t->parts[i], start * s->chunk_size,
			      count * s->chunk_size, err);
	return r;
}

int tracked_cover(struct tracked *t, const struct tm_extents *changed_bytes,
		  struct tm_extents *ret_ship, struct tm_extents *ret_scanned,
		  struct tm_error *err)
{
	struct tm_extents changed = TM_EXTENTS_INIT, scanned = TM_EXTENTS_INIT;
	uint32_t chunk = t->source.chunk_size;
	int r = 0;

	for (size_t i = 0; !r && i < t->segs.n; i++)
		if (t->segs.v[i].kind == TM_SEGMENT_SCAN)
			r = tm_extents_add(&scanned, t->segs.v[i].start,
					   t->segs.v[i].len);
	if (!r)
		r = tm_extents_cover(&changed, changed_bytes, chunk);
	if (!r)
		r = tm_extents_cover(&scanned, &scanned, chunk);
	if (!r)
		r = tm_extents_union(ret_ship, ret_ship, &changed);
	if (!r)
		r = tm_extents_union(ret_ship, ret_ship, &scanned);
	if (!r)
		r = tm_extents_union(ret_scanned, ret_scanned, &scanned);
	if (r)
		tracked_no_memory(t, err);
	tm_extents_done(&changed);
	tm_extents_done(&scanned);
	return r;
}

static int tracked_op_ship_set(struct source *s, struct tm_extents *ret_ship,
			       struct tm_extents *ret_scanned,
			       struct tm_error *err)
{
	struct tracked *t = tracked_of(s);
	struct tm_extents changed = TM_EXTENTS_INIT;
	int r = 0;

	for (size_t i = 0; !r && i < t->n_parts; i++)
		r = part_frozen(&t->parts[i], &changed, err);
	if (!r)
		r = tracked_cover(t, &changed, ret_ship, ret_scanned, err);
	tm_extents_done(&changed);
	return r;
}

static int tracked_op_blame(struct source *s, int r, struct tm_error *err)
{
	return tracked_read_failed(tracked_of(s), r, err);
}

static int tracked_op_release(struct source *s, uint64_t start, uint64_t count,
			      struct tm_error *err)
{
	struct tracked *t = tracked_of(s);
	int r = 0;

	for (size_t i = 0; !r && !t->live && i < t->n_parts; i++)
		r = part_release(&t->parts[i], start * s->chunk_size,
				 count * s->chunk_size, err);
	return r;
}

/*
 * A device that gets another table writes past its snapshot, for a moment
 * before the snapshot learns of it. A cut that still stands now was never left.
 */
static int check_cut(struct tracked *t, struct tm_error *err)
{
	struct tracked_status st;
	int r = 0;

	for (size_t i = 0; !r && i < t->n_parts; i++) {
		const char *device = t->parts[i].seg->device;

		r = tracked_status(device, &st, err);
		if (!r && (st.stage != TRACKED_SHIPPING ||
			   strcmp(st.frozen, t->source.cut_id)))
			r = tm_error_set(err, -EIO, TM_EXIT_DEVICE, device,
					 "cannot trust what was read of '%s': "
					 "its cut has ended meanwhile", device);
	}
	return r;
}

static int tracked_op_segments(struct source *s, struct tm_segments *ret,
			       struct tm_error *err)
{
	struct tracked *t = tracked_of(s);
	int r = *s->cut_id ? check_cut(t, err) : 0;

	if (!r && tm_segments_copy(ret, &t->segs))
		r = tracked_no_memory(t, err);
	if (r)
		return r;
	for (size_t i = 0; i < ret->n; i++)
		ret->v[i].torn = t->scanned && scanned_torn(t->scanned, i);
	return 0;
}

static void tracked_op_free(struct source *s)
{
	struct tracked *t = tracked_of(s);

	forget_layout(t);
	free(t->path);
	free(t->state_dir);
	free(t);
}

static const struct source_ops tracked_ops = {
	.kind = "tracked",
	.state = tracked_op_state,
	.knows = tracked_op_knows,
	.pending = tracked_pending,
	.settle = tracked_op_settle,
	.mark = tracked_op_mark,
	.cut = tracked_cut_group,
	.ship_set = tracked_op_ship_set,
	.place = tracked_place,
	.blame = tracked_op_blame,
	.read = tracked_read,
	.sample = tracked_sample,
	.release = tracked_op_release,
	.commit = tracked_op_commit,
	.abort = tracked_op_abort,
	.rebase = tracked_op_rebase,
	.segments = tracked_op_segments,
	.free = tracked_op_free,
};

int source_tracked_new(const char *name, const char *path,
		       uint32_t chunk_size, const char *state_dir,
		       struct source **ret, struct tm_error *err)
{
	struct tracked *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return tm_error_set(err, -ENOMEM, TM_EXIT_FAILED, path,
				    "cannot open '%s': out of memory", path);
	t->source.ops = &tracked_ops;
	t->source.chunk_size = chunk_size;
	t->source.name = strdup(name);
	t->path = strdup(path);
	t->state_dir = strdup(state_dir);
	if (!t->source.name || !t->path || !t->state_dir)
		r = tracked_no_memory(t, err);
	else
		r = look(t, err);
	if (r)
		source_free(&t->source);
	else
		*ret = &t->source;
	return r;
}

int source_new(const char *name, const char *path, uint32_t chunk_size,
	       const char *state_dir, struct source **ret,
	       struct tm_error *err)
{
	struct tm_segments segs = TM_SEGMENTS_INIT;
	uint64_t size;
	bool tracked;
	int r = layout_find(path, &segs, &size, err);

	if (r)
		return r;
	tracked = tm_segments_any(&segs, TM_SEGMENT_TRACKED);
	tm_segments_done(&segs);
	if (tracked)
		return source_tracked_new(name, path, chunk_size, state_dir,
					  ret, err);
	return source_scan_new(name, path, chunk_size, ret, err);
}
