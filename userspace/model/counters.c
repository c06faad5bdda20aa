// SPDX-License-Identifier: MIT
#include "model/counters.h"

#include <errno.h>
#include <stddef.h>

#include "model/json.h"

static const struct {
	const char *name;
	size_t at;
} counters[] = {
	{ "chunks_changed", offsetof(struct tm_counters, chunks_changed) },
	{ "chunks_read", offsetof(struct tm_counters, chunks_read) },
	{ "chunks_same", offsetof(struct tm_counters, chunks_same) },
	{ "chunks_cleared", offsetof(struct tm_counters, chunks_cleared) },
	{ "chunks_uploaded", offsetof(struct tm_counters, chunks_uploaded) },
	{ "bytes_read", offsetof(struct tm_counters, bytes_read) },
	{ "bytes_uploaded", offsetof(struct tm_counters, bytes_uploaded) },
	{ "requests", offsetof(struct tm_counters, requests) },
	{ "retries", offsetof(struct tm_counters, retries) },
};

#define N_COUNTERS (sizeof(counters) / sizeof(counters[0]))

static uint64_t *counter(struct tm_counters *c, size_t i)
{
	return (uint64_t *)((char *)c + counters[i].at);
}

static uint64_t value(const struct tm_counters *c, size_t i)
{
	return *(const uint64_t *)((const char *)c + counters[i].at);
}

void tm_counters_add(struct tm_counters *to, const struct tm_counters *from)
{
	size_t i;

	for (i = 0; i < N_COUNTERS; i++)
		*counter(to, i) += value(from, i);
}

void tm_tally_add(struct tm_tally *to, const struct tm_tally *from)
{
	tm_counters_add(&to->tracked, &from->tracked);
	tm_counters_add(&to->scanned, &from->scanned);
	tm_counters_add(&to->other, &from->other);
	to->chunks_sampled += from->chunks_sampled;
}

struct tm_counters tm_tally_sum(const struct tm_tally *t)
{
	struct tm_counters sum = t->tracked;

	tm_counters_add(&sum, &t->scanned);
	tm_counters_add(&sum, &t->other);
	return sum;
}

json_t *tm_counters_json(const struct tm_counters *c)
{
	json_t *obj = json_object();
	int r = obj ? 0 : -ENOMEM;
	size_t i;

	for (i = 0; i < N_COUNTERS; i++)
		tm_json_put_u64(&r, obj, counters[i].name, value(c, i));
	if (r) {
		json_decref(obj);
		return NULL;
	}
	return obj;
}

json_t *tm_tally_json(const struct tm_tally *t)
{
	struct tm_counters total = tm_tally_sum(t);
	json_t *obj = json_object();
	int r = obj ? 0 : -ENOMEM;

	if (!r)
		tm_json_put(&r, obj, "tracked", tm_counters_json(&t->tracked));
	if (!r)
		tm_json_put(&r, obj, "scanned", tm_counters_json(&t->scanned));
	if (!r)
		tm_json_put(&r, obj, "total", tm_counters_json(&total));
	tm_json_put_u64(&r, obj, "chunks_sampled", t->chunks_sampled);
	if (r) {
		json_decref(obj);
		return NULL;
	}
	return obj;
}

static void counters_parse(struct tm_json *j, const json_t *tally,
			   const char *key, struct tm_counters *ret)
{
	const json_t *obj = tm_json_object(j, tally, key, TM_JSON_OPTIONAL);
	size_t i;

	for (i = 0; obj && i < N_COUNTERS; i++)
		tm_json_u64(j, obj, counters[i].name, TM_JSON_OPTIONAL,
			    counter(ret, i));
}

int tm_tally_parse(const json_t *json, const char *document,
		   struct tm_tally *ret, struct tm_error *err)
{
	struct tm_json j = { .document = document, .err = err };
	struct tm_tally t = { .chunks_sampled = 0 };
	size_t i;

	counters_parse(&j, json, "tracked", &t.tracked);
	counters_parse(&j, json, "scanned", &t.scanned);
	counters_parse(&j, json, "total", &t.other);
	tm_json_u64(&j, json, "chunks_sampled", TM_JSON_OPTIONAL,
		    &t.chunks_sampled);
	if (j.r)
		return j.r;
	/* What is written is the total; what is neither's is the remainder. */
	for (i = 0; i < N_COUNTERS; i++) {
		uint64_t parts;

		if (__builtin_add_overflow(value(&t.tracked, i),
					   value(&t.scanned, i), &parts) ||
		    parts > value(&t.other, i))
			return tm_json_bad(&j, "total",
					   "is less than its parts");
		*counter(&t.other, i) -= parts;
	}
	*ret = t;
	return 0;
}
