// SPDX-License-Identifier: MIT
#include "engine/attach.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "engine/attached.h"
#include "engine/cut.h"
#include "engine/seal.h"
#include "engine/snapshot.h"
#include "port/dm.h"
#include "port/mapping.h"

static int refuse(const char *name, const char *cut, struct tm_error *err)
{
	char view[TM_VIEW_NAME_SIZE];
	int r = snapshot_find(name, cut, view, err);

	if (r && r != -ENOENT)
		return r;
	if (!r) {
		tm_error_set(err, -EBUSY, TM_EXIT_BUSY, name,
			     "cannot detach '%s': it has a snapshot, '%s'",
			     name, view);
		tm_error_action(err, "tidemark snapshot remove %s", view);
		return -EBUSY;
	}
	tm_error_set(err, -EBUSY, TM_EXIT_BUSY, name,
		     "cannot detach '%s': a backup of it is running, or was "
		     "left unfinished", name);
	tm_error_action(err, "wait for it; or run a backup, which settles what "
			     "was left");
	return -EBUSY;
}

/* A cut in the hands of another is not for us to end, unless told to. */
static int end_frozen(const char *name, bool end_cut, struct tm_error *err)
{
	struct tracked_status st;
	char snap[160];
	int r = tracked_status(name, &st, err);

	if (r)
		return r;
	if (st.stage != TRACKED_NONE && !end_cut)
		return refuse(name, st.frozen, err);
	/* They hold the tracked device open. */
	r = snapshot_drop(name, false, err);
	if (!r && st.stage != TRACKED_NONE)
		r = cut_end(name, st.frozen, false, err);
	snprintf(snap, sizeof(snap), "%.120s-snap", name);
	return r ? r : mapping_remove(snap, err);
}

/* Without a seal to be had, one that never compares equal. */
static int seal(const char *state, struct tm_attached *a, bool keep,
		struct tm_error *err)
{
	int r = seal_take(a->t.origin, &a->seal, err), saved;

	if (r)
		tm_seal_add(&a->seal, UINT64_MAX, 0, a->chunk_size, NULL,
			    "device");
	a->detached = !keep;
	saved = attached_save(state, a, r ? NULL : err);
	return r ? r : saved;
}

int detach(const char *name, const char *state, bool end_cut, bool keep,
	   struct tm_error *err)
{
	struct mapping_info info;
	struct tm_attached a;
	bool recorded;
	int r = mapping_info(name, &info, err);

	if (r)
		return r;
	r = attached_load(state, name, &a, err);
	if (r && r != -ENOENT)
		return r;
	recorded = !r;
	if (!info.exists && !recorded)
		return tm_error_set(err, -ENOENT, TM_EXIT_NOT_FOUND, name,
				    "cannot detach '%s': there is no such "
				    "tracked device", name);
	r = info.exists ? end_frozen(name, end_cut, err) : 0;
	if (!r)
		r = mapping_remove(name, err);
	if (r == -EBUSY && info.exists)
		tm_error_action(err, "unmount what is on /dev/mapper/%s, and "
				     "stop what uses it", name);
	if (!r && recorded) {
		/* The store first: no snapshot is left to use it. */
		attached_let_go(a.t.store);
		attached_let_go(a.t.meta);
		if (info.exists)
			r = seal(state, &a, keep, err);
	}
	if (recorded)
		tm_attached_done(&a);
	return r;
}
