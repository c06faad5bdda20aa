// SPDX-License-Identifier: MIT
/* held.c - what of a wanted disk its target holds already */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "engine/held.h"
#include "engine/judge.h"

int held_init(struct held *h, struct sink *sink, const struct reader *like,
	      const struct held_base *base, struct tm_error *err)
{
	int r;

	memset(h, 0, sizeof(*h));
	h->sink = sink;
	/* Entries under another key say nothing of these. */
	if (!base || !tm_id_equal(&base->disk->cipher.key,
				  &like->disk->cipher.key))
		return 0;
	r = reader_init(&h->then, like->vault, like->container, base->disk,
			err);
	if (r)
		return r;
	h->base = base;
	r = judge_table(&h->then, NULL, err);
	if (r != -EBADMSG)
		return r;
	/* What it says is not to be believed: the sink itself is read. */
	report_warning(like->vault->report, "%s", err->message);
	tm_error_clear(err);
	reader_done(&h->then);
	h->base = NULL;
	return 0;
}

void held_done(struct held *h)
{
	if (h->base)
		reader_done(&h->then);
	free(h->table);
	memset(h, 0, sizeof(*h));
}

int held_slab(struct held *h, uint64_t first, uint64_t n, struct tm_error *err)
{
	uint64_t chunks;

	if (!h->base)
		return 0;
	chunks = tm_chunk_count(h->base->disk->size, h->base->disk->chunk_size);
	h->first = first;
	h->n = first >= chunks ? 0 : chunks - first < n ? chunks - first : n;
	free(h->table);
	h->table = NULL;
	if (!h->n)
		return 0;
	h->table = malloc(tm_hash_pages(h->n) * TM_HASH_PAGE_SIZE);
	if (!h->table)
		return tm_error_set(err, -ENOMEM, TM_EXIT_FAILED, NULL,
				    "cannot compare '%s': out of memory",
				    h->sink->name);
	return reader_table(&h->then, first, h->n, h->table, err);
}

/* Is it known what chunk @i holds, without reading it? Then *@ret. */
static bool is_known(const struct held *h, uint64_t i,
		     const struct tm_hash **ret)
{
	if (!h->base || i < h->first || i - h->first >= h->n ||
	    tm_extents_contains(h->base->changed, i, 1))
		return false;
	*ret = &h->table[i - h->first];
	return !tm_hash_is_zero(*ret);
}

static uint64_t length_of(const struct reader_piece *p, uint64_t i)
{
	uint64_t left = p->len - i * p->chunk;

	return left < p->chunk ? left : p->chunk;
}

/* Behind what the sink takes there is nothing, which is zeroes. */
static int read_back(struct held *h, const struct reader_piece *p, uint64_t at,
		     uint64_t len, struct tm_error *err)
{
	uint64_t off = p->off + at, here = len;

	if (off >= h->sink->size)
		here = 0;
	else if (here > h->sink->size - off)
		here = h->sink->size - off;
	memset(p->scratch + at + here, 0, len - here);
	return here ? h->sink->ops->read(h->sink, off, p->scratch + at, here,
					 err) : 0;
}

/* Chunks [@i, @end) of the piece, of which nothing is known. */
static int hash_run(struct held *h, const struct reader_piece *p, uint64_t i,
		    uint64_t end, struct tm_error *err)
{
	uint64_t at = i * p->chunk;
	struct tm_hash now;
	int r;

	r = read_back(h, p, at, (end - 1) * p->chunk +
		      length_of(p, end - 1) - at, err);
	__atomic_fetch_add(&h->hashed, end - i, __ATOMIC_RELAXED);
	for (; i < end && !r; i++) {
		r = tm_hasher_chunk(p->hasher, (p->first + i) * p->chunk,
				    p->scratch + i * p->chunk, length_of(p, i),
				    &now);
		if (r)
			return tm_error_set(err, r, TM_EXIT_FAILED, NULL,
					    "cannot hash '%s': %s",
					    h->sink->name, strerror(-r));
		p->held[i] = tm_hash_equal(&now, &p->want[i]);
	}
	return r;
}

int held_look(struct held *h, const struct reader_piece *p,
	      struct tm_error *err)
{
	const struct tm_hash *known;
	uint64_t i, end;
	int r = 0;

	for (i = 0; i < p->n && !r; i = end) {
		end = i + 1;
		/* What is not known to be right has to come in any case. */
		if (tm_hash_is_zero(&p->want[i])) {
			p->held[i] = false;
			continue;
		}
		if (is_known(h, p->first + i, &known)) {
			p->held[i] = tm_hash_equal(known, &p->want[i]);
			continue;
		}
		while (end < p->n && !tm_hash_is_zero(&p->want[end]) &&
		       !is_known(h, p->first + end, &known))
			end++;
		r = hash_run(h, p, i, end, err);
	}
	return r;
}
