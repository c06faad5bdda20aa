// SPDX-License-Identifier: MIT
/*
 * ship.c - from a disk at its cut into its page blobs
 *
 * The ship set is taken in windows, several of them under way at once. Each
 * goes through these steps, and none of its steps begins before the one before
 * it is acknowledged by the service:
 *
 *	read	the disk, and on other threads compare, piece by piece: chunks
 *		that equal their entries are done with
 *	forget	entries of the others are made zero
 *	send	their pages are put, or cleared where all is zero
 *	note	their entries are written
 *	release	the source need not keep them any longer
 *
 * So an entry that is not zero always tells what the blob holds, whenever the
 * run may die. What is sent is the buffer that was hashed, encrypted where it
 * lies if the disk is to be.
 *
 * Late duplicates. The numbers are raised before the first write, so nothing
 * sent earlier lands among these. Of these, a page of the disk is sent
 * once, or again with the same bytes. A hash page is written by one window
 * only: a duplicate of its `note` says what it said; one of its `forget` that
 * comes after the `note` forgets what was true, which is safe, and is mended at
 * the end of a slab, when the number is raised once more. Where a window is
 * smaller than a hash page covers, windows go one at a time and the number is
 * raised between them.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "engine/entries.h"
#include "engine/intake.h"
#include "engine/roots.h"
#include "engine/ship.h"
#include "engine/window.h"
#include "port/clock.h"

#define READS 32u		/* in flight at once */
#define TELL_NS UINT64_C(200000000)

struct ship;

/* A window on its way. */
struct lane {
	struct ship *ship;
	struct window window;
	void (*next)(struct lane *lane);	/* step, when nothing is left */
	unsigned int left;			/* parts of this step under way */
	uint64_t compared;			/* chunks, until released */
	uint64_t owed;				/* bytes of them not yet sent */
	bool idle;
};

struct ship {
	struct target *target;
	const struct report *report;
	struct reactor rx;
	struct flights *flights;
	struct intake intake;
	void *buffers[SHIP_WINDOWS];
	size_t bytes;			/* of each */
	struct lane lanes[SHIP_WINDOWS];
	unsigned int n;
	uint64_t from, end;		/* chunks of this slab not yet taken */
	bool raised;			/* the numbers, for what is sent here */
	bool wrote;			/* entries, in this slab */
	uint64_t done;			/* chunks */
	struct progress told;		/* last, at the time below */
	uint64_t told_ns;
	int r;
	struct tm_error *err;
};

static void fail(struct ship *s, int r)
{
	if (!s->r)
		s->r = r;
}

static void no_memory(struct ship *s)
{
	fail(s, tm_error_set(s->err, -ENOMEM, TM_EXIT_FAILED,
			     s->target->doc->name,
			     "cannot ship disk '%s': out of memory",
			     s->target->doc->name));
}

/* A part of the lane's step has ended; @lane->left held one for the step. */
static void landed(struct lane *lane)
{
	if (!--lane->left && !lane->ship->r)
		lane->next(lane);
}

/* Begins a step: its parts, then landed() once for itself. */
static void expect(struct lane *lane, void (*next)(struct lane *lane))
{
	lane->left = 1;
	lane->next = next;
}

static void step_read(struct lane *lane);
static void step_forget(struct lane *lane);
static void step_send(struct lane *lane);
static void step_note(struct lane *lane);
static void step_release(struct lane *lane);

static void take_window(struct lane *lane)
{
	struct ship *s = lane->ship;

	lane->idle = true;
	if (s->r || s->from >= s->end)
		return;
	s->from = window_fill(&lane->window, s->from, s->end);
	if (!lane->window.n)
		return;
	lane->idle = false;
	step_read(lane);
}

static void was_taken(struct window *w)
{
	struct lane *lane = w->arg;

	fail(lane->ship, lane->ship->intake.r);
	landed(lane);
}

static void step_read(struct lane *lane)
{
	expect(lane, step_forget);
	intake_window(&lane->ship->intake, &lane->window);
}

static void entries_landed(struct flight *f)
{
	free(f->data);
	f->data = NULL;
	landed(f->arg);
}

/* Sends the dirty pages of the window's entries. */
static void write_entries(struct lane *lane)
{
	struct ship *s = lane->ship;
	struct window *w = &lane->window;
	uint64_t page = tm_hash_page_of(w->chunks[0].index);
	uint64_t end = tm_hash_page_of(w->chunks[w->n - 1].index) + 1;
	struct flight *f = w->flights;
	uint64_t pages;
	void *data;
	int r;

	while (!s->r && (r = entries_take(s->target, &page, end, &pages, &data,
					  s->err))) {
		if (r < 0) {
			fail(s, r);
			return;
		}
		*f = (struct flight){
			.kind = FLIGHT_PUT, .fence = &s->target->hash,
			.data = data,
			.off = page * TM_HASH_PAGE_SIZE,
			.len = pages * TM_HASH_PAGE_SIZE,
			.done = entries_landed, .arg = lane,
		};
		lane->left++;
		s->wrote = true;
		flights_start(s->flights, f++);
		page += pages;
	}
}

