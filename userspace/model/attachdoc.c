// SPDX-License-Identifier: MIT
#include "model/attachdoc.h"

#include <string.h>

#include "format.h"
#include "model/hashtable.h"
#include "model/json.h"

static const char *const on_lost_word[] = {
	[TM_ON_LOST_AS_CONFIGURED] = "",
	[TM_ON_LOST_IS_FAIL] = "fail",
	[TM_ON_LOST_IS_PASS] = "pass",
};

static void parse_how(struct tm_json *j, const json_t *obj,
		      struct tm_tracking *how)
{
	int on_lost = TM_ON_LOST_AS_CONFIGURED;

	tm_json_u64(j, obj, "region_size", TM_JSON_OPTIONAL, &how->region_size);
	tm_json_u32(j, obj, "close_after", TM_JSON_OPTIONAL, 1,
		    TM_CLOSE_AFTER_MAX, &how->close_after);
	tm_json_u32(j, obj, "meta_timeout", TM_JSON_OPTIONAL, 1,
		    TM_META_TIMEOUT_MAX, &how->meta_timeout);
	tm_json_word(j, obj, "on_lost", TM_JSON_OPTIONAL, on_lost_word, 3,
		     &on_lost);
	how->on_lost = on_lost;
}

static void put_number(int *r, json_t *obj, const char *key, uint64_t n)
{
	if (n)
		tm_json_put_u64(r, obj, key, n);
}

static void put_how(int *r, json_t *obj, const struct tm_tracking *how)
{
	put_number(r, obj, "region_size", how->region_size);
	put_number(r, obj, "close_after", how->close_after);
	put_number(r, obj, "meta_timeout", how->meta_timeout);
	tm_json_put_string(r, obj, "on_lost", on_lost_word[how->on_lost]);
}

int tm_attached_parse(const void *text, size_t len, const char *device,
		      struct tm_attached *ret, struct tm_error *err)
{
	struct tm_json j = { .document = device, .err = err };
	struct tm_attached a = { .t = { .meta = "-", .store = "-" } };
	const json_t *seal;
	int r;

	r = tm_json_load(text, len, device, &a.rest, err);
	if (r)
		return r;
	tm_json_name(&j, a.rest, "device", TM_JSON_REQUIRED, a.t.device);
	if (!j.r && strcmp(a.t.device, device))
		tm_json_bad(&j, "device", "is that of another record");
	tm_json_string(&j, a.rest, "origin", TM_JSON_REQUIRED, a.t.origin,
		       sizeof(a.t.origin));
	tm_json_string(&j, a.rest, "meta", TM_JSON_OPTIONAL, a.t.meta,
		       sizeof(a.t.meta));
	tm_json_string(&j, a.rest, "store", TM_JSON_OPTIONAL, a.t.store,
		       sizeof(a.t.store));
	tm_json_id(&j, a.rest, "set", TM_JSON_OPTIONAL, &a.t.set);
	tm_json_u64(&j, a.rest, "sectors", TM_JSON_REQUIRED, &a.sectors);
	tm_json_u32(&j, a.rest, "chunk_size", TM_JSON_REQUIRED,
		    TM_CHUNK_SIZE_MIN, TM_CHUNK_SIZE_MAX, &a.chunk_size);
	if (!j.r && !tm_chunk_size_valid(a.chunk_size))
		tm_json_bad(&j, "chunk_size", "is not a power of two");
	parse_how(&j, a.rest, &a.how);
	tm_json_bool(&j, a.rest, "detached", TM_JSON_OPTIONAL, &a.detached);
	seal = tm_json_object(&j, a.rest, "seal", TM_JSON_OPTIONAL);
	if (seal)
		tm_seal_parse(&j, seal, &a.seal);
	if (j.r) {
		tm_attached_done(&a);
		return j.r;
	}
	*ret = a;
	return 0;
}

int tm_attached_text(const struct tm_attached *a, char **ret)
{
	int r = 0;
	json_t *obj = tm_json_begin(&r, a->rest);

	tm_json_put_string(&r, obj, "device", a->t.device);
	tm_json_put_string(&r, obj, "origin", a->t.origin);
	tm_json_put_string(&r, obj, "meta", a->t.meta);
	tm_json_put_string(&r, obj, "store", a->t.store);
	tm_json_put_id(&r, obj, "set", &a->t.set);
	tm_json_put_u64(&r, obj, "sectors", a->sectors);
	tm_json_put_u64(&r, obj, "chunk_size", a->chunk_size);
	put_how(&r, obj, &a->how);
	tm_json_put_bool(&r, obj, "detached", a->detached);
	if (a->seal.n)
		tm_json_put(&r, obj, "seal", tm_seal_json(&a->seal));
	else if (!r)
		json_object_del(obj, "seal");
	if (!r)
		r = tm_json_text(obj, ret);
	json_decref(obj);
	return r;
}

void tm_attached_done(struct tm_attached *a)
{
	tm_seal_done(&a->seal);
	json_decref(a->rest);
	*a = (struct tm_attached){ .rest = NULL };
}

int tm_attached_meta_bytes(uint64_t sectors, uint32_t chunk_size,
			   uint64_t region_size, uint64_t *ret)
{
	struct tm_geometry geo;

	if (region_size % 512 || tm_geometry_init(&geo, sectors,
						  chunk_size / 512,
						  region_size / 512))
		return -EINVAL;
	*ret = geo.meta_sectors * TM_SECTOR_BYTES;
	return 0;
}
