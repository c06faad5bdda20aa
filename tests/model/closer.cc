// SPDX-License-Identifier: MIT
/*
 * closer.cc - idle regions are closed again: kmod/closer.c
 */
#include "state.h"

static bool may_close(const struct state &s)
{
	if (s.mode != TRACKING || s.end)
		return false;
	return s.cst == NONE || s.cst == SHIPPING || s.cst == COMMITTING ||
	       (s.cst == MERGING && broken(CLOSE_OVER_MERGE)) ||
	       (s.cst < CUT && broken(CLOSE_OVER_CUT));
}

/* Who holds session->areas. */
static void release(struct state &n)
{
	if (n.areas == CLOSER + 1)
		n.areas = 0;
	n.cpc = CLOSED;
	n.closing = n.inside = n.cepoch = 0;
}

void pick(struct state &n, int regions)
{
	n.areas = CLOSER + 1;
	n.cpc = GRACE;
	n.closing = regions;
	n.cepoch = n.epoch;
	n.open &= ~regions;
	for (int i = 0; i < 2 && !broken(NO_GRACE); i++)
		if (n.wpc[i] == INSIDE)
			n.inside |= 1 << i;
}

static void picks(const struct state &s)
{
	if (!may_close(s) || (s.areas && !broken(CLOSE_OVER_MERGE)))
		return;
	for (int regions = 1; regions < 8; regions++) {
		struct state n = s;

		if (regions & ~s.open)
			continue;
		pick(n, regions);
		step(n, "closer: hides regions %x", regions);
	}
}

static void save(const struct state &s)
{
	bool plain = broken(CLOSE_PLAIN) || broken(CLOSE_LATE);
	struct state n = s;

	if (!chunk_steps(s, CLOSER, s.cepoch, s.ch, plain, "closer"))
		return;
	if (take_failure(n, CLOSER)) {
		lose(n);
		release(n);
		step(n, "closer: chunk sectors failed");
		return;
	}
	if (s.mode != TRACKING) {
		release(n);
		step(n, "closer: gives up");
		return;
	}
	n.cpc = SETTLING;
	step(n, "closer: chunk sectors are saved");
}

/* The regions that nobody wants again. */
static int unwanted(const struct state &s)
{
	return s.closing & ~(s.wanted | s.open);
}

static void clear(struct state &n, int regions)
{
	n.logged &= ~regions;
	n.cpc = CLEARING;
	n.need[CLOSER] = n.cepoch == n.epoch ? sectors_of(n.closing) : 0;
}

static void settle(const struct state &s)
{
	struct state n = s;
	int regions = s.cpc == SETTLING ? unwanted(s) : s.closing;

	n.open |= s.closing & ~regions;
	if (s.cpc == SETTLING && broken(SETTLE_APART)) {
		n.closing = regions;
		n.cpc = SETTLING_APART;
		step(n, "closer: nobody wants regions %x", regions);
		return;
	}
	clear(n, regions);
	step(n, "closer: regions %x are not logged any more", regions);
}

void closer(const struct state &s)
{
	struct state n = s;

	switch (s.cpc) {
	case CLOSED:
		picks(s);
		break;
	case GRACE:
		if (s.inside)
			break;
		n.cpc = SAVING;
		n.need[CLOSER] = sectors_of(s.closing);
		if (broken(COMMIT_FORGETS_LOG) && s.frozen)
			n.need[CLOSER] = 0;
		step(n, "closer: the grace period is over");
		break;
	case SAVING:
		save(s);
		break;
	case SETTLING:
	case SETTLING_APART:
		settle(s);
		break;
	case CLEARING:
		if (!log_steps(s, CLOSER, "closer"))
			break;
		n.log_lock = s.log_lock == CLOSER + 1 ? 0 : s.log_lock;
		if (take_failure(n, CLOSER))
			lose(n);
		release(n);
		step(n, "closer: has ended");
		break;
	}
}
