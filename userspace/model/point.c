// SPDX-License-Identifier: MIT
#include "model/point.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/encryption.h"
#include "model/hashtable.h"
#include "model/json.h"
#include "model/vhd.h"

static const char *const consistencies[] = {
	[TM_CONSISTENCY_CRASH] = "crash-consistent",
	[TM_CONSISTENCY_FILESYSTEM] = "filesystem-consistent",
	[TM_CONSISTENCY_APPLICATION] = "application-consistent",
	[TM_CONSISTENCY_NONE] = "none",
};

static const char *const modes[] = {
	[TM_SHIP_FULL] = "full",
	[TM_SHIP_COMPARE] = "compare",
	[TM_SHIP_INCREMENTAL] = "incremental",
};

/* AES-256-XTS, sectors of 512 bytes, from 16 MiB on: see port/luks.h. */
static const char *const forms[] = { "luks2" };

const char *tm_consistency_name(enum tm_consistency c)
{
	return consistencies[c];
}

const char *tm_ship_mode_name(enum tm_ship_mode m)
{
	return modes[m];
}

/* A snapshot's time goes into a URL's query, so it is held to its alphabet. */
static void parse_snapshot(struct tm_json *j, const json_t *obj,
			   const char *key, char s[TM_SNAPSHOT_SIZE])
{
	tm_json_string(j, obj, key, TM_JSON_REQUIRED, s, TM_SNAPSHOT_SIZE);
	if (!j->r && (!*s || s[strspn(s, "0123456789-:.TZ")]))
		tm_json_bad(j, key, "is not the time of a snapshot");
}

static void parse_cipher(struct tm_json *j, const json_t *obj,
			 struct tm_cipher *c)
{
	const json_t *how = tm_json_object(j, obj, "encryption",
					   TM_JSON_OPTIONAL);
	int form, which = 0;

	if (!how)
		return;
	tm_json_word(j, how, "form", TM_JSON_REQUIRED, forms, 1, &form);
	tm_json_id(j, how, "key", TM_JSON_REQUIRED, &c->key);
	tm_json_word(j, how, "zeroes", TM_JSON_REQUIRED, tm_zeroes, 2, &which);
	c->sparse = which;
	tm_digest_parse(j, how, "header_sha256", TM_JSON_REQUIRED, c->header);
}

static void parse_disk(struct tm_json *j, const json_t *obj,
		       struct tm_point *p)
{
	char name[TM_NAME_SIZE] = "";
	struct tm_id uuid = { .b = { 0 } };
	struct tm_point_disk *d;
	const json_t *segments;
	int mode = TM_SHIP_FULL;

	tm_json_name(j, obj, "name", TM_JSON_REQUIRED, name);
	if (j->r)
		return;
	if (tm_point_find_disk(p, name)) {
		tm_json_bad(j, "disks", "names a disk twice");
		return;
	}
	d = tm_point_add_disk(p, name);
	if (!d) {
		j->r = -ENOMEM;
		return;
	}
	tm_json_u64(j, obj, "size", TM_JSON_REQUIRED, &d->size);
	if (!j->r && tm_vhd_check_disk(d->size, name, NULL))
		tm_json_bad(j, "size", "is not that of a disk");
	tm_json_u32(j, obj, "chunk_size", TM_JSON_REQUIRED, TM_CHUNK_SIZE_MIN,
		    TM_CHUNK_SIZE_MAX, &d->chunk_size);
	if (!j->r && !tm_chunk_size_valid(d->chunk_size))
		tm_json_bad(j, "chunk_size", "is not a power of two");
	tm_json_id(j, obj, "vhd_uuid", TM_JSON_REQUIRED, &uuid);
	memcpy(d->vhd_uuid, uuid.b, sizeof(d->vhd_uuid));
	tm_json_id(j, obj, "cut", TM_JSON_OPTIONAL, &d->cut);
	tm_json_word(j, obj, "mode", TM_JSON_REQUIRED, modes, 3, &mode);
	d->mode = (enum tm_ship_mode)mode;
	parse_snapshot(j, obj, "vhd_snapshot", d->vhd_snapshot);
	parse_snapshot(j, obj, "hash_snapshot", d->hash_snapshot);
	tm_json_u64(j, obj, "sequence", TM_JSON_REQUIRED, &d->sequence);
	parse_cipher(j, obj, &d->cipher);
	tm_root_parse(j, obj, &d->root);
	segments = tm_json_array(j, obj, "segments", TM_JSON_REQUIRED);
	if (!j->r)
		j->r = tm_segments_parse(segments, j->document, &d->segments,
					 j->err);
	if (!j->r &&
	    tm_segments_check(&d->segments, d->size, j->document, NULL))
		tm_json_bad(j, "segments", "do not make up the disk");
}

