// SPDX-License-Identifier: MIT
/* estimate.c - what the next backup of a disk will take */

#include <errno.h>
#include <string.h>
#include "engine/document.h"
#include "engine/entries.h"
#include "engine/estimate.h"
#include "engine/points.h"
#include "engine/precopy.h"
#include "engine/window.h"

/* The newest point that holds the disk; last->name is "" if there is none. */
static int find_last(struct vault *v, const struct tm_disk *disk,
		     struct tm_point *last, struct tm_error *err)
{
	char **names;
	size_t n;
	int r;

	r = points_names(v, disk->container, &names, &n, err);
	if (r)
		return r;
	r = points_newest_with(v, disk->container, names, n, disk->name, last,
			       err);
	document_names_free(names, n);
	return r;
}

/* What a snapshot may come to keep: of a scanned segment there is none. */
static int find_kept(const struct target *t, const struct source_pending *p,
		     struct tm_extents *ret)
{
	int r = tm_extents_subtract(ret, &t->ship, &p->scanned);

	if (!r)
		r = tm_extents_union(ret, ret, &p->whole);
	if (!r)
		tm_extents_clip(ret, t->chunks);
	return r;
}

/* A round reads what is not scanned. */
static int find_ahead(const struct target *t, const struct source_pending *p,
		      uint64_t *ret)
{
	struct tm_extents ahead = TM_EXTENTS_INIT;
	int r = 0;

	if (precopy_possible(t))
		r = tm_extents_subtract(&ahead, &t->ship, &p->scanned);
	*ret = tm_extents_total(&ahead) * t->doc->chunk_size;
	tm_extents_done(&ahead);
	return r;
}

static int count(struct target *t, const struct source_pending *pending,
		 struct tm_estimate *ret, uint64_t *ret_ahead,
		 struct tm_error *err)
{
	const struct tm_config *config = t->vhd.vault->config;
	const struct tm_shipping how = {
		.request_size = config->request_size,
		.window_chunks = window_size(t->doc->chunk_size) /
			t->doc->chunk_size,
		.slab_chunks = ENTRIES_SLAB_CHUNKS,
		.gap_pages = ENTRIES_GAP_PAGES,
		.bytes_per_s = TM_BLOB_BYTES_PER_S,
	};
	struct tm_extents kept = TM_EXTENTS_INIT;
	const struct tm_estimate_basis basis = {
		.size = t->state.size_bytes,
		.chunk_size = t->doc->chunk_size,
		.fresh = t->vhd.fresh,
		.ship = &t->ship, .kept = &kept,
	};
	int r;

	r = tm_extents_union(&t->ship, &pending->ship, &t->forced);
	if (!r) {
		tm_extents_clip(&t->ship, t->chunks);
		r = find_kept(t, pending, &kept);
	}
	if (!r)
		r = find_ahead(t, pending, ret_ahead);
	if (!r)
		tm_estimate(ret, &basis, &how);
	tm_extents_done(&kept);
	if (r)
		return tm_error_set(err, r, TM_EXIT_FAILED, t->doc->name,
				    "cannot estimate the backup of disk '%s': %s",
				    t->doc->name, strerror(-r));
	return 0;
}

static int plan(struct target *t, struct vault *v, const struct tm_point *last,
		struct estimate *ret, struct tm_error *err)
{
	const struct tm_point_disk *disk = NULL;
	struct source_pending pending;
	struct tm_estimate n;
	uint64_t ahead = 0;
	char cut[TM_ID_SIZE] = "";
	int r;

	if (*last->name)
		disk = tm_point_find_disk(last, t->doc->name);
	if (disk && !tm_id_is_none(&disk->cut))
		tm_id_format(cut, &disk->cut);
	r = t->source->ops->pending(t->source, cut, &pending, err);
	if (r)
		return r;
	t->pending = &pending;
	r = target_look(t, v, err);
	if (!r)
		r = target_plan(t, disk, false, err);
	if (!r)
		r = count(t, &pending, &n, &ahead, err);
	if (!r)
		*ret = (struct estimate){
			.size_bytes = t->state.size_bytes,
			.tracked = t->state.tracked,
			.snapshot = t->state.frozen == SOURCE_FROZEN_LOCAL,
			.mode = t->mode, .why = t->why,
			.bytes_ahead = ahead, .n = n,
		};
	t->pending = NULL;
	source_pending_done(&pending);
	return r;
}

int estimate_disk(struct vault *v, const struct tm_disk *disk,
		  struct estimate *ret, struct tm_error *err)
{
	struct tm_point last = { 0 };
	struct target target;
	int r;

	r = target_init(&target, disk, v->config, err);
	if (!r)
		r = find_last(v, disk, &last, err);
	if (!r)
		r = plan(&target, v, &last, ret, err);
	tm_point_done(&last);
	target_done(&target);
	return r;
}
