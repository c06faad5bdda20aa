// SPDX-License-Identifier: MIT
#include "reader.h"

#include "io.h"
#include "ledger.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LARGEST = 1 << 20 };

struct piece {
	uint64_t at;
	uint32_t len;
};

static uint32_t some_length(struct reader *r)
{
	uint32_t most = 4096u << rand_r(&r->seed) % 9, len;

	if (r->in_order)
		return LARGEST;
	len = (1 + rand_r(&r->seed) % (most / LEDGER_SECTOR)) * LEDGER_SECTOR;
	return (len + r->reading->block - 1) / r->reading->block *
	       r->reading->block;
}

/* Cuts the view into pieces, and shuffles them. */
static void plan(struct reader *r)
{
	uint64_t size = r->reading->size, at = 0, i, j;
	struct piece p;

	r->nr_pieces = 0;
	while (at < size) {
		p = (struct piece){ .at = at, .len = some_length(r) };
		if (p.len > size - at)
			p.len = size - at;
		r->piece[r->nr_pieces++] = p;
		at += p.len;
	}
	for (i = r->nr_pieces; !r->in_order && i > 1; i--) {
		j = rand_r(&r->seed) % i;
		p = r->piece[i - 1];
		r->piece[i - 1] = r->piece[j];
		r->piece[j] = p;
	}
}

static void mark(struct reader *r, const struct piece *p, enum ledger_mark how)
{
	memset(r->marks + p->at / LEDGER_SECTOR, how, p->len / LEDGER_SECTOR);
}

/* After the read: who lets go of a chunk says so before doing it. */
static bool any_loose(const struct reading *g, const struct piece *p)
{
	uint64_t i;

	for (i = p->at / g->chunk; i <= (p->at + p->len - 1) / g->chunk; i++)
		if (__atomic_load_n(&g->loose[i], __ATOMIC_SEQ_CST))
			return true;
	return false;
}

static bool one_chunk(const struct reading *g, const struct piece *p)
{
	return p->at / g->chunk == (p->at + p->len - 1) / g->chunk;
}

static void read_chunks(struct reader *r, const struct piece *p);

static void read_piece(struct reader *r, const struct piece *p)
{
	struct reading *g = r->reading;

	if (!io_read(r->fd, r->data + p->at, p->len, p->at))
		mark(r, p, LEDGER_READ);
	else if (!any_loose(g, p))
		mark(r, p, LEDGER_FAILED);
	else if (one_chunk(g, p))
		mark(r, p, LEDGER_REFUSED);
	else
		read_chunks(r, p);
}

static void read_chunks(struct reader *r, const struct piece *p)
{
	uint64_t at = p->at, end = p->at + p->len, chunk = r->reading->chunk;
	struct piece part;

	for (; at < end; at += part.len) {
		part = (struct piece){ .at = at, .len = chunk - at % chunk };
		if (part.len > end - at)
			part.len = end - at;
		read_piece(r, &part);
	}
}

static void *reader_main(void *arg)
{
	struct reader *r = arg;
	uint64_t i;

	for (i = 0; i < r->nr_pieces; i++) {
		read_piece(r, &r->piece[i]);
		__atomic_fetch_add(&r->reading->progress, r->piece[i].len,
				   __ATOMIC_SEQ_CST);
	}
	close(r->fd);
	return NULL;
}

void reader_init(struct reader *r, struct reading *reading)
{
	uint64_t pieces = reading->size / reading->block;

	*r = (struct reader){
		.reading = reading,
		.data = io_buffer(ledger_round(reading->size)),
		.marks = io_buffer(ledger_round(reading->size / LEDGER_SECTOR)),
		.piece = calloc(pieces, sizeof(*r->piece)),
	};
	if (!r->piece)
		tap_bail("no memory for %llu pieces",
			 (unsigned long long)pieces);
}

void reader_done(struct reader *r)
{
	free(r->data);
	free(r->marks);
	free(r->piece);
}

void reader_start(struct reader *r, int fd, bool in_order, unsigned int seed)
{
	r->fd = fd;
	r->in_order = in_order;
	r->seed = seed;
	memset(r->marks, LEDGER_UNREAD,
	       ledger_round(r->reading->size / LEDGER_SECTOR));
	plan(r);
	if (pthread_create(&r->thread, NULL, reader_main, r))
		tap_bail("cannot start a thread");
}

void reader_wait(struct reader *r)
{
	pthread_join(r->thread, NULL);
}
