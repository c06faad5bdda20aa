// SPDX-License-Identifier: MIT
/* intake.c - a window's chunks: read from the disk, compared with the table */

#include <errno.h>
#include <string.h>
#include "engine/intake.h"

#define PIECE_BYTES (2u << 20)

int intake_init(struct intake *in, struct target *t, struct reactor *rx,
		struct tm_error *err)
{
	unsigned int i;
	int r;

	*in = (struct intake){ .target = t, .rx = rx, .err = err };
	for (i = 0; i < WORKERS_MAX; i++) {
		r = tm_hasher_clone(t->key.hasher, &in->hashers[i]);
		if (!r && t->key.xts)
			r = tm_xts_clone(t->key.xts, &in->ciphers[i]);
		if (r) {
			intake_done(in);
			return r;
		}
	}
	return 0;
}

void intake_done(struct intake *in)
{
	unsigned int i;

	for (i = 0; i < WORKERS_MAX; i++) {
		tm_hasher_free(in->hashers[i]);
		tm_xts_free(in->ciphers[i]);
	}
	memset(in, 0, sizeof(*in));
}

static void fail(struct intake *in, int r)
{
	if (!in->r)
		in->r = r;
}

/* A piece is done with; w->left held one for those that were yet to begin. */
static void landed(struct window *w)
{
	if (!--w->left)
		w->taken(w);
}

static struct piece *piece_of(struct work *work)
{
	return (struct piece *)((char *)work - offsetof(struct piece, work));
}

static void run_compare(struct work *work, unsigned int thread)
{
	struct piece *p = piece_of(work);

	p->r = window_compare(p->window, p->intake->hashers[thread],
			      p->intake->ciphers[thread], p->first, p->n);
}

static void was_compared(struct work *work)
{
	struct piece *p = piece_of(work);
	struct intake *in = p->intake;
	const char *name = in->target->doc->name;

	if (p->r && !in->r)
		fail(in, tm_error_set(in->err, p->r, TM_EXIT_FAILED, name,
				      "cannot hash disk '%s': %s", name,
				      strerror(-p->r)));
	landed(p->window);
}

static void compare(struct piece *p)
{
	if (p->intake->r) {
		landed(p->window);
		return;
	}
	p->work = (struct work){ .run = run_compare, .done = was_compared };
	workers_start(p->intake->rx->workers, &p->work);
}

static void was_read(struct readq_read *read)
{
	struct piece *p = read->arg;
	struct intake *in = p->intake;
	struct source *source = in->target->source;

	if (read->result && !in->r)
		fail(in, source->ops->blame(source, read->result, in->err));
	compare(p);
}

static void start(struct piece *p)
{
	struct intake *in = p->intake;
	struct source *source = in->target->source;
	const struct chunk *c = &p->window->chunks[p->first];
	uint64_t off = c->index * source->chunk_size;
	uint32_t len = (uint32_t)window_bytes(p->window, p->first, p->n);

	p->window->left++;
	p->read = (struct readq_read){
		.len = len, .data = c->data, .done = was_read, .arg = p,
	};
	if (source->ops->place(source, off, len, &p->read.disk, &p->read.off)) {
		readq_start(in->rx->reads, &p->read);
		return;
	}
	fail(in, source->ops->read(source, off, len, c->data, in->err));
	compare(p);
}

void intake_window(struct intake *in, struct window *w)
{
	struct piece *p = w->pieces;
	unsigned int i;

	window_recall(w);
	w->left = 1;
	for (i = 0; i < w->n && !in->r; i += p++->n) {
		p->intake = in;
		p->window = w;
		p->first = i;
		p->n = window_run(w, i, PIECE_BYTES);
		start(p);
	}
	landed(w);
}
