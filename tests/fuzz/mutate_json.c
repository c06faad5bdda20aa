// SPDX-License-Identifier: MIT
#include "mutate_json.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define STRING_MAX 1100

struct mutation {
	json_t *root;
	uint64_t random;
	size_t (*raw)(uint8_t *data, size_t size, size_t max);
};

/* Where a value stands: in an object under @key, or in an array at @index. */
struct place {
	json_t *in;
	const char *key;
	size_t index;
};

static uint64_t any(struct mutation *m)
{
	/* splitmix64 */
	uint64_t v = m->random += 0x9e3779b97f4a7c15;

	v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9;
	v = (v ^ v >> 27) * 0x94d049bb133111eb;
	return v ^ v >> 31;
}

static unsigned int below(struct mutation *m, size_t n)
{
	return any(m) % n;
}

static json_t *value_at(const struct place *p)
{
	return p->key ? json_object_get(p->in, p->key) :
			json_array_get(p->in, p->index);
}

/* Into the document, at every step with the chance of staying there. */
static struct place find(struct mutation *m)
{
	struct place p = { .in = m->root };

	for (;;) {
		size_t n = json_is_object(p.in) ? json_object_size(p.in) :
						  json_array_size(p.in);
		json_t *inner;
		void *it;

		p.key = NULL;
		p.index = n ? below(m, n) : 0;
		if (json_is_object(p.in)) {
			it = json_object_iter(p.in);
			for (size_t i = 0; it && i < p.index; i++)
				it = json_object_iter_next(p.in, it);
			p.key = it ? json_object_iter_key(it) : "new";
		}
		inner = value_at(&p);
		if ((!json_is_object(inner) && !json_is_array(inner)) ||
		    !below(m, 6))
			return p;
		p.in = inner;
	}
}

static json_t *number(struct mutation *m, json_int_t now)
{
	static const json_int_t edges[] = {
		0,		1,		 -1,	       2,
		511,		512,		 4096,	       65535,
		65536,		1 << 20,	 4 << 20,      1LL << 32,
		(1LL << 32) - 1, 1LL << 43,	 1LL << 62,    INT64_MAX,
		INT64_MAX - 511, INT64_MIN,
	};

	switch (below(m, 5)) {
	case 0:
		return json_integer((json_int_t)((uint64_t)now + 512));
	case 1:
		return json_integer((json_int_t)((uint64_t)now - 1));
	case 2:
		return json_integer((json_int_t)(any(m) >> below(m, 64)));
	default:
		return json_integer(
			edges[below(m, sizeof(edges) / sizeof(*edges))]);
	}
}

static json_t *string(struct mutation *m, const char *now)
{
	static const char *const edges[] = {
		"",
		"-",
		"a",
		"..",
		"1970-01-01T00:00:00Z",
		"1970-01-01T00:00:01Z",
		"9999-12-31T23:59:59Z",
		"00000000000000000000000000000000",
		"00112233445566778899aabbccddeeff",
		"\x1b[2J",
		"\xc3\xa9\xe2\x82\xac",
		"a\nb",
	};
	uint8_t text[STRING_MAX];
	size_t len = strlen(now);

	if (!below(m, 3) || len > STRING_MAX)
		return json_string(
			edges[below(m, sizeof(edges) / sizeof(*edges))]);
	memcpy(text, now, len);
	len = m->raw(text, len, below(m, 8) ? sizeof(text) / 16 + len / 2 :
					      sizeof(text));
	return json_stringn((char *)text, len);
}

static json_t *another(struct mutation *m, json_t *now)
{
	struct place from = find(m);

	switch (below(m, 12)) {
	case 0:
		return json_null();
	case 1:
		return json_boolean(below(m, 2));
	case 2:
		return json_real(1.5);
	case 3:
		return below(m, 2) ? json_array() : json_object();
	case 4:
		return number(m, 0);
	case 5:
	case 6:
		return json_deep_copy(value_at(&from));
	default:
		if (json_is_string(now))
			return string(m, json_string_value(now));
		if (json_is_boolean(now))
			return json_boolean(!json_is_true(now));
		return number(m, json_integer_value(now));
	}
}

static void put(const struct place *p, json_t *value)
{
	if (!value)
		return;
	if (p->key)
		json_object_set_new(p->in, p->key, value);
	else if (p->index < json_array_size(p->in))
		json_array_set_new(p->in, p->index, value);
	else
		json_array_append_new(p->in, value);
}

static void step(struct mutation *m)
{
	struct place p = find(m), from;

	switch (below(m, 8)) {
	case 0: /* gone */
		if (p.key)
			json_object_del(p.in, p.key);
		else
			json_array_remove(p.in, p.index);
		break;
	case 1: /* once more */
		from = find(m);
		if (json_is_array(p.in))
			json_array_insert_new(p.in, p.index,
					      json_deep_copy(value_at(&p)));
		else if (from.key)
			json_object_set_new(p.in, from.key,
					    json_deep_copy(value_at(&from)));
		break;
	default:
		put(&p, another(m, value_at(&p)));
	}
}

/* Most of its fields as they should be: what is wrong, the others do not hide. */
static void heal(struct mutation *m, json_t *whole)
{
	const char *key;
	json_t *v;

	json_object_foreach(whole, key, v)
		if (below(m, 4))
			json_object_set_new(m->root, key, json_deep_copy(v));
}

size_t mutate_json(uint8_t *text, size_t len, size_t max, unsigned int seed,
		   const char *whole_text,
		   size_t (*raw)(uint8_t *data, size_t size, size_t max))
{
	struct mutation m = { .random = seed, .raw = raw };
	json_t *whole = json_loads(whole_text, 0, NULL);
	unsigned int steps;
	size_t n;

	m.root = json_loadb((char *)text, len, JSON_DISABLE_EOF_CHECK, NULL);
	if (!json_is_object(m.root)) {
		json_decref(m.root);
		m.root = json_deep_copy(whole);
	}
	for (steps = 1 + below(&m, 3); steps; steps--)
		step(&m);
	if (below(&m, 4))
		heal(&m, whole);
	json_decref(whole);
	n = json_dumpb(m.root, (char *)text, max, JSON_COMPACT);
	json_decref(m.root);
	return n <= max ? n : 0;
}
