// SPDX-License-Identifier: MIT
/*
 * run.cc - what a run does with a cut: userspace/engine, backup.c, precopy.c
 * and plan.c
 *
 * A point is what the vault holds once a cut was sent through its snapshot. A
 * round has no snapshot: it sends what the disk holds by then, maybe half of
 * a write, and its cut becomes the base of no point; only the run that made it
 * goes on from there. Between runs another machine may write into the vault; who
 * goes by a point sees which chunks it was.
 */
#include "state.h"

/* No write has this value: half of one that is in flight. */
enum { HALF = 7, OTHERS = 6 };

static bool goes_on(const struct state &s, int from)
{
	return s.base == from || (from && (s.merged >> from & 1));
}

/* What is read for the cut. */
static int ship_set(const struct state &s)
{
	if (s.follows)
		return goes_on(s, s.follows) ? s.chf : ALL;
	if (!goes_on(s, s.lastpoint))
		return ALL;
	return s.chf | (broken(TOUCHED_IGNORED) ? 0 : s.touched);
}

static const char *check_point(struct state &n)
{
	n.lastpoint = n.cut;
	n.touched = n.follows = 0;
	for (int c = 0; c < NR_CHUNKS; c++)
		if (n.blob[c] != n.content[n.cut][c])
			return "P3: a recovery point differs from the disk";
	return nullptr;
}

static void create_point(const struct state &s)
{
	int set = ship_set(s);
	const char *err;
	struct state n = s;

	for (int c = 0; c < NR_CHUNKS; c++)
		if (set >> c & 1)
			n.blob[c] = n.content[s.cut][c];
	err = check_point(n);
	n.shipped = 1;
	emit(n, err, "point %d is made from %x (%s)", s.cut, set,
	     set == s.chf ? "increment" : "scan");
}

static int in_flight(const struct state &s)
{
	int set = 0;

	for (int i = 0; i < 2; i++)
		if (s.wpc[i] == FLYING)
			set |= s.wm[i];
	return set;
}

static void send_round(const struct state &s, int torn)
{
	const char *err = nullptr;
	int set = ship_set(s);
	struct state n = s;

	if (broken(ROUND_EARLY))
		set &= set - 1;
	for (int c = 0; c < NR_CHUNKS; c++)
		if (set >> c & 1)
			n.blob[c] = torn >> c & 1 ? (int)HALF : s.cur[c];
	n.shipped = n.round = 1;
	n.pleft--;
	if (broken(ROUND_LISTED))
		err = check_point(n);
	emit(n, err, "a round sends %x of the live disk, half written: %x", set,
	     set & torn);
}

static void others(const struct state &s)
{
	/* Not under the leases of a run. */
	if (!s.oleft || s.round || (s.follows && !broken(ROUND_BELIEVED)))
		return;
	for (int c = 0; c < NR_CHUNKS; c++) {
		struct state n = s;

		if (is_symmetric(s, 1 << c))
			continue;
		n.used |= 1 << c;
		n.blob[c] = OTHERS;
		n.touched |= 1 << c;
		n.oleft--;
		step(n, "another writes chunk %d into the vault", c);
	}
}

void run_died(struct state &n)
{
	n.round = 0;
	if (!broken(ROUND_BELIEVED))
		n.follows = 0;
}

void runs(const struct state &s)
{
	struct state n = s;

	if (is_live(s) && s.cst == SHIPPING && !s.shipped) {
		create_point(s);
		if (s.pleft) {
			send_round(s, 0);
			if (in_flight(s))
				send_round(s, in_flight(s));
		}
	}
	others(s);
	if (!s.round && !s.follows)
		return;
	/* The next one gives up what it finds, if it is not a point's. */
	if (s.round && s.cst == SHIPPING)
		n.cst = MERGING;
	run_died(n);
	step(n, "the run dies");
}
