// SPDX-License-Identifier: MIT
/*
 * access.c - any part of a disk of a recovery point, every chunk proved
 *
 * A read is cut into batches that are within one part and one request. A batch
 * takes a lane, of which there are as many as connections are allowed.
 *
 * What is being asked for is on a list, so that no two threads ask for the same
 * at the same time: who comes second waits, then looks again. Whoever is on
 * that list holds a lane already and waits for nobody, so all get on.
 *
 * The mutex guards all of struct access that changes. It is not held during
 * requests, nor while something is proved or read from the directory.
 */

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "engine/access.h"
#include "engine/lane.h"
#include "model/lru.h"
#include "port/cachedir.h"

#define PARTS 128u
#define MEMORY_BYTES (16u << 20)

/* Chunks that a thread is asking for; lives on its stack. */
struct busy {
	uint64_t first, n;
	struct busy *next;
};

struct access {
	struct reader reader;
	uint32_t chunk;			/* bytes */
	pthread_mutex_t lock;
	pthread_cond_t moved;		/* a lane is idle, a busy one is done */
	struct tm_lru *parts;		/* struct lane_part, by its number */
	struct tm_lru *proved;		/* chunks, by theirs */
	struct cachedir *cache;		/* NULL: none */
	struct lane *idle;
	unsigned int lanes, most_lanes;
	struct busy *parts_busy, *chunks_busy;
	struct access_counters counters;
};

static int lane_take(struct access *a, struct lane **ret, struct tm_error *err)
{
	int r = 0;

	pthread_mutex_lock(&a->lock);
	while (!a->idle && a->lanes == a->most_lanes)
		pthread_cond_wait(&a->moved, &a->lock);
	*ret = a->idle;
	if (a->idle) {
		a->idle = a->idle->next;
	} else {
		r = lane_new(&a->reader, ret, err);
		a->lanes += !r;
	}
	pthread_mutex_unlock(&a->lock);
	return r;
}

static void lane_give_back(struct access *a, struct lane *l)
{
	pthread_mutex_lock(&a->lock);
	a->counters.received += l->reader.received;
	l->reader.received = 0;
	l->next = a->idle;
	a->idle = l;
	pthread_cond_broadcast(&a->moved);
	pthread_mutex_unlock(&a->lock);
}

/* All three with the mutex held. */
static bool is_busy(const struct busy *list, uint64_t first, uint64_t n)
{
	for (; list; list = list->next)
		if (list->first < first + n && first < list->first + list->n)
			return true;
	return false;
}

static void busy_begin(struct busy **list, struct busy *b)
{
	b->next = *list;
	*list = b;
}

static void busy_end(struct access *a, struct busy **list, struct busy *b)
{
	while (*list != b)
		list = &(*list)->next;
	*list = b->next;
	pthread_cond_broadcast(&a->moved);
}

/* Returns with the mutex held, whatever it returns. */
static int find_part(struct access *a, struct lane *l, uint64_t number,
		     const struct lane_part **ret, struct tm_error *err)
{
	struct busy b = { .first = number, .n = 1 };
	struct lane_part *part;
	int r;

	pthread_mutex_lock(&a->lock);
	for (;;) {
		*ret = tm_lru_find(a->parts, number);
		if (*ret)
			return 0;
		if (!is_busy(a->parts_busy, number, 1))
			break;
		pthread_cond_wait(&a->moved, &a->lock);
	}
	busy_begin(&a->parts_busy, &b);
	pthread_mutex_unlock(&a->lock);
	r = lane_load(l, number * LANE_PART, err);
	pthread_mutex_lock(&a->lock);
	busy_end(a, &a->parts_busy, &b);
	if (r)
		return r;
	part = tm_lru_insert(a->parts, number);
	if (!part)
		return tm_error_set(err, -ENOMEM, TM_EXIT_FAILED, NULL,
				    "cannot read: out of memory");
	*part = l->part;
	*ret = part;
	return 0;
}

/* What a thread has in hand: whole chunks of one part. */
struct batch {
	struct lane *lane;
	uint64_t first, n;
	bool wanted[LANE_BATCH];		/* not yet in the lane's buffer */
};

static uint8_t *place_of(const struct batch *b, uint64_t i)
{
	return b->lane->buf + i * b->lane->chunk;
}

