// SPDX-License-Identifier: MIT
#include "model/segment.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "model/json.h"

static const char *const kinds[] = {
	[TM_SEGMENT_SCAN] = "scan",
	[TM_SEGMENT_TRACKED] = "tracked",
};

void tm_segments_done(struct tm_segments *s)
{
	free(s->v);
	*s = (struct tm_segments)TM_SEGMENTS_INIT;
}

int tm_segments_append(struct tm_segments *s, const struct tm_segment *one)
{
	struct tm_segment *v;

	v = reallocarray(s->v, s->n + 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	v[s->n] = *one;
	s->v = v;
	s->n++;
	return 0;
}

int tm_segments_copy(struct tm_segments *ret, const struct tm_segments *s)
{
	struct tm_segments out = TM_SEGMENTS_INIT;
	size_t i;
	int r;

	for (i = 0; i < s->n; i++) {
		r = tm_segments_append(&out, &s->v[i]);
		if (r) {
			tm_segments_done(&out);
			return r;
		}
	}
	tm_segments_done(ret);
	*ret = out;
	return 0;
}

int tm_segments_check(const struct tm_segments *s, uint64_t disk_size,
		      const char *object, struct tm_error *err)
{
	const char *why = NULL;
	uint64_t at = 0;
	size_t i;

	for (i = 0; i < s->n && !why; i++) {
		const struct tm_segment *one = &s->v[i];

		if (one->start > at)
			why = "leaves a gap before it";
		else if (one->start < at)
			why = "overlaps the one before it";
		else if (!one->len || one->len % 512 || one->offset % 512)
			why = "is not made of whole sectors";
		else if (one->len > disk_size - at)
			why = "reaches past the end of the disk";
		else if (!one->device[0])
			why = "names no device";
		else
			at += one->len;
	}
	if (why)
		return tm_error_set(err, -EINVAL, TM_EXIT_INTEGRITY, object,
				    "cannot use the segments of '%s': number "
				    "%zu %s", object, i, why);
	if (at != disk_size)
		return tm_error_set(err, -EINVAL, TM_EXIT_INTEGRITY, object,
				    "cannot use the segments of '%s': they "
				    "cover %" PRIu64 " of %" PRIu64 " bytes",
				    object, at, disk_size);
	return 0;
}

const struct tm_segment *tm_segments_find(const struct tm_segments *s,
					  uint64_t off)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (off >= s->v[i].start && off - s->v[i].start < s->v[i].len)
			return &s->v[i];
	return NULL;
}

bool tm_segments_same(const struct tm_segments *a, const struct tm_segments *b)
{
	bool same = a->n == b->n;
	size_t i;

	for (i = 0; same && i < a->n; i++)
		same = a->v[i].start == b->v[i].start &&
			a->v[i].kind == b->v[i].kind &&
			(a->v[i].kind == TM_SEGMENT_SCAN ||
			 !strcmp(a->v[i].device, b->v[i].device));
	return same;
}

bool tm_segments_any(const struct tm_segments *s, enum tm_segment_kind kind)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (s->v[i].kind == kind)
			return true;
	return false;
}

const char *tm_segment_kind_name(enum tm_segment_kind kind)
{
	return kinds[kind];
}

static json_t *segment_json(const struct tm_segment *one)
{
	json_t *obj = json_object();
	int r = obj ? 0 : -ENOMEM;

	tm_json_put_u64(&r, obj, "start", one->start);
	tm_json_put_u64(&r, obj, "len", one->len);
	tm_json_put_string(&r, obj, "kind", kinds[one->kind]);
	tm_json_put_string(&r, obj, "device", one->device);
	tm_json_put_u64(&r, obj, "offset", one->offset);
	if (one->torn)
		tm_json_put_bool(&r, obj, "torn", true);
	if (r) {
		json_decref(obj);
		return NULL;
	}
	return obj;
}

json_t *tm_segments_json(const struct tm_segments *s)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; array && i < s->n; i++)
		if (json_array_append_new(array, segment_json(&s->v[i]))) {
			json_decref(array);
			return NULL;
		}
	return array;
}

int tm_segments_parse(const json_t *array, const char *document,
		      struct tm_segments *ret, struct tm_error *err)
{
	struct tm_json j = { .document = document, .err = err };
	struct tm_segments out = TM_SEGMENTS_INIT;
	const json_t *obj;
	size_t i;

	json_array_foreach(array, i, obj) {
		struct tm_segment one = { .kind = TM_SEGMENT_SCAN };
		int kind = TM_SEGMENT_SCAN;

		tm_json_u64(&j, obj, "start", TM_JSON_REQUIRED, &one.start);
		tm_json_u64(&j, obj, "len", TM_JSON_REQUIRED, &one.len);
		tm_json_word(&j, obj, "kind", TM_JSON_REQUIRED, kinds, 2,
			     &kind);
		tm_json_string(&j, obj, "device", TM_JSON_OPTIONAL, one.device,
			       sizeof(one.device));
		tm_json_u64(&j, obj, "offset", TM_JSON_OPTIONAL, &one.offset);
		tm_json_bool(&j, obj, "torn", TM_JSON_OPTIONAL, &one.torn);
		one.kind = (enum tm_segment_kind)kind;
		if (!j.r)
			j.r = tm_segments_append(&out, &one);
		if (j.r) {
			tm_segments_done(&out);
			return j.r;
		}
	}
	*ret = out;
	return 0;
}
