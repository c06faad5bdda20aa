// SPDX-License-Identifier: MIT
/* lru.c - a bounded number of things of one size, the least recent one leaves */

#include <errno.h>
#include <stdlib.h>
#include "model/lru.h"

struct slot {
	uint64_t key;
	void *data;
	struct slot *newer, *older;
	struct slot *chain;		/* of its bucket */
};

struct tm_lru {
	size_t slots, size, used;
	struct slot *newest, *oldest;
	struct slot **buckets;		/* as many as slots */
	struct slot v[];
};

int tm_lru_new(size_t slots, size_t size, struct tm_lru **ret)
{
	struct tm_lru *l = calloc(1, sizeof(*l) + slots * sizeof(l->v[0]));

	if (!l)
		return -ENOMEM;
	l->buckets = calloc(slots, sizeof(struct slot *));
	if (!l->buckets) {
		free(l);
		return -ENOMEM;
	}
	l->slots = slots;
	l->size = size;
	*ret = l;
	return 0;
}

void tm_lru_free(struct tm_lru *l)
{
	size_t i;

	if (!l)
		return;
	for (i = 0; i < l->used; i++)
		free(l->v[i].data);
	free(l->buckets);
	free(l);
}

static struct slot **bucket_of(struct tm_lru *l, uint64_t key)
{
	return &l->buckets[key % l->slots];
}

static void take_out(struct tm_lru *l, struct slot *s)
{
	if (s->newer)
		s->newer->older = s->older;
	else
		l->newest = s->older;
	if (s->older)
		s->older->newer = s->newer;
	else
		l->oldest = s->newer;
}

static void put_first(struct tm_lru *l, struct slot *s)
{
	s->newer = NULL;
	s->older = l->newest;
	if (l->newest)
		l->newest->newer = s;
	else
		l->oldest = s;
	l->newest = s;
}

static struct slot *find(struct tm_lru *l, uint64_t key)
{
	struct slot *s = *bucket_of(l, key);

	while (s && s->key != key)
		s = s->chain;
	if (s) {
		take_out(l, s);
		put_first(l, s);
	}
	return s;
}

void *tm_lru_find(struct tm_lru *l, uint64_t key)
{
	struct slot *s = find(l, key);

	return s ? s->data : NULL;
}

static struct slot *unused(struct tm_lru *l)
{
	struct slot *s = &l->v[l->used];

	s->data = malloc(l->size);
	if (!s->data)
		return NULL;
	l->used++;
	return s;
}

static struct slot *oldest(struct tm_lru *l)
{
	struct slot *s = l->oldest;
	struct slot **at = bucket_of(l, s->key);

	while (*at != s)
		at = &(*at)->chain;
	*at = s->chain;
	take_out(l, s);
	return s;
}

void *tm_lru_insert(struct tm_lru *l, uint64_t key)
{
	struct slot *s = find(l, key), **bucket;

	if (s)
		return s->data;
	s = l->used < l->slots ? unused(l) : oldest(l);
	if (!s)
		return NULL;
	bucket = bucket_of(l, key);
	s->key = key;
	s->chain = *bucket;
	*bucket = s;
	put_first(l, s);
	return s->data;
}
