// SPDX-License-Identifier: MIT
#include "model/diskdoc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/hashtable.h"
#include "model/json.h"

static void parse_tracked(struct tm_json *j, struct tm_disk *d)
{
	const json_t *array = tm_json_array(j, d->rest, "tracked",
					    TM_JSON_OPTIONAL);
	const json_t *obj;
	size_t i;

	json_array_foreach(array, i, obj) {
		struct tm_tracked t = { .meta = "-", .store = "-" };

		tm_json_string(j, obj, "device", TM_JSON_REQUIRED, t.device,
			       sizeof(t.device));
		tm_json_string(j, obj, "origin", TM_JSON_REQUIRED, t.origin,
			       sizeof(t.origin));
		tm_json_string(j, obj, "meta", TM_JSON_OPTIONAL, t.meta,
			       sizeof(t.meta));
		tm_json_string(j, obj, "store", TM_JSON_OPTIONAL, t.store,
			       sizeof(t.store));
		tm_json_id(j, obj, "set", TM_JSON_OPTIONAL, &t.set);
		if (!j->r)
			j->r = tm_disk_add_tracked(d, &t);
		if (j->r)
			return;
	}
}

static void parse_segments(struct tm_json *j, struct tm_disk *d)
{
	const json_t *array = tm_json_array(j, d->rest, "segments",
					    TM_JSON_OPTIONAL);
	const struct tm_segment *last;

	if (!array)
		return;
	j->r = tm_segments_parse(array, j->document, &d->segments, j->err);
	if (j->r || !d->segments.n)
		return;
	last = &d->segments.v[d->segments.n - 1];
	/* The disk's size is not recorded; whether it fits shows when used. */
	if (last->len > UINT64_MAX - last->start ||
	    tm_segments_check(&d->segments, last->start + last->len,
			      j->document, NULL))
		tm_json_bad(j, "segments", "do not make up a disk");
}

int tm_disk_parse(const void *text, size_t len, const char *name,
		  struct tm_disk *ret, struct tm_error *err)
{
	struct tm_json j = { .document = name, .err = err };
	struct tm_disk d = { .chunk_size = TM_CHUNK_SIZE_DEFAULT };
	struct tm_address vault;
	int r;

	r = tm_json_load(text, len, name, &d.rest, err);
	if (r)
		return r;
	tm_json_name(&j, d.rest, "name", TM_JSON_REQUIRED, d.name);
	if (!j.r && strcmp(d.name, name))
		tm_json_bad(&j, "name", "is that of another disk");
	tm_json_string(&j, d.rest, "vault", TM_JSON_REQUIRED, d.vault,
		       sizeof(d.vault));
	if (!j.r && tm_address_parse(d.vault, &vault, NULL))
		tm_json_bad(&j, "vault", "is not the URL of a vault");
	tm_json_id(&j, d.rest, "vault_id", TM_JSON_OPTIONAL, &d.vault_id);
	tm_json_id(&j, d.rest, "item", TM_JSON_REQUIRED, &d.item);
	tm_json_name(&j, d.rest, "item_name", TM_JSON_OPTIONAL, d.item_name);
	tm_json_string(&j, d.rest, "container", TM_JSON_REQUIRED, d.container,
		       sizeof(d.container));
	if (!j.r && !tm_container_name_valid(d.container))
		tm_json_bad(&j, "container", "is not the name of a container");
	tm_json_string(&j, d.rest, "path", TM_JSON_REQUIRED, d.path,
		       sizeof(d.path));
	tm_json_u32(&j, d.rest, "chunk_size", TM_JSON_OPTIONAL,
		    TM_CHUNK_SIZE_MIN, TM_CHUNK_SIZE_MAX, &d.chunk_size);
	if (!j.r && !tm_chunk_size_valid(d.chunk_size))
		tm_json_bad(&j, "chunk_size", "is not a power of two");
	tm_encryption_parse(&j, d.rest, &d.encryption);
	parse_segments(&j, &d);
	parse_tracked(&j, &d);
	if (j.r) {
		tm_disk_done(&d);
		return j.r;
	}
	*ret = d;
	return 0;
}

static json_t *tracked_json(const struct tm_tracked *t)
{
	json_t *obj = json_object();
	int r = obj ? 0 : -ENOMEM;

	tm_json_put_string(&r, obj, "device", t->device);
	tm_json_put_string(&r, obj, "origin", t->origin);
	tm_json_put_string(&r, obj, "meta", t->meta);
	tm_json_put_string(&r, obj, "store", t->store);
	tm_json_put_id(&r, obj, "set", &t->set);
	if (r) {
		json_decref(obj);
		return NULL;
	}
	return obj;
}

int tm_disk_text(const struct tm_disk *d, char **ret)
{
	int r = 0;
	json_t *obj = tm_json_begin(&r, d->rest), *tracked = json_array();
	size_t i;

	tm_json_put_string(&r, obj, "name", d->name);
	tm_json_put_string(&r, obj, "vault", d->vault);
	tm_json_put_id(&r, obj, "vault_id", &d->vault_id);
	tm_json_put_id(&r, obj, "item", &d->item);
	tm_json_put_string(&r, obj, "item_name", d->item_name);
	tm_json_put_string(&r, obj, "container", d->container);
	tm_json_put_string(&r, obj, "path", d->path);
	tm_json_put_u64(&r, obj, "chunk_size", d->chunk_size);
	tm_encryption_put(&r, obj, &d->encryption);
	if (!r)
		tm_json_put(&r, obj, "segments",
			    tm_segments_json(&d->segments));
	for (i = 0; !r && i < d->n_tracked; i++)
		if (json_array_append_new(tracked,
					  tracked_json(&d->tracked[i])))
			r = -ENOMEM;
	tm_json_put(&r, obj, "tracked", tracked);
	if (!r)
		r = tm_json_text(obj, ret);
	json_decref(obj);
	return r;
}

void tm_disk_done(struct tm_disk *d)
{
	tm_segments_done(&d->segments);
	free(d->tracked);
	json_decref(d->rest);
	*d = (struct tm_disk){ .rest = NULL };
}

int tm_disk_add_tracked(struct tm_disk *d, const struct tm_tracked *t)
{
	struct tm_tracked *tracked;

	tracked = reallocarray(d->tracked, d->n_tracked + 1, sizeof(*tracked));
	if (!tracked)
		return -ENOMEM;
	tracked[d->n_tracked] = *t;
	d->tracked = tracked;
	d->n_tracked++;
	return 0;
}

const struct tm_tracked *tm_disk_find_tracked(const struct tm_disk *d,
					      const char *device)
{
	size_t i;

	for (i = 0; i < d->n_tracked; i++)
		if (!strcmp(d->tracked[i].device, device))
			return &d->tracked[i];
	return NULL;
}