/*
 * Before the first write, and between windows that share a page: then nothing
 * is under way but reads.
 */
static void shut_out(struct ship *s, bool shares)
{
	if (!s->raised)
		fail(s, target_raise(s->target, s->err));
	else if (shares && s->wrote)
		fail(s, fence_raise(&s->target->hash, 0, s->err));
	s->raised = true;
}

static void step_forget(struct lane *lane)
{
	struct ship *s = lane->ship;
	struct window *w = &lane->window;
	unsigned int i;

	window_tally(w);
	lane->compared = w->n;
	for (i = 0; i < w->n; i++)
		if (w->chunks[i].fate == FATE_PUT)
			lane->owed += w->chunks[i].len;
	if (!w->differ) {
		step_release(lane);
		return;
	}
	expect(lane, step_send);
	shut_out(s, window_shares(w));
	for (i = 0; i < w->n && !s->r; i++)
		if (w->chunks[i].fate != FATE_SAME &&
		    tm_hashtable_clear(s->target->table, w->chunks[i].index))
			no_memory(s);
	if (!s->r)
		write_entries(lane);
	landed(lane);
}

static void pages_landed(struct flight *f)
{
	struct lane *lane = f->arg;

	if (f->kind == FLIGHT_PUT)
		lane->owed -= f->len;
	landed(lane);
}

static void step_send(struct lane *lane)
{
	struct ship *s = lane->ship;
	struct window *w = &lane->window;
	uint64_t most = s->target->vhd.vault->config->request_size;
	struct flight *f = w->flights;
	unsigned int i, n;

	expect(lane, step_note);
	for (i = 0; i < w->n && !s->r; i += n) {
		const struct chunk *c = &w->chunks[i];
		bool put = c->fate == FATE_PUT;

		n = window_run_of_fate(w, i, put ? most : UINT64_MAX);
		/* A blob made by this run is zero where it was never written. */
		if (c->fate == FATE_SAME || (!put && s->target->vhd.fresh))
			continue;
		*f = (struct flight){
			.kind = put ? FLIGHT_PUT : FLIGHT_CLEAR,
			.fence = &s->target->vhd, .data = c->data,
			.off = s->target->key.data +
			       c->index * s->target->doc->chunk_size,
			.len = window_bytes(w, i, n),
			.done = pages_landed, .arg = lane,
		};
		lane->left++;
		flights_start(s->flights, f++);
	}
	landed(lane);
}

static void step_note(struct lane *lane)
{
	struct ship *s = lane->ship;
	struct window *w = &lane->window;
	unsigned int i;

	expect(lane, step_release);
	for (i = 0; i < w->n && !s->r; i++) {
		const struct chunk *c = &w->chunks[i];

		if (c->fate != FATE_SAME &&
		    tm_hashtable_set(s->target->table, c->index, &c->hash))
			no_memory(s);
	}
	if (!s->r)
		write_entries(lane);
	landed(lane);
}

void ship_report(const struct target *t, const struct report *rep)
{
	report_progress(rep, &(struct progress){
		.stage = "ship", .disk = t->doc->name,
		.total = tm_extents_total(&t->ship) * t->doc->chunk_size,
		.moved = tm_tally_sum(&t->tally).bytes_uploaded,
	});
}

/*
 * Also within windows: on a slow line one takes minutes. What has to be sent
 * again is not taken back.
 */
static void tell(struct ship *s, uint64_t now)
{
	struct target *t = s->target;
	uint64_t compared = s->done, owed = 0, moving, done, moved;
	unsigned int i;

	for (i = 0; i < s->n; i++) {
		compared += s->lanes[i].compared;
		owed += s->lanes[i].owed;
	}
	moving = flights_moving(s->flights, &t->vhd);
	done = compared * t->doc->chunk_size - owed + moving;
	moved = tm_tally_sum(&t->tally).bytes_uploaded - owed + moving;
	s->told = (struct progress){
		.stage = "ship", .disk = t->doc->name,
		.done = done > s->told.done ? done : s->told.done,
		.total = tm_extents_total(&t->ship) * t->doc->chunk_size,
		.moved = moved > s->told.moved ? moved : s->told.moved,
	};
	s->told_ns = now;
	report_progress(s->report, &s->told);
}

static void step_release(struct lane *lane)
{
	struct ship *s = lane->ship;
	struct source *source = s->target->source;
	struct window *w = &lane->window;
	unsigned int i, n;

	for (i = 0; i < w->n && !s->r; i += n) {
		n = window_run(w, i, UINT64_MAX);
		fail(s, source->ops->release(source, w->chunks[i].index, n,
					     s->err));
	}
	s->done += w->n;
	lane->compared = lane->owed = 0;
	tell(s, clock_now_ns());
	take_window(lane);
}

static bool all_idle(const struct ship *s)
{
	unsigned int i;

	for (i = 0; i < s->n; i++)
		if (!s->lanes[i].idle)
			return false;
	return true;
}

