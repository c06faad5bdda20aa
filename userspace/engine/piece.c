// SPDX-License-Identifier: MIT
/*
 * piece.c - a piece of a disk: asked for, proved, handed out (walk.h)
 *
 *	[piece_begin] -> look -> [was_looked_at] -> [fetch] -> prove -> [was_proved]
 *
 * Only who can tell what the target holds already has it looked at first. What
 * it holds, and what the blob does not, is not asked for.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "engine/walk.h"
#include "port/disk.h"

static bool all_zero(const uint8_t *data, size_t len)
{
	return !data[0] && !memcmp(data, data + 1, len - 1);
}

static uint32_t chunk_of(const struct piece *p, uint64_t at)
{
	return p->len - at < p->walk->chunk ? (uint32_t)(p->len - at) :
					      p->walk->chunk;
}

static int hash(struct piece *p, struct tm_hasher *hasher)
{
	const struct walk *w = p->walk;
	const struct tm_hash *known = &w->table[p->off / w->chunk - w->first];
	enum proof *proof = p->proofs;
	bool *zero = p->zero, *held = p->held;
	struct tm_hash now;
	uint64_t at;
	int r = 0;

	for (at = 0; at < p->len && !r; at += w->chunk, known++) {
		uint32_t len = chunk_of(p, at);

		*zero++ = all_zero(p->buf + at, len);
		*proof = *held ? PROOF_HELD : PROOF_NONE;
		if (!*held++ && !tm_hash_is_zero(known)) {
			r = tm_hasher_chunk(hasher, p->off + at, p->buf + at,
					    len, &now);
			*proof = tm_hash_equal(known, &now) ? PROOF_GOOD :
							      PROOF_BAD;
		}
		proof++;
	}
	return r;
}

static bool has(const struct piece *p, enum proof proof)
{
	uint64_t i, n = (p->len + p->walk->chunk - 1) / p->walk->chunk;

	for (i = 0; i < n; i++)
		if (p->proofs[i] == proof)
			return true;
	return false;
}

/* The piece as runs of zeroes and of data. */
static int hand_out(struct piece *p)
{
	const struct walk *w = p->walk;
	uint64_t at, end;
	int r = 0;

	for (at = 0; at < p->len && !r; at = end) {
		bool zero = p->zero[at / w->chunk];
		bool held = p->held[at / w->chunk];

		end = at;
		do {
			end += chunk_of(p, end);
		} while (end < p->len && p->zero[end / w->chunk] == zero &&
			 p->held[end / w->chunk] == held);
		if (!held)
			r = w->ops->piece(w->arg, p->off + at, zero ? NULL :
					  p->buf + at, end - at, &p->err);
	}
	return r;
}

/* On another thread: touches nothing but the piece. */
static void prove(struct work *work, unsigned int thread)
{
	struct piece *p = (struct piece *)((char *)work -
					   offsetof(struct piece, work));
	const struct walk *w = p->walk;
	const char *name = w->reader->disk->name;

	p->r = reader_reveal(w->reader, w->ciphers[thread], p->off, p->buf,
			     p->len);
	if (!p->r)
		p->r = hash(p, w->hashers[thread]);
	if (p->r)
		tm_error_set(&p->err, p->r, TM_EXIT_FAILED, name,
			     "cannot hash disk '%s': %s", name,
			     strerror(-p->r));
	else if (w->ops->piece && !has(p, PROOF_BAD) && !has(p, PROOF_NONE))
		p->r = hand_out(p);
}

static void fetch(struct piece *p);

static void was_proved(struct work *work)
{
	struct piece *p = (struct piece *)((char *)work -
					   offsetof(struct piece, work));
	struct walk *w = p->walk;

	if (w->r)
		return;
	if (p->r) {
		*w->err = p->err;
		walk_fail(w, p->r);
		return;
	}
	p->ready = p->again || !has(p, PROOF_BAD);
	if (p->ready)
		return;
	p->again = true;
	fetch(p);
}

static void has_come(struct flight *f)
{
	struct piece *p = f->arg;

	p->walk->reader->received += f->len;
	if (!--p->landing)
		workers_start(p->walk->rx.workers, &p->work);
}

static bool is_wanted(const struct piece *p, uint64_t at)
{
	const struct walk *w = p->walk;

	return !p->held[at / w->chunk] &&
		tm_extents_overlaps(&w->written, p->off + at, chunk_of(p, at));
}

