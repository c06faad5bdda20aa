// SPDX-License-Identifier: MIT
/* tracked_cut.c - tracked disks at one instant, and what is scanned with them */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/cut.h"
#include "engine/tracked.h"

/* How often a disk is cut again because a scanned segment changed meanwhile. */
#define CUT_TRIES 3

int tracked_no_memory(const struct tracked *t, struct tm_error *err)
{
	return tm_error_set(err, -ENOMEM, TM_EXIT_FAILED, t->path,
			    "cannot back up '%s': out of memory", t->path);
}

int tracked_read_failed(const struct tracked *t, int r, struct tm_error *err)
{
	for (size_t i = 0; i < t->n_parts; i++)
		if (part_is_invalid(&t->parts[i], r, err))
			return r;
	return tm_error_set(err, r, TM_EXIT_DEVICE, t->path,
			    "cannot read disk '%s' as it was at the cut: %s",
			    t->path, strerror(-r));
}

int tracked_end_cut(struct tracked *t, const char *cut_id, bool commit,
		    struct tm_error *err)
{
	int r = 0;

	for (size_t i = 0; !r && i < t->n_parts; i++) {
		part_done(&t->parts[i]);
		r = cut_end(t->parts[i].seg->device, cut_id, commit, err);
	}
	for (size_t i = 0; !r && i < t->n_parts; i++)
		r = part_drop_snapshot(&t->parts[i], err);
	scanned_free(t->scanned);
	t->scanned = NULL;
	t->live = false;
	if (!r)
		*t->source.cut_id = '\0';
	return r;
}

/* Undoes what a failed cut has left of @t. */
static void give_up(struct tracked *t, const char *cut_id)
{
	tracked_end_cut(t, cut_id, false, NULL);
}

static int get_ready(struct tracked *t, const struct source_cut_options *how,
		     struct tm_error *err)
{
	int r = 0;

	t->live = how->live;
	/* One that was left behind would be armed by this cut. */
	for (size_t i = 0; !r && i < t->n_parts; i++)
		r = how->live ? part_drop_snapshot(&t->parts[i], err) :
			part_make_snapshot(&t->parts[i], how, err);
	if (!r && !how->live)
		r = scanned_new(t->path, t->disk, &t->segs,
				t->source.chunk_size, &t->scanned, err);
	return r;
}

static int after_cut(struct tracked *t, bool *ret_unchanged,
		     struct tm_error *err)
{
	int r = 0;

	*ret_unchanged = true;
	if (t->live)
		return 0;
	for (size_t i = 0; !r && i < t->n_parts; i++)
		r = part_open_snapshot(&t->parts[i], err);
	return r ? r : scanned_unchanged(t->scanned, ret_unchanged, err);
}

static struct cut_member *members_of(struct source *const *group,
				     unsigned int n, unsigned int *ret_n)
{
	struct cut_member *members;
	unsigned int found = 0;

	for (unsigned int i = 0; i < n; i++)
		found += tracked_of(group[i])->n_parts;
	members = calloc(found ? found : 1, sizeof(*members));
	if (!members)
		return NULL;
	found = 0;
	for (unsigned int i = 0; i < n; i++) {
		const struct tracked *t = tracked_of(group[i]);

		for (size_t j = 0; j < t->n_parts; j++)
			members[found++] = (struct cut_member){
				.name = t->parts[j].seg->device,
				.store = t->live ? 0 : t->parts[j].store_dev,
			};
	}
	*ret_n = found;
	return members;
}

/* One try. *@ret_settled: what is scanned stayed as it was. */
static int try_cut(struct source *const *group, unsigned int n,
		   const char *cut_id, const struct source_cut_options *how,
		   struct source_cut_report *ret, bool *ret_settled,
		   struct tm_error *err)
{
	struct cut_member *members;
	unsigned int n_members;
	bool same, settled = true;
	int r = 0;

	for (unsigned int i = 0; !r && i < n; i++)
		r = get_ready(tracked_of(group[i]), how, err);
	if (r)
		return r;
	members = members_of(group, n, &n_members);
	if (!members)
		return tracked_no_memory(tracked_of(group[0]), err);
	r = cut_group(members, n_members, cut_id, how, ret, err);
	free(members);
	for (unsigned int i = 0; !r && i < n; i++) {
		r = after_cut(tracked_of(group[i]), &same, err);
		if (!r && !same)
			settled = false;
	}
	*ret_settled = settled;
	return r;
}

int tracked_cut_group(struct source *const *group, unsigned int n,
			  const char *cut_id,
			  const struct source_cut_options *how,
			  struct source_cut_report *ret, struct tm_error *err)
{
	bool settled = false;
	int r = 0;

	for (int i = 0; !r && !settled && i < CUT_TRIES; i++) {
		for (unsigned int j = 0; i && j < n; j++)
			give_up(tracked_of(group[j]), cut_id);
		r = try_cut(group, n, cut_id, how, ret, &settled, err);
	}
	for (unsigned int i = 0; r && i < n; i++)
		give_up(tracked_of(group[i]), cut_id);
	return r;
}
