// SPDX-License-Identifier: MIT
/* prune.c - keeps a vault from growing, for a test that would fill it */
#include "prune.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "engine/blame.h"
#include "model/names.h"
#include "port/bloblist.h"

struct old {
	char name[TM_PATH_SIZE];
	char snapshot[BLOB_SNAPSHOT_SIZE];	/* "": the blob itself */
};

struct olds {
	const char *last;
	struct old *v;
	size_t n;
};

/* The run that an item belongs to; NULL: to none. */
static const char *run_of(const struct bloblist_item *item)
{
	static const char *const dirs[] = {
		TM_DIR_POINTS, TM_DIR_RUNS, TM_DIR_JOBS, TM_DIR_CHECKS,
	};
	size_t i;

	if (item->snapshot)
		return fields_get(&item->properties.metadata, "name");
	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		if (!strncmp(item->name, dirs[i], strlen(dirs[i])))
			return item->name + strlen(dirs[i]);
	return NULL;
}

static int note(void *arg, const struct bloblist_item *item)
{
	const char *run = run_of(item);
	struct olds *olds = arg;
	struct old *grown;

	if (!run || strcmp(run, olds->last) > 0)
		return 0;
	grown = realloc(olds->v, (olds->n + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	olds->v = grown;
	grown += olds->n++;
	snprintf(grown->name, sizeof(grown->name), "%s", item->name);
	snprintf(grown->snapshot, sizeof(grown->snapshot), "%s",
		 item->snapshot ? item->snapshot : "");
	return 0;
}

int prune(struct vault *v, const char *container, const char *last,
	  struct tm_error *err)
{
	struct olds olds = { .last = last };
	struct blob_error be = { 0 };
	size_t i;
	int r;

	r = bloblist(v->service, container, NULL,
		     BLOBLIST_SNAPSHOTS | BLOBLIST_METADATA, note, &olds, &be);
	for (i = 0; i < olds.n && !r; i++) {
		struct blob blob = vault_blob(v, container, olds.v[i].name);

		if (*olds.v[i].snapshot)
			blob.snapshot = olds.v[i].snapshot;
		r = blob_delete(&blob, NULL, BLOB_DELETE_ALONE, &be);
	}
	free(olds.v);
	return r ? blame(err, r, &be, "prune", container) : 0;
}
