// SPDX-License-Identifier: MIT
/*
 * region.cc - writers, marks, the opener, and what a loss makes of them:
 * kmod/region.c, and tm_session_lose() and tm_session_pass()
 */
#include "state.h"

/* What map() makes of a write: where it goes from here. */
static int look(const struct state &s, int chunks)
{
	if (!(chunks & ~s.ch))
		return MARKED;
	if (s.gate == PASS || !(regions_of(chunks) & ~s.open))
		return INSIDE;
	return s.gate == FAIL ? IDLE : WAITING;
}

static void send(struct state &n, int i)
{
	n.wpc[i] = look(n, n.wm[i]);
	if (n.wpc[i] == WAITING)
		n.wanted |= regions_of(n.wm[i]);
	if (n.wpc[i] == IDLE)
		n.wm[i] = n.wv[i] = 0;
}

static const char *where(int wpc)
{
	return wpc == MARKED   ? "all marked"
	       : wpc == INSIDE ? "regions open"
	       : wpc == IDLE   ? "fails"
			       : "waits";
}

/* Of chunks and regions that are alike, the first comes first. */
bool is_symmetric(const struct state &s, int chunks)
{
	return (chunks == 2 && !(s.used & 1)) ||
	       (chunks == 8 && !(s.used & 4)) ||
	       (chunks == 32 && !(s.used & 16)) ||
	       (chunks == 4 && !(s.used & 3));
}

static void new_write(const struct state &s, int i)
{
	/* The last is a bio over two regions. */
	static const int masks[] = { 1, 2, 4, 8, 16, 32, 6 };

	if (s.susp || !s.wleft || !is_live(s) || (i && s.wpc[0] == IDLE))
		return;
	for (int q = 0; q < 6 + !!SPAN; q++) {
		struct state n = s;

		if (is_symmetric(s, masks[q]) || (masks[q] & s.tail))
			continue;
		n.used |= masks[q];
		n.wm[i] = masks[q];
		n.wv[i] = W - n.wleft + 1;
		n.wleft--;
		send(n, i);
		step(n, "W%d: writes chunks %x, version %d: %s", i, masks[q],
		     W - s.wleft + 1, where(n.wpc[i]));
	}
}

static bool overlaps(const struct state &s, int i)
{
	return s.wpc[!i] == FLYING && (s.wm[!i] & s.wm[i]);
}

static void writer(const struct state &s, int i)
{
	struct state n = s;

	switch (s.wpc[i]) {
	case IDLE:
		new_write(s, i);
		break;
	case RECHECK:
		if (broken(NO_RECHECK))
			n.wpc[i] = INSIDE;
		else
			send(n, i);
		step(n, "W%d: looks again: %s", i, where(n.wpc[i]));
		break;
	case INSIDE:
		n.ch |= n.wm[i];
		n.wpc[i] = MARKED;
		n.inside &= ~(1 << i);
		step(n, "W%d: marks", i);
		break;
	case MARKED:
		if (overlaps(s, i))
			break;
		n.wpc[i] = FLYING;
		for (int c = 0; c < NR_CHUNKS; c++)
			if (n.wm[i] >> c & 1)
				n.poss[c] |= 1 << n.wv[i];
		step(n, "W%d: goes to the origin", i);
		break;
	case FLYING:
		n.wpc[i] = IDLE;
		for (int c = 0; c < NR_CHUNKS; c++)
			if (n.wm[i] >> c & 1)
				n.cur[c] = n.wv[i];
		n.wm[i] = n.wv[i] = 0;
		step(n, "W%d: has ended", i);
		break;
	}
}

void writers(const struct state &s)
{
	if (s.mode < TRACKING)
		return;
	for (int i = 0; i < NW; i++)
		writer(s, i);
}

/* ---- marks by message ---- */

static void new_mark(const struct state &s, int chunks)
{
	struct state n = s;

	n.mleft--;
	n.used |= chunks;
	n.unacked = chunks;
	if (broken(MARK_AT_ONCE) || s.gate == PASS) {
		n.ch |= chunks;
	} else if (s.gate == LOG) {
		n.mst = MARK_WAITS;
		n.mm = chunks;
		n.wanted |= regions_of(chunks);
	} else {
		n.dropped = 1;
	}
	step(n, "mark of chunks %x%s", chunks,
	     n.mst ? ": waits for the log" : "");
}

/* Userspace counts on it when status does not say "waiting". */
static void see_mark(const struct state &s)
{
	struct state n = s;

	if (any_writer(s, WAITING, COLLECTED) || s.mst ||
	    (s.dropped && s.gate != PASS && !broken(MARK_FORGOTTEN)))
		return;
	n.acked |= n.unacked;
	n.unacked = 0;
	step(n, "status: the mark is no longer waiting");
}

