// SPDX-License-Identifier: MIT
/*
 * walk.c - all of a recovery point's disk, every chunk proved (reader.h)
 *
 * The disk is read in pieces, several of them under way at once, and each is
 * hashed, and handed out, on another thread when it has come. Their proofs are
 * told in their order on the disk. What is not what was backed up is read a
 * second time before it is said to be bad: it may have been damaged on the way.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "engine/judge.h"
#include "engine/walk.h"
#include "port/clock.h"

#define SLAB_BYTES PAGEBLOB_PUT_MAX	/* of the table, read at once */
#define SLAB_CHUNKS (SLAB_BYTES / TM_HASH_SIZE)
#define TELL_NS UINT64_C(200000000)

static int tell_proofs(struct walk *w, const struct piece *p)
{
	uint64_t i, n = (p->len + w->chunk - 1) / w->chunk;
	int r = 0;

	for (i = 0; i < n && !r; i++)
		r = w->ops->proved(w->arg, p->off / w->chunk + i, p->proofs[i],
				   w->err);
	return r;
}

/* Starts pieces from *@off on while there is room for them. */
static void start_pieces(struct walk *w, uint64_t *off, uint64_t end)
{
	while (w->n < PIECES && *off < end) {
		struct piece *p = &w->pieces[(w->head + w->n) % PIECES];

		p->off = *off;
		p->len = end - *off < PIECE_BYTES ? end - *off : PIECE_BYTES;
		p->ready = p->again = false;
		*off += p->len;
		w->n++;
		piece_begin(p);
	}
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Also within pieces. What has to be asked for again is not taken back. */
static void tell(struct walk *w, uint64_t now)
{
	const struct reader *r = w->reader;
	uint64_t done = w->handed, moving;
	unsigned int i;

	moving = w->flights ? flights_moving(w->flights, NULL) : 0;
	for (i = 0; i < w->n; i++) {
		const struct piece *p = &w->pieces[(w->head + i) % PIECES];

		done += p->ready ? p->len : 0;
	}
	w->told = larger(w->told, done + moving);
	w->moved = larger(w->moved, r->received + moving);
	w->told_ns = now;
	report_progress(r->vault->report, &(struct progress){
		.stage = w->ops->stage, .disk = r->disk->name,
		.done = w->told, .total = tm_vhd_size(r->disk->size),
		.moved = w->moved, .download = true,
	});
}

static void tell_ready(struct walk *w)
{
	while (!w->r && w->n && w->pieces[w->head].ready) {
		struct piece *p = &w->pieces[w->head];

		if (!w->reader->dry)
			walk_fail(w, tell_proofs(w, p));
		w->handed = p->off + p->len;
		w->head = (w->head + 1) % PIECES;
		w->n--;
		tell(w, clock_now_ns());
	}
}

static void walk_slab(struct walk *w, uint64_t first, uint64_t n)
{
	const struct report *rep = w->reader->vault->report;
	uint64_t total = tm_vhd_size(w->reader->disk->size);
	uint64_t off = first * w->chunk, end = (first + n) * w->chunk;

	if (end > total)
		end = total;
	w->first = first;
	walk_fail(w, reader_table(w->reader, first, n, w->table, w->err));
	if (!w->r)
		walk_fail(w, reader_list(w->reader, off, end - off, &w->written,
				    w->err));
	if (!w->r && w->ops->slab)
		walk_fail(w, w->ops->slab(w->arg, first, n, w->err));
	while (!w->r && (w->n || off < end)) {
		start_pieces(w, &off, end);
		reactor_turn(&w->rx);
		if (!w->r)
			walk_fail(w, flights_check(w->flights, w->err));
		tell_ready(w);
		if (clock_now_ns() - w->told_ns >= TELL_NS)
			tell(w, clock_now_ns());
		if (!w->r)
			walk_fail(w, report_cancelled(rep, w->err));
	}
}

static int prepare(struct walk *w)
{
	struct vault *v = w->reader->vault;
	struct http_config http = flights_http(v);
	const struct reactor_options options = {
		.http = &http, .reads = 1, .threads = w->ops->waits ?
			WORKERS_MAX : workers_fitting() + 1,
	};
	unsigned int i;
	int r = 0;

	w->table = malloc(SLAB_BYTES);
	if (!w->table)
		return -ENOMEM;
	for (i = 0; i < PIECES && !r; i++)
		r = piece_init(w, &w->pieces[i]);
	for (i = 0; i < WORKERS_MAX && !r; i++) {
		r = tm_hasher_clone(w->reader->key.hasher, &w->hashers[i]);
		if (!r && w->reader->key.xts)
			r = tm_xts_clone(w->reader->key.xts, &w->ciphers[i]);
	}
	if (!r)
		r = reactor_init(&w->rx, &options);
	return r ? r : flights_new(v, &w->rx, &w->flights);
}

static void clean_up(struct walk *w)
{
	unsigned int i;

	reactor_done(&w->rx);
	flights_free(w->flights);
	for (i = 0; i < WORKERS_MAX; i++) {
		tm_hasher_free(w->hashers[i]);
		tm_xts_free(w->ciphers[i]);
	}
	for (i = 0; i < PIECES; i++)
		piece_done(&w->pieces[i]);
	tm_extents_done(&w->written);
	free(w->table);
}

int reader_walk(struct reader *r, const struct reader_ops *ops, void *arg,
		struct tm_error *err)
{
	struct walk w = {
		.reader = r, .ops = ops, .arg = arg, .err = err,
		.chunk = r->disk->chunk_size, .written = TM_EXTENTS_INIT,
	};
	uint64_t chunks = tm_chunk_count(r->disk->size, w.chunk);
	uint64_t first, count;
	int n = prepare(&w);

	tell(&w, clock_now_ns());
	if (n)
		walk_fail(&w, tm_error_set(err, n, TM_EXIT_FAILED, r->disk->name,
				      "cannot read disk '%s': %s",
				      r->disk->name, strerror(-n)));
	if (!w.r)
		walk_fail(&w, judge_table(r, NULL, err));
	for (first = 0; first < chunks && !w.r; first += count) {
		count = chunks - first < SLAB_CHUNKS ? chunks - first :
			SLAB_CHUNKS;
		walk_slab(&w, first, count);
	}
	clean_up(&w);
	return w.r;
}
