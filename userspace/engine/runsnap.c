// SPDX-License-Identifier: MIT
/* runsnap.c - the snapshots that a run has taken */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "engine/runsnap.h"
#include "port/bloblist.h"

/* Of a snapshot's metadata. */
static const char field[] = "name";

struct listing {
	struct runsnaps *list;
	const char *run;
};

void runsnaps_done(struct runsnaps *list)
{
	free(list->v);
	*list = (struct runsnaps){ .n = 0 };
}

static int add(void *arg, const struct bloblist_item *item)
{
	const char *name = fields_get(&item->properties.metadata, field);
	struct listing *l = arg;
	struct runsnap *grown;

	if (!item->snapshot || (name && strcmp(name, l->run)) ||
	    strlen(item->name) >= sizeof(grown->name) ||
	    strlen(item->snapshot) >= sizeof(grown->time))
		return 0;
	grown = reallocarray(l->list->v, l->list->n + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	l->list->v = grown;
	grown += l->list->n++;
	strcpy(grown->name, item->name);
	strcpy(grown->time, item->snapshot);
	grown->told = name;
	return 0;
}

int runsnaps_list(struct vault *v, const char *container, const char *prefix,
		  const char *run, struct runsnaps *ret,
		  struct blob_error *reterr)
{
	struct listing l = { .list = ret, .run = run };
	struct retry retry;
	int r;

	*ret = (struct runsnaps){ .n = 0 };
	retry_init(&retry, &v->policy);
	do {
		runsnaps_done(ret);
		r = bloblist(v->service, container, prefix,
			     BLOBLIST_SNAPSHOTS | BLOBLIST_METADATA, add, &l,
			     reterr);
	} while (retry_again(&retry, r, reterr));
	return r;
}

int runsnap_ask(struct vault *v, const char *container,
		const struct runsnap *snap, const struct blob_key *key,
		const char *run, bool *ret, struct blob_error *reterr)
{
	struct blob blob = vault_blob(v, container, snap->name);
	struct blob_properties properties;
	struct retry retry;
	const char *name;
	int r;

	blob.snapshot = snap->time;
	blob.key = key;
	*ret = false;
	retry_init(&retry, &v->policy);
	do {
		r = blob_get_properties(&blob, &properties, reterr);
	} while (retry_again(&retry, r, reterr));
	if (r)
		return r == -ENOENT ? 0 : r;
	name = fields_get(&properties.metadata, field);
	*ret = name && !strcmp(name, run);
	blob_properties_done(&properties);
	return 0;
}