void marks(const struct state &s)
{
	if (!is_live(s))
		return;
	if (s.unacked)
		see_mark(s);
	if (!s.mleft || s.unacked || s.mst)
		return;
	for (int m = 1; m < 32; m *= 2)
		if (!is_symmetric(s, m) && !(m & s.tail))
			new_mark(s, m);
}

/* ---- the loss ---- */

static void drop_mark(struct state &n)
{
	n.mst = NO_MARK;
	n.mm = 0;
	n.dropped = 1;
}

void lose(struct state &n)
{
	n.mode = LOST;
	if (n.gate != LOG)
		return;
	n.gate = HOLD;
	if (n.mst == MARK_WAITS)
		drop_mark(n);
	if (broken(FILL_AT_LOSS))
		n.ch = ALL;
	if (broken(PASS_EARLY))
		pass(n);
}

static void let_go(struct state &n, int wpc)
{
	for (int i = 0; i < 2; i++)
		if (n.wpc[i] == WAITING || n.wpc[i] == COLLECTED) {
			n.wpc[i] = wpc;
			if (wpc == IDLE)
				n.wm[i] = n.wv[i] = 0;
		}
}

void pass(struct state &n)
{
	n.ch = ALL;
	n.gate = PASS;
	n.dropped = 0;
	let_go(n, RECHECK);
}

/* META does not answer, or not in time that it is lost. */
void timeout(const struct state &s)
{
	struct state n = s;

	if (!TMO || !is_live(s) || !any_writer(s, WAITING, COLLECTED) ||
	    (s.gate == LOG && !s.opening))
		return;
	lose(n);
	if (TMO == 1) {
		n.exposed = n.recorded == UNRECORDED;
		pass(n);
	} else {
		n.gate = FAIL;
		let_go(n, IDLE);
	}
	step(n, "time is over: what waits %s", TMO == 1 ? "passes" : "fails");
}

/* ---- the opener ---- */

static void collect(const struct state &s)
{
	struct state n = s;
	int taken = 0, sectors;

	if (s.gate != LOG ||
	    (!any_writer(s, WAITING, WAITING) && s.mst != MARK_WAITS))
		return;
	for (int i = 0; i < 2; i++)
		if (s.wpc[i] == WAITING) {
			taken |= regions_of(s.wm[i]);
			n.wpc[i] = COLLECTED;
		}
	if (s.mst == MARK_WAITS) {
		taken |= regions_of(s.mm);
		n.mst = MARKING;
	}
	n.opening = 1;
	n.taken = taken;
	n.odual = s.next;
	n.oepoch = s.epoch;
	if (broken(WANTED_QUEUED))
		n.wanted &= ~taken;
	else if (!broken(WANTED_ONCE))
		n.wanted |= taken;
	sectors = sectors_of(taken);
	n.logged |= taken;
	if (s.next) {
		n.logged_next |= taken;
		if (!broken(NEXT_OPENED))
			sectors |= sectors << 2;
	}
	n.need[OPENER] = sectors;
	if (broken(OPEN_EARLY)) {
		n.open |= taken;
		if (s.next)
			n.open_next |= taken;
		let_go(n, RECHECK);
	}
	step(n, "opener: collects, regions %x%s", taken,
	     s.next ? ", for both epochs" : "");
}

static void publish(struct state &n)
{
	n.open |= n.taken;
	/* What was the next epoch then may be the current one in a mistake. */
	if (n.odual && n.oepoch == n.epoch)
		n.open_next |= n.taken;
	if (n.mst == MARKING) {
		n.ch |= n.mm;
		n.mst = NO_MARK;
		n.mm = 0;
	}
	n.wanted &= ~n.taken;
	for (int i = 0; i < 2; i++)
		if (n.wpc[i] == COLLECTED)
			n.wpc[i] = RECHECK;
	n.opening = n.taken = n.odual = n.oepoch = 0;
}

static void unpublish(struct state &n)
{
	if (n.mst == MARKING)
		drop_mark(n);
	for (int i = 0; i < 2; i++)
		if (n.wpc[i] == COLLECTED)
			n.wpc[i] = WAITING;
	n.opening = n.taken = n.odual = n.oepoch = 0;
}

void opener(const struct state &s)
{
	struct state n = s;

	if (s.mode < TRACKING)
		return;
	if (!s.opening) {
		collect(s);
		return;
	}
	if (!log_steps(s, OPENER, "opener"))
		return;
	n.log_lock = s.log_lock == OPENER + 1 ? 0 : s.log_lock;
	if (take_failure(n, OPENER) && !broken(PUBLISH_FAILED)) {
		lose(n);
		unpublish(n);
		step(n, "opener: the log failed");
	} else {
		publish(n);
		step(n, "opener: regions are open: %x", n.open);
	}
}
