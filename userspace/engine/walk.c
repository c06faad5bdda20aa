// SPDX-License-Identifier: MIT
/*
 * walk.c - all of a recovery point's disk, every chunk proved (reader.h)
 *
 * The disk is read in pieces, several of them under way at once, and each is
 * hashed, and handed out, on another thread when it has come. Their proofs are
 * told in their order on the disk. What is not what was backed up is read a
 * second time before it is said to be bad: it may have been damaged on the way.
 *
 *	[begin_piece] -> look -> [was_looked_at] -> [fetch] -> prove -> [was_proved]
 *
 * Only who can tell what the target holds already has it looked at first. What
 * it holds, and what the blob does not, is not asked for.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "engine/flights.h"
#include "engine/judge.h"
#include "engine/reader.h"
#include "port/clock.h"
#include "port/disk.h"

#define SLAB_BYTES PAGEBLOB_PUT_MAX	/* of the table, read at once */
#define SLAB_CHUNKS (SLAB_BYTES / TM_HASH_SIZE)
#define PIECES 16u
#define PIECE_BYTES (4u << 20)		/* of the disk; a chunk at least */
#define TELL_NS UINT64_C(200000000)

struct walk;

struct piece {
	struct walk *walk;
	struct work work, look;
	struct flight *flights;	/* one for each run of chunks that is asked for */
	unsigned int n_flights, landing;
	uint8_t *buf;
	enum proof *proofs;
	bool *zero, *held;	/* chunk by chunk, as the proofs */
	uint64_t off, len;	/* bytes of the disk */
	bool ready, again;
	int r;			/* of hashing and handing out, and why */
	struct tm_error err;
};

struct walk {
	struct reader *reader;
	const struct reader_ops *ops;
	void *arg;
	uint32_t chunk;			/* bytes */
	struct reactor rx;
	struct flights *flights;
	struct tm_hasher *hashers[WORKERS_MAX];	/* one each, */
	struct tm_xts *ciphers[WORKERS_MAX];	/* if it is encrypted */
	struct piece pieces[PIECES];
	unsigned int head, n;		/* pieces under way, the first is next */
	uint64_t handed, told;		/* bytes handed out; told of, done */
	uint64_t moved, told_ns;	/* told of, received; when */
	/* Of the slab: */
	struct tm_hash *table;
	uint64_t first;			/* chunk of table[0] */
	struct tm_extents written;	/* bytes */
	int r;
	struct tm_error *err;
};

static void fail(struct walk *w, int r)
{
	if (!w->r)
		w->r = r;
}

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
	uint64_t at, i = p->off / w->chunk;
	const struct tm_hash *known = &w->table[i - w->first];
	enum proof *proof = p->proofs;
	bool *zero = p->zero, *held = p->held;
	struct tm_hash now;
	int r = 0;

	for (at = 0; at < p->len && !r; at += w->chunk, i++, known++) {
		uint32_t len = chunk_of(p, at);

		*zero++ = all_zero(p->buf + at, len);
		*proof = *held ? PROOF_HELD : PROOF_NONE;
		if (!*held++ && !tm_hash_is_zero(known)) {
			r = tm_hasher_chunk(hasher, i, p->buf + at, len, &now);
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
		fail(w, p->r);
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
		fail(w, p->r);
	} else if (w->reader->dry) {
		count(p);
	} else {
		fetch(p);
	}
}

static void begin_piece(struct piece *p)
{
	if (p->walk->ops->held)
		workers_start(p->walk->rx.workers, &p->look);
	else
		fetch(p);
}

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
		begin_piece(p);
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
			fail(w, tell_proofs(w, p));
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
	fail(w, reader_table(w->reader, first, n, w->table, w->err));
	if (!w->r)
		fail(w, reader_list(w->reader, off, end - off, &w->written,
				    w->err));
	if (!w->r && w->ops->slab)
		fail(w, w->ops->slab(w->arg, first, n, w->err));
	while (!w->r && (w->n || off < end)) {
		start_pieces(w, &off, end);
		reactor_turn(&w->rx);
		if (!w->r)
			fail(w, flights_check(w->flights, w->err));
		tell_ready(w);
		if (clock_now_ns() - w->told_ns >= TELL_NS)
			tell(w, clock_now_ns());
		if (!w->r)
			fail(w, report_cancelled(rep, w->err));
	}
}

static int init_piece(struct walk *w, struct piece *p)
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
		r = init_piece(w, &w->pieces[i]);
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
	for (i = 0; i < PIECES; i++) {
		disk_buffer_free(w->pieces[i].buf);
		free(w->pieces[i].proofs);
		free(w->pieces[i].zero);
		free(w->pieces[i].held);
		free(w->pieces[i].flights);
	}
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
		fail(&w, tm_error_set(err, n, TM_EXIT_FAILED, r->disk->name,
				      "cannot read disk '%s': %s",
				      r->disk->name, strerror(-n)));
	if (!w.r)
		fail(&w, judge_table(r, NULL, err));
	for (first = 0; first < chunks && !w.r; first += count) {
		count = chunks - first < SLAB_CHUNKS ? chunks - first :
			SLAB_CHUNKS;
		walk_slab(&w, first, count);
	}
	clean_up(&w);
	return w.r;
}