/* First and last chunk of the ship set in [@first, @end); false: none. */
static bool span_of(const struct target *t, uint64_t first, uint64_t end,
		    uint64_t *ret_first, uint64_t *ret_count)
{
	const struct tm_extent *e;
	struct tm_extent x;
	uint64_t last;

	if (!tm_extents_next(&t->ship, first, &x) || x.start >= end)
		return false;
	*ret_first = last = x.start;
	tm_extents_for_each(e, &t->ship) {
		if (e->start >= end)
			break;
		if (e->start + e->len > first)
			last = e->start + e->len < end ? e->start + e->len - 1 :
				end - 1;
	}
	*ret_count = last - *ret_first + 1;
	return true;
}

static void ship_slab(struct ship *s, uint64_t slab)
{
	struct target *t = s->target;
	uint64_t first, count, end = slab + ENTRIES_SLAB_CHUNKS;
	unsigned int i;

	if (end > t->chunks)
		end = t->chunks;
	if (!span_of(t, slab, end, &first, &count))
		return;
	roots_widen(t, &first, &count);
	fail(s, entries_load(t, first, count, s->err));
	if (!s->r)
		fail(s, roots_check(t, first, count, s->err));
	s->from = first;
	s->end = end;
	s->wrote = false;
	for (i = 0; i < s->n; i++)
		take_window(&s->lanes[i]);
	while (!s->r && !all_idle(s)) {
		reactor_turn(&s->rx);
		if (clock_now_ns() - s->told_ns >= TELL_NS)
			tell(s, clock_now_ns());
		/* The first failure is the one to tell. */
		if (!s->r)
			fail(s, flights_check(s->flights, s->err));
		if (!s->r)
			fail(s, report_cancelled(s->report, s->err));
	}
	if (!s->r && s->wrote)
		fail(s, entries_settle(t, first, count, s->err));
	if (!s->r)
		fail(s, roots_take(t, first, count, s->err));
	if (!s->r)
		entries_drop(t, first, count);
}

/* No more windows than the ship set fills, and one where they may not meet. */
static unsigned int windows_for(const struct target *t, size_t each)
{
	uint64_t bytes = tm_extents_total(&t->ship) * t->doc->chunk_size;
	uint64_t n = bytes / each + 1, most = SHIP_BYTES / each;

	if (t->doc->chunk_size > each / TM_HASH_PAGE_ENTRIES)
		return 1;
	return (unsigned int)(n < most ? n : most);
}

static int prepare(struct ship *s)
{
	struct target *t = s->target;
	struct vault *v = t->vhd.vault;
	struct http_config http = flights_http(v);
	struct reactor_options options = {
		.http = &http, .reads = READS, .threads = workers_fitting(),
		.buffers = s->buffers,
	};
	unsigned int n;
	int r;

	s->bytes = window_size(t->doc->chunk_size);
	n = windows_for(t, s->bytes);
	for (; s->n < n; s->n++) {
		struct lane *lane = &s->lanes[s->n];

		s->buffers[s->n] = disk_buffer_new(s->bytes);
		if (!s->buffers[s->n])
			return -ENOMEM;
		lane->ship = s;
		r = window_init(&lane->window, t, s->buffers[s->n], s->bytes);
		if (r)
			return r;
		lane->window.taken = was_taken;
		lane->window.arg = lane;
	}
	r = intake_init(&s->intake, t, &s->rx, s->err);
	if (r)
		return r;
	options.n_buffers = s->n;
	options.buffer_len = s->bytes;
	r = reactor_init(&s->rx, &options);
	return r ? r : flights_new(v, &s->rx, &s->flights);
}

/* Entries on their way when the run failed. */
static void free_entries(struct window *w, const struct fence *hash)
{
	unsigned int i;

	for (i = 0; i < w->max; i++)
		if (w->flights[i].fence == hash)
			free(w->flights[i].data);
}

static void clean_up(struct ship *s)
{
	unsigned int i;

	reactor_done(&s->rx);
	flights_free(s->flights);
	intake_done(&s->intake);
	for (i = 0; i < SHIP_WINDOWS; i++) {
		if (s->lanes[i].window.flights)
			free_entries(&s->lanes[i].window, &s->target->hash);
		window_done(&s->lanes[i].window);
		disk_buffer_free(s->buffers[i]);
	}
}

int ship_disk(struct target *t, const struct report *rep, struct tm_error *err)
{
	struct ship s = { .target = t, .report = rep, .err = err };
	uint64_t slab;
	int r;

	ship_report(t, rep);
	if (!tm_extents_total(&t->ship))
		return 0;
	r = prepare(&s);
	if (r)
		fail(&s, tm_error_set(err, r, TM_EXIT_FAILED, t->doc->name,
				      "cannot ship disk '%s': %s", t->doc->name,
				      strerror(-r)));
	for (slab = 0; slab < t->chunks && !s.r; slab += ENTRIES_SLAB_CHUNKS)
		ship_slab(&s, slab);
	clean_up(&s);
	return s.r;
}
