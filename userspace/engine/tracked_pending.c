// SPDX-License-Identifier: MIT
/* tracked_pending.c - what the next cut of a tracked disk would have to ship */

#include <errno.h>
#include <string.h>

#include "engine/tracked.h"
#include "port/dm.h"

/*
 * A frozen cut that is the last point's would be committed, any other merged
 * back. The frozen set is asked for first: when it is merged between the two
 * questions it is in the answer to the second.
 */
static int add_part(const struct part *p, const char *cut_id,
		    struct tm_extents *changed, bool *knows,
		    struct tm_error *err)
{
	struct tracked_status st;
	bool committed;
	int r = tracked_status(p->seg->device, &st, err);

	if (r)
		return r;
	committed = *cut_id && !strcmp(st.frozen, cut_id);
	if (!committed && !tracked_knows(&st, cut_id))
		*knows = false;
	if (st.frozen[0] && !committed) {
		r = part_frozen(p, changed, err);
		if (r == -ENOENT) {	/* not cut yet, or not any more */
			tm_error_clear(err);
			r = 0;
		}
	}
	return r ? r : part_current(p, changed, err);
}

/* A snapshot that cannot keep the disk's chunks keeps everything. */
static int add_whole(const struct tracked *t, const struct part *p,
		     struct tm_extents *whole)
{
	struct tm_extents bytes = TM_EXTENTS_INIT;
	int r;

	if (p->aligned)
		return 0;
	r = tm_extents_add(&bytes, p->seg->start, p->seg->len);
	if (!r)
		r = tm_extents_cover(&bytes, &bytes, t->source.chunk_size);
	if (!r)
		r = tm_extents_union(whole, whole, &bytes);
	tm_extents_done(&bytes);
	return r;
}

int tracked_pending(struct source *s, const char *cut_id,
		    struct source_pending *ret, struct tm_error *err)
{
	struct tracked *t = tracked_of(s);
	struct source_pending pending = { .knows = true };
	struct tm_extents changed = TM_EXTENTS_INIT;
	int r = 0;

	for (size_t i = 0; !r && i < t->n_parts; i++) {
		r = add_part(&t->parts[i], cut_id, &changed, &pending.knows,
			     err);
		if (!r && add_whole(t, &t->parts[i], &pending.whole))
			r = tracked_no_memory(t, err);
	}
	if (!r)
		r = tracked_cover(t, &changed, &pending.ship, &pending.scanned,
				  err);
	tm_extents_done(&changed);
	if (r)
		source_pending_done(&pending);
	else
		*ret = pending;
	return r;
}
