// SPDX-License-Identifier: MIT
/* flights.c - requests for pages, many under way at once */

#include <errno.h>
#include <stdlib.h>
#include "engine/blame.h"
#include "engine/flights.h"

/* What carries a flight: one request after another until it is through. */
struct carrier {
	struct flights *all;
	struct flight *flight;
	struct pageio io;
	struct retry retry;
	struct alarm again;
	struct carrier *next;	/* while idle */
};

struct flights {
	struct vault *vault;
	struct reactor *rx;
	struct flight *first, **end;	/* waiting for a carrier */
	struct carrier *idle;
	int r;
	struct tm_error error;
	struct carrier carriers[];
};

static void carried(struct pageio *io, int r);

static void try_again(struct alarm *alarm);

int flights_new(struct vault *v, struct reactor *rx, unsigned int most,
		struct flights **ret)
{
	struct flights *fl = calloc(1, sizeof(*fl) +
				    most * sizeof(fl->carriers[0]));
	unsigned int i;

	if (!fl)
		return -ENOMEM;
	fl->vault = v;
	fl->rx = rx;
	fl->end = &fl->first;
	tm_error_clear(&fl->error);
	for (i = 0; i < most; i++) {
		struct carrier *c = &fl->carriers[i];

		c->all = fl;
		c->io.done = carried;
		c->io.arg = c;
		c->again.ring = try_again;
		c->next = fl->idle;
		fl->idle = c;
	}
	*ret = fl;
	return 0;
}

void flights_free(struct flights *fl)
{
	free(fl);
}

int flights_check(const struct flights *fl, struct tm_error *err)
{
	if (fl->r)
		*err = fl->error;
	return fl->r;
}

static void send_write(struct carrier *c, struct flight *f)
{
	struct httpset *requests = c->all->rx->requests;
	struct blob_cond cond = fence_guards(f->fence);
	const struct blob *blob = &f->fence->blob;

	if (f->kind == FLIGHT_PUT)
		pageio_put(&c->io, requests, blob, &cond, f->off, f->data,
			   f->len);
	else
		pageio_clear(&c->io, requests, blob, &cond, f->off, f->len);
}

static void dispatch(struct carrier *c)
{
	struct flights *fl = c->all;
	struct flight *f = c->flight;

	if (!fl->r && f->kind != FLIGHT_READ)
		fl->r = leases_check(f->fence->leases, &fl->error);
	if (fl->r)
		return;
	if (f->kind == FLIGHT_READ)
		pageio_read(&c->io, fl->rx->requests, &f->blob, f->off,
			    f->data, f->len);
	else
		send_write(c, f);
}

static void try_again(struct alarm *alarm)
{
	struct carrier *c = (struct carrier *)((char *)alarm -
					       offsetof(struct carrier, again));

	dispatch(c);
}

static void begin(struct flights *fl, struct carrier *c, struct flight *f)
{
	c->flight = f;
	retry_init(&c->retry, &fl->vault->policy);
	dispatch(c);
}

static void begin_next(struct flights *fl, struct carrier *c)
{
	struct flight *f = fl->first;

	if (!f) {
		c->next = fl->idle;
		fl->idle = c;
		return;
	}
	fl->first = f->next;
	if (!fl->first)
		fl->end = &fl->first;
	begin(fl, c, f);
}

static const char *const verbs[] = {
	[FLIGHT_PUT] = "write",
	[FLIGHT_CLEAR] = "clear pages of",
	[FLIGHT_READ] = "read the snapshot of",
};

static void carried(struct pageio *io, int r)
{
	struct carrier *c = io->arg;
	struct flights *fl = c->all;
	struct flight *f = c->flight;
	unsigned int ms;

	if (fl->r)
		return;
	if (r && retry_due(&c->retry, r, &io->error, &ms)) {
		reactor_after(fl->rx, ms, &c->again);
		return;
	}
	if (r) {
		fl->r = blame_blob(&fl->error, r, &io->error, verbs[f->kind],
				   f->kind == FLIGHT_READ ? &f->blob :
							    &f->fence->blob);
		return;
	}
	if (f->kind != FLIGHT_READ)
		fence_note(f->fence, &io->written);
	begin_next(fl, c);
	f->done(f);
}

void flights_start(struct flights *fl, struct flight *f)
{
	struct carrier *c = fl->idle;

	if (fl->r)
		return;
	if (c) {
		fl->idle = c->next;
		begin(fl, c, f);
		return;
	}
	f->next = NULL;
	*fl->end = f;
	fl->end = &f->next;
}
