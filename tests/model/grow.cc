// SPDX-License-Identifier: MIT
/*
 * grow.cc - a longer table for a live session: kmod/grow.c
 *
 * META is made anew in place. The layout of the larger disk differs, but the
 * worst that this can do to what was written is that it stays to be read, so it
 * does here: only the log is emptied first.
 */
#include "state.h"

/* What is on the disk there is not known; 7 is a version nobody writes. */
static void extend(struct state &n)
{
	n.tail = 0;
	for (int c = 0; c < NR_CHUNKS; c++)
		if (TAIL >> c & 1) {
			n.cur[c] = 7;
			n.poss[c] = 1 << 7;
		}
	n.open = n.logged = n.wanted = 0;
	if ((n.mode != LOST || n.gate == PASS) && !broken(GROW_UNMARKED))
		n.ch |= TAIL;
}

static void resume(struct state &n)
{
	n.job = NO_JOB;
	n.end = n.stage = 0;
	n.susp = RUNNING;
}

static void growth_failed(struct state &n)
{
	n.failed = n.log_lock = n.need[WORKER] = 0;
	n.ch = 0;
	lose(n);
	resume(n);
}

static void remake(struct state &n)
{
	extend(n);
	n.job = GROW_LOG;
	n.need[WORKER] = 15;
}

void begin_growth(struct state &n)
{
	struct super super = session_super(n);

	n.stage = SAY;
	super.lost = 1;
	if (n.mode == LOST) {
		extend(n);
		resume(n);
	} else if (broken(GROW_BELIEVED)) {
		remake(n);
	} else {
		begin_transition(n, super, GROW_LOST);
	}
}

void growth_said(struct state &n, int job, bool ok)
{
	if (job == GROW_LOST && ok) {
		remake(n);
	} else if (ok) {
		resume(n);
	} else {
		if (job == GROW_LOST)
			extend(n);
		growth_failed(n);
	}
}

static void say_grown(const struct state &s)
{
	struct state n = s;

	if (s.fleft && !broken(FLUSH_RIDES)) {
		n.fleft--;
		growth_failed(n);
		step(n, "growth: META failed to flush");
		n = s;
	}
	if (!broken(FLUSH_RIDES))
		flush(n);
	begin_transition(n, session_super(n), GROW_SUPER);
	step(n, "growth: META is made anew");
}

void growing(const struct state &s)
{
	struct state n = s;

	if (s.job == GROW_LOG) {
		if (!log_steps(s, WORKER, "growth"))
			return;
		n.log_lock = 0;
		n.job = GROW_CHUNKS;
		n.need[WORKER] = 3;
	} else if (s.job != GROW_CHUNKS ||
		   !chunk_steps(s, WORKER, s.epoch, s.ch, true, "growth")) {
		return;
	}
	if (s.failed >> WORKER & 1) {
		growth_failed(n);
		step(n, "growth: META failed");
	} else if (s.job == GROW_LOG) {
		step(n, "growth: the log is empty");
	} else {
		say_grown(s);
	}
}
