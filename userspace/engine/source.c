// SPDX-License-Identifier: MIT
/* source.c - what every kind of source has in common */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "engine/source.h"
#include "port/crypto.h"

void source_free(struct source *s)
{
	char *name;

	if (!s)
		return;
	name = s->name;
	s->ops->free(s);
	free(name);
}

void source_pending_done(struct source_pending *p)
{
	tm_extents_done(&p->ship);
	tm_extents_done(&p->scanned);
	tm_extents_done(&p->whole);
}

int source_cut_id_new(char ret[SOURCE_CUT_ID_SIZE], struct tm_error *err)
{
	unsigned char id[16];
	int r = crypto_random(id, sizeof(id));

	if (r)
		return tm_error_set(err, r, TM_EXIT_FAILED, NULL,
				    "cannot name a cut: no random numbers");
	crypto_hex(id, sizeof(id), ret);
	return 0;
}

/* All of @src that are of @ops' kind, in their order. */
static unsigned int same_kind(struct source *const *src, unsigned int n,
			      const struct source_ops *ops,
			      struct source **ret)
{
	unsigned int i, found = 0;

	for (i = 0; i < n; i++) {
		if (src[i]->ops == ops)
			ret[found++] = src[i];
	}
	return found;
}

static void abort_cut(struct source *const *src, unsigned int n,
		      const char *cut_id)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (!*src[i]->cut_id)
			continue;
		src[i]->ops->abort(src[i], cut_id, NULL);
		*src[i]->cut_id = '\0';
	}
}

/*
 * Tracked disks come first and stand at one instant. What is scanned is not
 * under the cut; its cut() only notes the time.
 */
int source_cut(struct source *const *src, unsigned int n, const char *cut_id,
	       const struct source_cut_options *how,
	       struct source_cut_report *ret, struct tm_error *err)
{
	static const struct source_cut_options defaults;
	struct source_cut_report report = { 0 };
	struct source **group;
	unsigned int i, j, found;
	int r = 0;

	group = calloc(n, sizeof(*group));
	if (!group)
		return tm_error_set(err, -ENOMEM, TM_EXIT_FAILED, NULL,
				    "cannot cut: out of memory");
	for (i = 0; i < n && !r; i++) {
		if (*src[i]->cut_id)	/* cut with an earlier one of its kind */
			continue;
		found = same_kind(src, n, src[i]->ops, group);
		r = src[i]->ops->cut(group, found, cut_id,
				     how ? how : &defaults, &report, err);
		for (j = 0; j < found && !r; j++)
			memcpy(group[j]->cut_id, cut_id, SOURCE_CUT_ID_SIZE);
	}
	free(group);
	if (r)
		abort_cut(src, n, cut_id);
	else
		*ret = report;
	return r;
}
