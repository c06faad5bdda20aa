// SPDX-License-Identifier: MIT
/* flights.c - requests for pages, many under way at once */

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include "engine/blame.h"
#include "engine/flights.h"
#include "model/pace.h"
#include "model/schedule.h"
#include "model/throng.h"
#include "port/clock.h"

/* The schedule goes by minutes. */
#define SCHEDULE_NS UINT64_C(10000000000)

/* Before a write that was refused more than once is tried again. */
#define REGAIN_MS 50u

/*
 * What carries a flight: one request after another until it is through. It is
 * idle, or has a request under way, or its alarm is set, or it was refused and
 * waits for the lease, or it has returned and waits for its turn again.
 */
struct carrier {
	struct flights *all;
	struct flight *flight;
	struct pageio io;
	struct retry retry;
	struct alarm again;
	unsigned int regained;
	uint64_t sent_ns;
	struct carrier *next;	/* while idle, refused or returned */
};

/*
 * Whether a blob is still ours, asked on another thread: it may take minutes.
 * Meanwhile no write is sent to it; all else goes on. The thread has a copy of
 * the fence, so that the fence itself is changed here alone.
 */
struct doubt {
	struct work work;
	struct fence *fence;		/* NULL: there is none */
	struct fence copy;
	int r;
	struct tm_error error;
	struct carrier *refused;	/* they wait for this or the next answer */
};

struct flights {
	struct vault *vault;
	struct reactor *rx;
	struct flight *first, **end;	/* waiting for their turn */
	struct alarm turn;		/* of the first, if it has to wait */
	bool turn_set;
	struct tm_throng throng;
	struct tm_schedule schedule;
	struct tm_pace *run, disk;	/* that of the run is its vault's */
	uint64_t scheduled_ns;		/* when the run's pace was last set */
	unsigned int under_way;		/* requests */
	struct carrier *idle;
	struct carrier *returned, **returned_end;
	struct doubt doubt;
	int r;
	struct tm_error error;
	size_t n;
	struct carrier carriers[];
};

static const char *const verbs[] = {
	[FLIGHT_PUT] = "write",
	[FLIGHT_CLEAR] = "clear pages of",
	[FLIGHT_READ] = "read the snapshot of",
};

static void carried(struct pageio *io, int r);

static void try_again(struct alarm *alarm);

static void take_turn(struct alarm *alarm);

static void ask_fence(struct work *work, unsigned int thread);

static void was_asked(struct work *work);

static void init_pace(struct flights *fl, const struct tm_config *config)
{
	uint64_t now = clock_now_ns();

	tm_throng_init(&fl->throng, (unsigned int)config->connections);
	/* It was looked at when the configuration was read. */
	tm_schedule_parse(config->rate_schedule, &fl->schedule, NULL, 0);
	fl->run = &fl->vault->pace;
	tm_pace_init(&fl->disk, now, config->blob_rate, config->blob_requests);
}