/* With the mutex held: what is zero, or in memory. True if that is all. */
static bool take_from_memory(struct access *a, struct batch *b,
			     const struct lane_part *part)
{
	uint64_t within = b->first % LANE_PART, i;
	bool all = true;

	for (i = 0; i < b->n; i++) {
		uint32_t len = lane_chunk_len(b->lane, b->first + i);
		const void *data = NULL;

		b->lane->known[i] = part->known[within + i];
		b->wanted[i] = false;
		if (part->hole[within + i])
			memset(place_of(b, i), 0, len);
		else if ((data = tm_lru_find(a->proved, b->first + i)))
			memcpy(place_of(b, i), data, len);
		else
			b->wanted[i] = true;
		all = all && !b->wanted[i];
	}
	return all;
}

/* Those that were there are no longer wanted; their number. */
static uint64_t take_from_cache(struct access *a, struct batch *b,
				bool was_there[])
{
	uint64_t i, n = 0;

	for (i = 0; i < b->n && a->cache; i++) {
		struct lane *l = b->lane;
		const uint8_t *key = l->known[i].b;

		if (!b->wanted[i] ||
		    cachedir_get(a->cache, key, place_of(b, i),
				 lane_chunk_len(l, b->first + i)))
			continue;
		if (lane_proves(l, b->first + i, place_of(b, i),
				&l->known[i])) {
			was_there[i] = true;
			n++;
		} else {
			cachedir_drop(a->cache, key);
		}
	}
	return n;
}

static void keep(struct access *a, struct batch *b, uint64_t i)
{
	int r = 0;

	if (a->cache)
		r = cachedir_put(a->cache, b->lane->known[i].b, place_of(b, i),
				 lane_chunk_len(b->lane, b->first + i));
	if (r)
		report_warning(a->reader.vault->report,
			       "cannot write the cache of recovery points: %s",
			       strerror(-r));
}

static int fetch_wanted(struct access *a, struct batch *b, uint64_t *ret_n,
			struct tm_error *err)
{
	bool there[LANE_BATCH] = { false };
	uint64_t i, k, end, cached = take_from_cache(a, b, there);
	int r = 0;

	for (i = 0; i < b->n && !r; i = end + 1) {
		for (end = i; end < b->n && b->wanted[end] && !there[end];)
			end++;
		if (end == i)
			continue;
		r = lane_fetch(b->lane, b->first + i, end - i, place_of(b, i),
			       &b->lane->known[i], err);
		for (k = i; k < end && !r; k++)
			keep(a, b, k);
		*ret_n += r ? 0 : end - i;
	}
	pthread_mutex_lock(&a->lock);
	a->counters.chunks_cached += cached;
	a->counters.chunks_fetched += *ret_n;
	for (i = 0; i < b->n && !r; i++) {
		void *data = b->wanted[i] ?
			tm_lru_insert(a->proved, b->first + i) : NULL;

		if (data)
			memcpy(data, place_of(b, i),
			       lane_chunk_len(b->lane, b->first + i));
	}
	pthread_mutex_unlock(&a->lock);
	return r;
}

/* Fills the lane's buffer. */
static int fill(struct access *a, struct batch *b, struct tm_error *err)
{
	struct busy busy = { .first = b->first, .n = b->n };
	const struct lane_part *part;
	uint64_t fetched = 0;
	bool all = false;
	int r;

	r = find_part(a, b->lane, b->first / LANE_PART, &part, err);
	while (!r && !(all = take_from_memory(a, b, part)) &&
	       is_busy(a->chunks_busy, b->first, b->n)) {
		pthread_cond_wait(&a->moved, &a->lock);
		pthread_mutex_unlock(&a->lock);
		r = find_part(a, b->lane, b->first / LANE_PART, &part, err);
	}
	if (r || all) {
		pthread_mutex_unlock(&a->lock);
		return r;
	}
	busy_begin(&a->chunks_busy, &busy);
	pthread_mutex_unlock(&a->lock);
	r = fetch_wanted(a, b, &fetched, err);
	pthread_mutex_lock(&a->lock);
	busy_end(a, &a->chunks_busy, &busy);
	pthread_mutex_unlock(&a->lock);
	return r;
}

/* The chunks of a batch that begins at byte @off of at most @len. */
static void plan(const struct access *a, uint64_t off, uint64_t len,
		 struct batch *b)
{
	uint64_t last = (off + len - 1) / a->chunk;
	uint64_t most = lane_bytes(a->chunk) / a->chunk;

