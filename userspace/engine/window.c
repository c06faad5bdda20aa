// SPDX-License-Identifier: MIT
/* window.c - a part of a ship set: chunks read, compared and sent together */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "engine/window.h"

#define BYTES_MIN (8u << 20)
#define BYTES_MAX (16u << 20)

size_t window_size(uint32_t chunk_size)
{
	return (uint64_t)chunk_size * TM_HASH_PAGE_ENTRIES > BYTES_MIN ?
		BYTES_MAX : BYTES_MIN;
}

int window_init(struct window *w, struct target *t, void *buf, size_t bytes)
{
	memset(w, 0, sizeof(*w));
	w->target = t;
	w->buf = buf;
	w->max = bytes / t->doc->chunk_size;
	w->chunks = calloc(w->max, sizeof(*w->chunks));
	w->pieces = calloc(w->max, sizeof(*w->pieces));
	w->flights = calloc(w->max, sizeof(*w->flights));
	if (w->chunks && w->pieces && w->flights)
		return 0;
	window_done(w);
	return -ENOMEM;
}

void window_done(struct window *w)
{
	free(w->chunks);
	free(w->pieces);
	free(w->flights);
	memset(w, 0, sizeof(*w));
}

bool window_shares(const struct window *w)
{
	return w->max < TM_HASH_PAGE_ENTRIES;
}

static void add(struct window *w, uint64_t i)
{
	const struct target *t = w->target;
	struct chunk *c = &w->chunks[w->n];
	uint32_t size = t->doc->chunk_size;

	c->index = i;
	c->data = w->buf + (size_t)w->n * size;
	c->len = tm_chunk_len(t->state.size_bytes, size, i);
	c->scanned = tm_extents_contains(&t->scanned, i, 1);
	w->n++;
}

/* @i did not fit: the window ends with the hash page before its. */
static void end_with_page(struct window *w, uint64_t i)
{
	if (window_shares(w))
		return;
	while (w->n && tm_hash_page_of(w->chunks[w->n - 1].index) ==
	       tm_hash_page_of(i))
		w->n--;
}

uint64_t window_fill(struct window *w, uint64_t from, uint64_t end)
{
	struct tm_extent x;
	uint64_t i;

	w->n = 0;
	while (from < end && tm_extents_next(&w->target->ship, from, &x) &&
	       x.start < end) {
		for (i = x.start; i < x.start + x.len && i < end; i++) {
			if (w->n == w->max) {
				end_with_page(w, i);
				return w->chunks[w->n - 1].index + 1;
			}
			add(w, i);
		}
		from = i;
	}
	return end;
}

static unsigned int run(const struct window *w, unsigned int i, uint64_t most,
			bool same_fate)
{
	uint64_t bytes = w->chunks[i].len;
	unsigned int j;

	for (j = i + 1; j < w->n; j++) {
		if (w->chunks[j].index != w->chunks[j - 1].index + 1 ||
		    bytes + w->chunks[j].len > most ||
		    (same_fate && w->chunks[j].fate != w->chunks[i].fate))
			break;
		bytes += w->chunks[j].len;
	}
	return j - i;
}

unsigned int window_run(const struct window *w, unsigned int i, uint64_t most)
{
	return run(w, i, most, false);
}

unsigned int window_run_of_fate(const struct window *w, unsigned int i,
				uint64_t most)
{
	return run(w, i, most, true);
}

uint64_t window_bytes(const struct window *w, unsigned int i, unsigned int n)
{
	uint64_t bytes = 0;

	while (n--)
		bytes += w->chunks[i++].len;
	return bytes;
}

void window_recall(struct window *w)
{
	unsigned int i;

	for (i = 0; i < w->n; i++)
		w->chunks[i].known = tm_hashtable_get(w->target->table,
						      w->chunks[i].index);
}

static bool all_zero(const uint8_t *data, size_t len)
{
	return !data[0] && !memcmp(data, data + 1, len - 1);
}

/* What differs: is it to be sent, or cleared? */
static int prepare(const struct target *t, struct chunk *c, struct tm_xts *xts)
{
	bool clear = !xts || t->key.cipher.sparse;

	if (clear && all_zero(c->data, c->len)) {
		c->fate = FATE_CLEAR;
		return 0;
	}
	c->fate = FATE_PUT;
	if (!xts)
		return 0;
	return tm_xts_encrypt(xts, c->index * t->doc->chunk_size, c->data,
			      c->len);
}

int window_compare(struct window *w, struct tm_hasher *hasher,
		   struct tm_xts *xts, unsigned int first, unsigned int n)
{
	struct chunk *c;
	int r;

	for (c = &w->chunks[first]; n--; c++) {
		r = tm_hasher_chunk(hasher, c->index *
				    w->target->doc->chunk_size, c->data, c->len,
				    &c->hash);
		if (r)
			return r;
		c->fate = FATE_SAME;
		if (!tm_hash_equal(&c->known, &c->hash))
			r = prepare(w->target, c, xts);
		if (r)
			return r;
	}
	return 0;
}

void window_tally(struct window *w)
{
	struct tm_tally *tally = &w->target->tally;
	unsigned int i;

	w->differ = 0;
	for (i = 0; i < w->n; i++) {
		const struct chunk *c = &w->chunks[i];
		struct tm_counters *count = c->scanned ? &tally->scanned :
							 &tally->tracked;

		count->chunks_read++;
		count->bytes_read += c->len;
		count->chunks_same += c->fate == FATE_SAME;
		w->differ += c->fate != FATE_SAME;
		count->chunks_cleared += c->fate == FATE_CLEAR;
		if (c->fate != FATE_PUT)
			continue;
		count->chunks_uploaded++;
		count->bytes_uploaded += c->len;
	}
}
