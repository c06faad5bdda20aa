// SPDX-License-Identifier: MIT
/*
 * property.cc - what has to hold
 */
#include "state.h"

const char *is_reported(const struct state &s, int set, bool after_crash)
{
	for (int c = 0; c < NR_CHUNKS; c++) {
		int is = after_crash ? s.poss[c] : 1 << s.cur[c];

		if (set >> c & 1)
			continue;
		if (is & ~(1 << s.content[s.base][c]))
			return "P1: a chunk may differ from the base, and is "
			       "not reported";
		for (int id = 1; id < 4; id++)
			if ((s.merged >> id & 1) &&
			    (is & ~(1 << s.content[id][c])))
				return "P2: a chunk may differ from a merged "
				       "cut, and is not reported";
	}
	if ((s.acked | s.acked_frozen) & ~set)
		return "PM: a chunk was marked, and is not reported";
	return nullptr;
}

/* Once tracking is lost, or bypassed, the next cut takes everything instead. */
static const char *tracks(const struct state &s)
{
	const char *err = is_reported(s, s.ch | s.chf, false);

	if (err || !s.frozen)
		return err;
	for (int c = 0; c < NR_CHUNKS; c++)
		if (!(s.ch >> c & 1) && s.cur[c] != s.content[s.cut][c])
			return "PC: the current set misses a change since the "
			       "cut";
	return nullptr;
}

const char *live_properties(const struct state &s)
{
	if (s.mode == TRACKING && !s.bypassed) {
		const char *err = tracks(s);

		if (err)
			return err;
	}
	if (s.mode < TRACKING || s.cst < CUT || s.cst > COMMITTING)
		return nullptr;
	for (int c = 0; c < NR_CHUNKS; c++)
		if (!(s.chf >> c & 1) &&
		    s.content[s.base][c] != s.content[s.cut][c])
			return "PF: the frozen set misses a change before the "
			       "cut";
	return nullptr;
}