/* From the first to the last byte that is written of chunks that all are. */
static void add_run(struct piece *p, uint64_t at, uint64_t run_end)
{
	struct walk *w = p->walk;
	uint64_t end = p->off + run_end, from, to;
	struct tm_extent x;

	if (!tm_extents_next(&w->written, p->off + at, &x))
		return;
	from = x.start;
	do {
		to = x.start + x.len;
	} while (to < end && tm_extents_next(&w->written, to, &x) &&
		 x.start < end);
	if (to > end)
		to = end;
	memset(p->buf + at, 0, from - (p->off + at));
	memset(p->buf + (to - p->off), 0, end - to);
	p->flights[p->n_flights++] = (struct flight){
		.kind = FLIGHT_READ, .blob = reader_vhd(w->reader),
		.data = p->buf + (from - p->off),
		.off = w->reader->key.data + from, .len = to - from,
		.done = has_come, .arg = p,
	};
}

/* Finds what is to be asked for; all else is zero. */
static void find_runs(struct piece *p)
{
	uint64_t at, end;

	p->n_flights = 0;
	for (at = 0; at < p->len; at = end) {
		bool wanted = is_wanted(p, at);

		end = at;
		do {
			end += chunk_of(p, end);
		} while (end < p->len && is_wanted(p, end) == wanted);
		if (wanted)
			add_run(p, at, end);
		else
			memset(p->buf + at, 0, end - at);
	}
}

static void fetch(struct piece *p)
{
	struct walk *w = p->walk;
	unsigned int i, n;

	find_runs(p);
	n = p->landing = p->n_flights;
	if (!n)
		workers_start(w->rx.workers, &p->work);
	for (i = 0; i < n; i++)
		flights_start(w->flights, &p->flights[i]);
}

/* On another thread. */
static void look(struct work *work, unsigned int thread)
{
	struct piece *p = (struct piece *)((char *)work -
					   offsetof(struct piece, look));
	const struct walk *w = p->walk;
	uint64_t first = p->off / w->chunk;

	p->r = w->ops->held(w->arg, &(struct reader_piece){
		.off = p->off, .len = p->len, .first = first,
		.n = (p->len + w->chunk - 1) / w->chunk, .chunk = w->chunk,
		.want = &w->table[first - w->first],
		.hasher = w->hashers[thread], .scratch = p->buf,
		.held = p->held,
	}, &p->err);
}

/* What it would take, instead of taking it. */
static void count(struct piece *p)
{
	struct reader *r = p->walk->reader;
	uint64_t at;
	unsigned int i;

	find_runs(p);
	for (i = 0; i < p->n_flights; i++)
		r->missing += p->flights[i].len;
	for (at = 0; at < p->len; at += chunk_of(p, at))
		if (!p->held[at / p->walk->chunk])
			r->differing += chunk_of(p, at);
	p->ready = true;
}

static void was_looked_at(struct work *work)
{
	struct piece *p = (struct piece *)((char *)work -
					   offsetof(struct piece, look));
	struct walk *w = p->walk;

	if (w->r)
		return;
	if (p->r) {
		*w->err = p->err;
		walk_fail(w, p->r);
	} else if (w->reader->dry) {
		count(p);
	} else {
		fetch(p);
	}
}

void piece_begin(struct piece *p)
{
	if (p->walk->ops->held)
		workers_start(p->walk->rx.workers, &p->look);
	else
		fetch(p);
}

int piece_init(struct walk *w, struct piece *p)
{
	unsigned int chunks = PIECE_BYTES / w->chunk;

	p->walk = w;
	p->work = (struct work){ .run = prove, .done = was_proved };
	p->look = (struct work){ .run = look, .done = was_looked_at };
	p->buf = disk_buffer_new(PIECE_BYTES);
	p->proofs = calloc(chunks, sizeof(*p->proofs));
	p->zero = calloc(chunks, sizeof(*p->zero));
	p->held = calloc(chunks, sizeof(*p->held));
	p->flights = calloc(chunks, sizeof(*p->flights));
	return p->buf && p->proofs && p->zero && p->held && p->flights ? 0 :
		-ENOMEM;
}

void piece_done(struct piece *p)
{
	disk_buffer_free(p->buf);
	free(p->proofs);
	free(p->zero);
	free(p->held);
	free(p->flights);
}