	b->first = off / a->chunk;
	b->n = last - b->first + 1;
	if (b->n > most)
		b->n = most;
	if (b->n > LANE_PART - b->first % LANE_PART)
		b->n = LANE_PART - b->first % LANE_PART;
}

int access_read(struct access *a, uint64_t off, void *data, uint64_t len,
		struct tm_error *err)
{
	struct batch b;
	uint64_t skip, n;
	int r;

	r = lane_take(a, &b.lane, err);
	if (r)
		return r;
	while (len && !r) {
		plan(a, off, len, &b);
		skip = off - b.first * a->chunk;
		n = b.n * a->chunk - skip;
		if (n > len)
			n = len;
		r = fill(a, &b, err);
		if (!r && data) {
			memcpy(data, b.lane->buf + skip, n);
			data = (uint8_t *)data + n;
		}
		off += n;
		len -= n;
	}
	lane_give_back(a, b.lane);
	return r;
}

int access_extent(struct access *a, uint64_t off, uint64_t len,
		  uint64_t *ret_len, bool *ret_zero, struct tm_error *err)
{
	uint64_t first = off / a->chunk, i = first % LANE_PART, end;
	const struct lane_part *part;
	struct lane *l;
	int r = lane_take(a, &l, err);

	if (r)
		return r;
	r = find_part(a, l, first / LANE_PART, &part, err);
	if (!r) {
		*ret_zero = part->hole[i];
		for (end = first; i < LANE_PART && part->hole[i] == *ret_zero;
		     i++)
			end++;
		*ret_len = end * a->chunk - off;
		if (*ret_len > len)
			*ret_len = len;
	}
	pthread_mutex_unlock(&a->lock);
	lane_give_back(a, l);
	return r;
}

static int make_rooms(struct access *a, const struct access_options *o)
{
	uint64_t memory = o->memory_bytes ? o->memory_bytes : MEMORY_BYTES;
	uint64_t slots = memory / a->chunk;
	int r;

	r = tm_lru_new(PARTS, sizeof(struct lane_part), &a->parts);
	if (!r)
		r = tm_lru_new(slots ? slots : 1, a->chunk, &a->proved);
	return r;
}

/* It is a help, no more. What is encrypted elsewhere is not put there in clear. */
static void open_cache(struct access *a, const struct access_options *o)
{
	int r;

	if (!o->cache || !*o->cache || !o->cache_bytes || a->reader.key.xts ||
	    a->reader.key.under)
		return;
	r = cachedir_open(o->cache, o->cache_bytes, &a->cache);
	if (r)
		report_warning(a->reader.vault->report,
			       "cannot use the cache in '%s': %s", o->cache,
			       strerror(-r));
}

int access_open(struct vault *v, const char *container,
		const struct tm_point_disk *disk,
		const struct access_options *options, struct access **ret,
		struct tm_error *err)
{
	struct access *a = calloc(1, sizeof(*a));
	uint8_t footer[TM_VHD_FOOTER_SIZE];
	int r;

	if (!a)
		return tm_error_set(err, -ENOMEM, TM_EXIT_FAILED, disk->name,
				    "cannot read disk '%s': out of memory",
				    disk->name);
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->moved, NULL);
	a->chunk = disk->chunk_size;
	a->most_lanes = v->config->connections;
	r = reader_init(&a->reader, v, container, disk, err);
	if (!r)
		r = reader_footer(&a->reader, footer, err);
	if (!r && make_rooms(a, options))
		r = tm_error_set(err, -ENOMEM, TM_EXIT_FAILED, disk->name,
				 "cannot read disk '%s': out of memory",
				 disk->name);
	if (r) {
		access_free(a);
		return r;
	}
	open_cache(a, options);
	*ret = a;
	return 0;
}

void access_free(struct access *a)
{
	struct lane *l;

	if (!a)
		return;
	while ((l = a->idle)) {
		a->idle = l->next;
		lane_free(l);
	}
	cachedir_free(a->cache);
	tm_lru_free(a->proved);
	tm_lru_free(a->parts);
	reader_done(&a->reader);
	pthread_cond_destroy(&a->moved);
	pthread_mutex_destroy(&a->lock);
	free(a);
}

void access_counters(struct access *a, struct access_counters *ret)
{
	pthread_mutex_lock(&a->lock);
	*ret = a->counters;
	pthread_mutex_unlock(&a->lock);
}