static void parse_body(struct tm_json *j, struct tm_point *p)
{
	const json_t *disks, *one, *tally;
	int consistency = TM_CONSISTENCY_NONE;
	size_t i;

	tm_json_id(j, p->rest, "item", TM_JSON_REQUIRED, &p->item);
	tm_json_name(j, p->rest, "item_name", TM_JSON_OPTIONAL, p->item_name);
	tm_json_run_name(j, p->rest, "previous", TM_JSON_OPTIONAL,
			 p->previous);
	tm_json_word(j, p->rest, "consistency", TM_JSON_REQUIRED,
		     consistencies, 4, &consistency);
	p->consistency = (enum tm_consistency)consistency;
	tm_json_id(j, p->rest, "cut", TM_JSON_OPTIONAL, &p->cut);
	tm_json_string(j, p->rest, "program", TM_JSON_OPTIONAL, p->program,
		       sizeof(p->program));
	disks = tm_json_array(j, p->rest, "disks", TM_JSON_REQUIRED);
	if (disks && !json_array_size(disks))
		tm_json_bad(j, "disks", "is empty");
	json_array_foreach(disks, i, one) {
		parse_disk(j, one, p);
		if (j->r)
			return;
	}
	tm_machine_parse(j, tm_json_object(j, p->rest, "machine",
					   TM_JSON_OPTIONAL), &p->machine);
	tally = tm_json_object(j, p->rest, "counters", TM_JSON_OPTIONAL);
	if (tally)
		j->r = tm_tally_parse(tally, j->document, &p->tally, j->err);
}

/* Of a point that has ended: what is to go, and takes no key to delete. */
static void parse_remains(struct tm_json *j, struct tm_point *p)
{
	const json_t *disks = tm_json_array(j, p->rest, "snapshots",
					    TM_JSON_OPTIONAL), *one;
	char name[TM_NAME_SIZE] = "";
	struct tm_point_disk *d;
	size_t i;

	json_array_foreach(disks, i, one) {
		tm_json_name(j, one, "name", TM_JSON_REQUIRED, name);
		if (j->r)
			return;
		d = tm_point_add_disk(p, name);
		if (!d) {
			j->r = -ENOMEM;
			return;
		}
		parse_snapshot(j, one, "vhd_snapshot", d->vhd_snapshot);
		parse_snapshot(j, one, "hash_snapshot", d->hash_snapshot);
	}
}

int tm_point_parse(const void *text, size_t len, const char *name,
		   struct tm_point *ret, struct tm_error *err)
{
	struct tm_json j = { .document = name, .err = err };
	struct tm_point p = { .tombstone = false };
	int r;

	r = tm_json_load(text, len, name, &p.rest, err);
	if (r)
		return r;
	tm_json_run_name(&j, p.rest, "name", TM_JSON_REQUIRED, p.name);
	if (!j.r && strcmp(p.name, name))
		tm_json_bad(&j, "name", "is that of another point");
	tm_json_time(&j, p.rest, "time", TM_JSON_REQUIRED, &p.time);
	tm_json_bool(&j, p.rest, "tombstone", TM_JSON_OPTIONAL, &p.tombstone);
	if (p.tombstone)
		tm_json_bool(&j, p.rest, "deleted", TM_JSON_OPTIONAL,
			     &p.deleted);
	if (!j.r && !p.tombstone)
		parse_body(&j, &p);
	if (!j.r && p.deleted)
		parse_remains(&j, &p);
	if (j.r) {
		tm_point_done(&p);
		return j.r;
	}
	*ret = p;
	return 0;
}

static json_t *cipher_json(const struct tm_cipher *c)
{
	json_t *obj = json_object();
	int r = obj ? 0 : -ENOMEM;

	tm_json_put_string(&r, obj, "form", forms[0]);
	tm_json_put_id(&r, obj, "key", &c->key);
	tm_json_put_string(&r, obj, "zeroes", tm_zeroes[c->sparse]);
	tm_json_put_string(&r, obj, "header_sha256", c->header);
	if (r) {
		json_decref(obj);
		return NULL;
	}
	return obj;
}

static json_t *disk_json(const struct tm_point_disk *d)
{
	json_t *obj = json_object();
	struct tm_id uuid;
	int r = obj ? 0 : -ENOMEM;

	memcpy(uuid.b, d->vhd_uuid, sizeof(uuid.b));
	tm_json_put_string(&r, obj, "name", d->name);
	tm_json_put_u64(&r, obj, "size", d->size);
	tm_json_put_u64(&r, obj, "vhd_size", tm_vhd_size(d->size));
	tm_json_put_u64(&r, obj, "chunk_size", d->chunk_size);
	tm_json_put_id(&r, obj, "vhd_uuid", &uuid);
	tm_json_put_id(&r, obj, "cut", &d->cut);
	tm_json_put_string(&r, obj, "mode", modes[d->mode]);
	tm_json_put_string(&r, obj, "vhd_snapshot", d->vhd_snapshot);
	tm_json_put_string(&r, obj, "hash_snapshot", d->hash_snapshot);
	tm_json_put_u64(&r, obj, "sequence", d->sequence);
	if (!r && !tm_id_is_none(&d->cipher.key))
		tm_json_put(&r, obj, "encryption", cipher_json(&d->cipher));
	tm_root_put(&r, obj, &d->root);
	if (!r)
		tm_json_put(&r, obj, "segments",
			    tm_segments_json(&d->segments));
	if (r) {
		json_decref(obj);
		return NULL;
	}
	return obj;
}

