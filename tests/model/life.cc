// SPDX-License-Identifier: MIT
/*
 * life.cc - from table to table, and the end: kmod/session.c, kmod/origin.c
 *
 * A table that names the same set takes the session over while the device is
 * suspended, and nothing changes. Without one, or with the device, the session
 * ends: orderly, when nothing can be written past it, or disowned.
 */
#include "state.h"

void forget(struct state &n)
{
	for (int x = 0; x < NR_SECTORS; x++)
		for (int a = 0; a < NR_ACTORS; a++)
			n.fly[x][a] = NOTHING;
	memset(n.super_fly, 0, sizeof(n.super_fly));
	memset(n.wpc, 0, sizeof(n.wpc));
	memset(n.wm, 0, sizeof(n.wm));
	memset(n.wv, 0, sizeof(n.wv));
	memset(n.need, 0, sizeof(n.need));
	n.target = 0;
	n.mode = DOWN;
	n.gate = n.recorded = n.epoch = n.seq = n.first = n.merged = 0;
	n.ch = n.chf = n.open = n.open_next = n.logged = n.logged_next = 0;
	n.wanted = n.next = n.has_next = n.frozen = 0;
	n.cst = n.held = n.susp = n.shipped = n.round = 0;
	n.mst = n.mm = n.dropped = n.unacked = 0;
	n.log_lock = n.areas = n.failed = 0;
	n.opening = n.taken = n.odual = n.oepoch = 0;
	n.cpc = n.closing = n.inside = n.cepoch = 0;
	n.job = n.transition = n.picked = n.end = n.stage = 0;
}

static void ends(const struct state &s, enum end end)
{
	static const char *const what[] = {
		[NO_END] = "",
		[ORDERLY] = "the device ends",
		[REPLACED] = "a table without the target takes its place",
		[GROWS] = "a longer table takes its place",
	};
	struct state n = s;

	n.lleft -= end != GROWS;
	n.end = end;
	n.stage = STOP;
	n.bypassed = end == REPLACED && EARLY;
	step(n, "%s", what[end]);
}

void tables(const struct state &s)
{
	struct state n = s;

	if (!is_live(s))
		return;
	switch (s.susp) {
	case RUNNING:
		if (s.cst != PREPARED && !RELOAD && !s.lleft && !s.tail)
			break;
		n.susp = SUSPENDING;
		step(n, "suspend");
		break;
	case SUSPENDING:
		for (int i = 0; i < 2; i++)
			if (s.wpc[i] != IDLE)
				return;
		n.susp = QUIESCED;
		step(n, "suspended: nothing is in flight");
		break;
	case QUIESCED:
		n.susp = RUNNING;
		n.held = 0;
		step(n, "resume%s", RELOAD ? ", maybe with a new table" : "");
		if (s.tail)
			ends(s, GROWS);
		if (s.lleft) {
			ends(s, ORDERLY);
			ends(s, REPLACED);
		}
		break;
	}
}

/* tm_session_close(), from flush_workqueue() on. */
static void stop(const struct state &s)
{
	struct state n = s;

	if (s.cpc || s.job || s.transition)
		return;
	if ((s.opening || s.mst) && !broken(END_OPENING))
		return;
	n.stage = MERGE;
	if (s.cst != NONE && !broken(END_UNMERGED))
		n.cst = MERGING;
	step(n, "end: no work runs%s", n.cst ? ", the cut is given up" : "");
}

static void say(struct state &n)
{
	struct super super = session_super(n);

	n.stage = SAY;
	if (n.end == REPLACED || n.mode == LOST) {
		super.lost = 1;
		begin_transition(n, super, DISOWN_SUPER);
	} else {
		super.clean = 1;
		super.frozen = super.cut = super.next = 0;
		begin_transition(n, super, SAVE_SUPER);
	}
}

static void after_merge(const struct state &s)
{
	struct state n = s;

	if (s.job || s.transition || (s.cst && !broken(END_UNMERGED)))
		return;
	if (s.end == GROWS) {
		begin_growth(n);
		step(n, "growth: begins");
		return;
	}
	if (s.end == REPLACED || s.mode == LOST) {
		if (broken(DISOWN_NOTHING)) {
			n.bypassed = s.end == REPLACED;
			forget(n);
			step(n, "end: META is told nothing");
		} else {
			say(n);
			step(n, "end: META is told that it is lost");
		}
		return;
	}
	if (broken(CLEAN_EARLY)) {
		say(n);
		step(n, "end: META is told that it is clean");
		return;
	}
	n.stage = CLOSE;
	if (s.open)
		pick(n, s.open);
	step(n, "end: closes regions %x", s.open);
}

/* A failure here leaves META as it was: what is logged counts as changed. */
static void after_close(const struct state &s)
{
	struct state n = s;

	if (s.cpc)
		return;
	if (s.mode == LOST || broken(CLEAN_EARLY))
		forget(n);
	else
		say(n);
	step(n, s.mode == LOST ? "end: it could not be saved"
			       : "end: META is told that it is clean");
}

void saved(struct state &n, bool ok)
{
	bool replaced = n.end == REPLACED;

	if (n.job == SAVE_SUPER && broken(CLEAN_EARLY) && ok) {
		n.job = NO_JOB;
		n.stage = CLOSE;
		if (n.open)
			pick(n, n.open);
		return;
	}
	/* What goes past it is believed, if META could not be told. */
	if (n.job == DISOWN_SUPER && ok)
		n.exposed = 0;
	else if (replaced || n.recorded == ELSEWHERE)
		n.exposed = 1;
	n.bypassed = replaced;
	forget(n);
}

static void write_past(const struct state &s)
{
	for (int c = 0; c < NR_CHUNKS && s.wleft; c++) {
		struct state n = s;

		if (is_symmetric(s, 1 << c))
			continue;
		n.used |= 1 << c;
		n.cur[c] = W - s.wleft + 1;
		n.poss[c] |= 1 << n.cur[c];
		n.wleft--;
		step(n, "a write of chunk %d goes past the target", c);
	}
}

void ending(const struct state &s)
{
	if (s.bypassed)
		write_past(s);
	if (!s.end)
		return;
	if (s.stage == STOP)
		stop(s);
	else if (s.stage == MERGE)
		after_merge(s);
	else if (s.stage == CLOSE)
		after_close(s);
}