int flights_new(struct vault *v, struct reactor *rx, struct flights **ret)
{
	/* Those that wait for an answer about a lease keep no others waiting. */
	size_t i, n = 2 * v->config->connections;
	struct flights *fl = calloc(1, sizeof(*fl) +
				    n * sizeof(fl->carriers[0]));

	if (!fl)
		return -ENOMEM;
	fl->vault = v;
	fl->rx = rx;
	fl->n = n;
	fl->end = &fl->first;
	fl->returned_end = &fl->returned;
	fl->turn.ring = take_turn;
	fl->doubt.work = (struct work){ .run = ask_fence, .done = was_asked };
	tm_error_clear(&fl->error);
	init_pace(fl, v->config);
	for (i = 0; i < n; i++) {
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

struct http_config flights_http(const struct vault *v)
{
	struct http_config http = blobservice_http(v->service);

	http.stall_timeout_s = (unsigned int)v->config->timeout;
	http.timeout_s = (unsigned int)(v->config->timeout *
					v->config->connections);
	return http;
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

static uint64_t bytes_of(const struct flight *f)
{
	return f->kind == FLIGHT_CLEAR ? 0 : f->len;
}

/* Only while a request is under way is there a reply that moves. */
uint64_t flights_moving(const struct flights *fl, const struct fence *to)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < fl->n; i++) {
		const struct carrier *c = &fl->carriers[i];
		uint64_t moved = c->io.call.reply.moved;

		if (!moved || (to ? c->flight->kind != FLIGHT_PUT ||
				    c->flight->fence != to :
				    c->flight->kind != FLIGHT_READ))
			continue;
		sum += moved < c->flight->len ? moved : c->flight->len;
	}
	return sum;
}

static void keep_to_schedule(struct flights *fl, uint64_t now)
{
	const struct tm_config *config = fl->vault->config;
	time_t clock;
	struct tm tm;

	if (!fl->schedule.n ||
	    (fl->scheduled_ns && now - fl->scheduled_ns < SCHEDULE_NS))
		return;
	fl->scheduled_ns = now;
	clock = time(NULL);
	localtime_r(&clock, &tm);
	tm_pace_set(fl->run, now,
		    tm_schedule_rate(&fl->schedule, &tm, config->rate),
		    config->account_requests);
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
	fl->under_way++;
	c->sent_ns = clock_now_ns();
	tm_pace_took(fl->run, c->sent_ns, bytes_of(f));
	tm_pace_took(&fl->disk, c->sent_ns, bytes_of(f));
	if (f->kind == FLIGHT_READ)
		pageio_read(&c->io, fl->rx->requests, &f->blob, f->off,
			    f->data, f->len);
	else
		send_write(c, f);
}

static bool may_go(const struct flights *fl, const struct flight *f)
{
	return f->kind == FLIGHT_READ || f->fence != fl->doubt.fence;
}

static struct carrier **next_returned(struct flights *fl)
{
	struct carrier **at = &fl->returned;

	while (*at && !may_go(fl, (*at)->flight))
		at = &(*at)->next;
	return at;
}

static struct flight **next_first(struct flights *fl)
{
	struct flight **at = &fl->first;

	while (*at && !may_go(fl, *at))
		at = &(*at)->next;
	return at;
}

/* Who is next; those that have been on their way before go first. */
static const struct flight *next_flight(struct flights *fl)
{
	struct carrier *c = *next_returned(fl);

	if (c)
		return c->flight;
	return fl->idle ? *next_first(fl) : NULL;
}

/* Nanoseconds until @f may go; UINT64_MAX: until one has landed. */
static uint64_t wait_ns(struct flights *fl, const struct flight *f,
			uint64_t now)
{
	uint64_t wait = 0, more;

	keep_to_schedule(fl, now);
	if (!tm_throng_room(&fl->throng, now, fl->under_way, &wait))
		return wait ? wait : UINT64_MAX;
	wait = tm_pace_next(fl->run, now, bytes_of(f));
	more = tm_pace_next(&fl->disk, now, bytes_of(f));
	return wait > more ? wait : more;
}

static struct carrier *take_returned(struct flights *fl)
{
	struct carrier **at = next_returned(fl), *c = *at;

	if (!c)
		return NULL;
	*at = c->next;
	if (!*at)
		fl->returned_end = at;
	return c;
}

static struct carrier *load_first(struct flights *fl)
{
	struct flight **at = next_first(fl);
	struct carrier *c = fl->idle;

	fl->idle = c->next;
	c->flight = *at;
	*at = c->flight->next;
	if (!*at)
		fl->end = at;
	c->regained = 0;
	retry_init(&c->retry, &fl->vault->policy);
	return c;
}

/* Begins what may begin. */
static void pump(struct flights *fl)
{
	const struct flight *f;
	struct carrier *c;

	while (!fl->r && !fl->turn_set && (f = next_flight(fl))) {
		uint64_t wait = wait_ns(fl, f, clock_now_ns());

		if (wait == UINT64_MAX)
			return;
		if (!wait) {
			c = take_returned(fl);
			dispatch(c ? c : load_first(fl));
			continue;
		}
		fl->turn_set = true;
		reactor_after(fl->rx, (unsigned int)((wait + 999999) / 1000000),
			      &fl->turn);
	}
}

static void try_again(struct alarm *alarm)
{
	struct carrier *c = (struct carrier *)((char *)alarm -
					       offsetof(struct carrier, again));
	struct flights *fl = c->all;

	c->next = NULL;
	*fl->returned_end = c;
	fl->returned_end = &c->next;
	pump(fl);
}

static void take_turn(struct alarm *alarm)
{
	struct flights *fl = (struct flights *)((char *)alarm -
						offsetof(struct flights, turn));

	fl->turn_set = false;
	pump(fl);
}

/*
 * What the reply says of how much the service bears. One that did not come in
 * time says so too: of the line.
 */
static void learn(struct carrier *c, int r)
{
	const struct blob_error *e = &c->io.error;
	struct tm_throng *throng = &c->all->throng;

	if (!r)
		tm_throng_succeeded(throng);
	else if (e->status == 429 || e->status == 503 || r == -ETIMEDOUT)
		tm_throng_refused(throng, clock_now_ns(), c->sent_ns,
				  e->retry_after_s * UINT64_C(1000000000));
}

static void ask_fence(struct work *work, unsigned int thread)
{
	struct doubt *d = (struct doubt *)work;

	(void)thread;
	d->r = fence_regain(&d->copy, &d->error);
}

static void begin_doubt(struct flights *fl, struct fence *fence)
{
	struct doubt *d = &fl->doubt;

	d->fence = fence;
	d->copy = *fence;
	workers_start(fl->rx->workers, &d->work);
}

static void was_asked(struct work *work)
{
	struct flights *fl = (struct flights *)((char *)work -
						offsetof(struct flights, doubt));
	struct carrier *c = fl->doubt.refused, *next;
	struct fence *fence = fl->doubt.fence;

	fl->doubt.fence = NULL;
	if (fl->r)
		return;
	fl->r = fl->doubt.r;
	if (fl->r) {
		fl->error = fl->doubt.error;
		return;
	}
	fence_regained(fence, &fl->doubt.copy);
	fl->doubt.refused = NULL;
	for (; c; c = next) {
		next = c->next;
		if (c->flight->fence == fence) {
			reactor_after(fl->rx, c->regained > 1 ?
				      REGAIN_MS << c->regained : 0, &c->again);
			continue;
		}
		c->next = fl->doubt.refused;
		fl->doubt.refused = c;
	}
	if (fl->doubt.refused)
		begin_doubt(fl, fl->doubt.refused->flight->fence);
	pump(fl);
}

/* A refusal that may have been for no good reason: true if that is asked now. */
static bool is_doubted(struct carrier *c, int r)
{
	struct flights *fl = c->all;

	if ((r != -EBUSY && r != -ESTALE) || c->flight->kind == FLIGHT_READ ||
	    c->regained++ >= FENCE_REGAIN_MOST)
		return false;
	c->next = fl->doubt.refused;
	fl->doubt.refused = c;
	if (!fl->doubt.fence)
		begin_doubt(fl, c->flight->fence);
	pump(fl);
	return true;
}

static void carried(struct pageio *io, int r)
{
	struct carrier *c = io->arg;
	struct flights *fl = c->all;
	struct flight *f = c->flight;
	unsigned int ms;

	if (fl->r)
		return;
	fl->under_way--;
	learn(c, r);
	if (is_doubted(c, r))
		return;
	if (r && retry_due(&c->retry, r, &io->error, &ms)) {
		reactor_after(fl->rx, ms, &c->again);
		pump(fl);
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
	c->next = fl->idle;
	fl->idle = c;
	f->done(f);
	pump(fl);
}

void flights_start(struct flights *fl, struct flight *f)
{
	f->next = NULL;
	*fl->end = f;
	fl->end = &f->next;
	pump(fl);
}