static void put_body(int *r, json_t *obj, const struct tm_point *p)
{
	json_t *disks = json_array();
	size_t i;

	tm_json_put_id(r, obj, "item", &p->item);
	tm_json_put_string(r, obj, "item_name", p->item_name);
	tm_json_put_string(r, obj, "previous", p->previous);
	tm_json_put_string(r, obj, "consistency",
			   consistencies[p->consistency]);
	tm_json_put_id(r, obj, "cut", &p->cut);
	tm_json_put_string(r, obj, "program", p->program);
	for (i = 0; !*r && i < p->n_disks; i++)
		if (json_array_append_new(disks, disk_json(&p->disks[i])))
			*r = -ENOMEM;
	tm_json_put(r, obj, "disks", disks);
	if (!*r && p->machine.known)
		tm_json_put(r, obj, "machine", tm_machine_json(&p->machine));
	if (!*r)
		tm_json_put(r, obj, "counters", tm_tally_json(&p->tally));
}

static void put_remains(int *r, json_t *obj, const struct tm_point *p)
{
	json_t *disks = json_array();
	size_t i;

	for (i = 0; !*r && i < p->n_disks; i++) {
		const struct tm_point_disk *d = &p->disks[i];

		if (json_array_append_new(disks, json_pack("{s:s, s:s, s:s}",
				"name", d->name,
				"vhd_snapshot", d->vhd_snapshot,
				"hash_snapshot", d->hash_snapshot)))
			*r = -ENOMEM;
	}
	tm_json_put(r, obj, "snapshots", disks);
}

static json_t *build(const struct tm_point *p, int *r)
{
	json_t *obj = tm_json_begin(r, p->rest);

	tm_json_put_string(r, obj, "name", p->name);
	tm_json_put_time(r, obj, "time", p->time);
	if (p->tombstone)
		tm_json_put_bool(r, obj, "tombstone", true);
	if (p->deleted)
		tm_json_put_bool(r, obj, "deleted", true);
	if (!p->tombstone && !*r)
		put_body(r, obj, p);
	if (p->deleted && p->n_disks)
		put_remains(r, obj, p);
	if (*r) {
		json_decref(obj);
		return NULL;
	}
	return obj;
}

json_t *tm_point_json(const struct tm_point *p)
{
	int r = 0;

	return build(p, &r);
}

int tm_point_text(const struct tm_point *p, char **ret)
{
	int r = 0;
	json_t *obj = build(p, &r);

	if (!r)
		r = tm_json_text(obj, ret);
	json_decref(obj);
	return r;
}

void tm_point_done(struct tm_point *p)
{
	size_t i;

	if (!p)
		return;
	for (i = 0; i < p->n_disks; i++)
		tm_segments_done(&p->disks[i].segments);
	free(p->disks);
	tm_machine_done(&p->machine);
	json_decref(p->rest);
	*p = (struct tm_point){ .rest = NULL };
}

void tm_point_tombstone(struct tm_point *ret, const char *name, int64_t time)
{
	struct tm_point p = { .tombstone = true, .time = time };

	snprintf(p.name, sizeof(p.name), "%s", name);
	*ret = p;
}

int tm_point_end(struct tm_point *ret, const struct tm_point *p, int64_t time)
{
	struct tm_point stone;
	size_t i;

	tm_point_tombstone(&stone, p->name, time);
	stone.deleted = true;
	for (i = 0; i < p->n_disks; i++) {
		const struct tm_point_disk *d = &p->disks[i];
		struct tm_point_disk *left = tm_point_add_disk(&stone, d->name);

		if (!left) {
			tm_point_done(&stone);
			return -ENOMEM;
		}
		strcpy(left->vhd_snapshot, d->vhd_snapshot);
		strcpy(left->hash_snapshot, d->hash_snapshot);
	}
	*ret = stone;
	return 0;
}

struct tm_point_disk *tm_point_add_disk(struct tm_point *p, const char *name)
{
	struct tm_point_disk *disks;

	disks = reallocarray(p->disks, p->n_disks + 1, sizeof(*disks));
	if (!disks)
		return NULL;
	p->disks = disks;
	disks += p->n_disks++;
	*disks = (struct tm_point_disk){
		.mode = TM_SHIP_FULL, .item = p->item,
	};
	memcpy(disks->point, p->name, sizeof(disks->point));
	strncpy(disks->name, name, sizeof(disks->name) - 1);
	return disks;
}

const struct tm_point_disk *tm_point_find_disk(const struct tm_point *p,
					       const char *name)
{
	size_t i;

	for (i = 0; i < p->n_disks; i++)
		if (!strcmp(p->disks[i].name, name))
			return &p->disks[i];
	return NULL;
}

bool tm_point_any_torn(const struct tm_point *p)
{
	size_t i, s;

	for (i = 0; i < p->n_disks; i++)
		for (s = 0; s < p->disks[i].segments.n; s++)
			if (p->disks[i].segments.v[s].torn)
				return true;
	return false;
}
