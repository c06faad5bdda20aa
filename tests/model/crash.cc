// SPDX-License-Identifier: MIT
/*
 * crash.cc - what a crash may leave of META and of the origin
 *
 * Power is cut: of what was not flushed any subset is lost, on each device, and
 * what was in flight landed, or not, or is torn. Or the machine is reset: what
 * the devices have in their caches stays.
 */
#include <cstdio>
#include "state.h"

static void describe(const struct state &s, char *buf, size_t size)
{
	size_t k = 0;

	*buf = '\0';
	if (!tracing)
		return;
	for (int x = 0; x < NR_SECTORS && k < size; x++) {
		u16 v = read_sector(s, x);

		k += snprintf(buf + k, size - k,
			      " %c%d.%d=", is_chunk(x) ? 'C' : 'L', x >> 2,
			      x & 1);
		if (k < size)
			k += v & BAD ? snprintf(buf + k, size - k, "bad")
				     : snprintf(buf + k, size - k, "%d:%x",
						v >> 8, v & 63);
	}
}

/* All is decided: the machine starts again. */
static void restart(struct state n, const char *how)
{
	const char *err;
	char found[160];

	describe(n, found, sizeof(found));
	forget(n);
	run_died(n);
	if (!start(n, &err))
		return;
	/* After the last crash nothing is to be seen but this. */
	if (err || n.xleft)
		emit(n, err, "CRASH (%s): META%s; read: %x, base %d, epoch %d",
		     how, found, n.ch, n.base, n.epoch);
	if (n.fleft && n.xleft) {
		start_unread(n);
		step(n, "CRASH (%s): META%s; it cannot be read", how, found);
	}
}

static void crash_origin(const struct state &s, int c, const char *how)
{
	/* poss is what counts; which it was matters for those that follow. */
	if (c == NR_CHUNKS || !s.xleft) {
		restart(s, how);
		return;
	}
	for (int v = 0; v < 8; v++)
		if (s.poss[c] >> v & 1) {
			struct state n = s;

			n.poss[c] = 1 << v;
			n.cur[c] = v;
			crash_origin(n, c + 1, how);
		}
}

static void crash_sector(const struct state &s, int x)
{
	u16 left[8];
	int nr = 0;

	if (x == NR_SECTORS) {
		crash_origin(s, 0, "power");
		return;
	}
	left[nr++] = s.dur[x];
	if (s.cache[x] != NOTHING)
		left[nr++] = s.cache[x];
	for (int a = 0; a < NR_ACTORS; a++)
		if (s.fly[x][a] != NOTHING) {
			left[nr++] = s.fly[x][a] & ~PLAIN;
			if (TORN)
				left[nr++] = BAD;
		}
	for (int i = 0; i < nr; i++) {
		struct state n = s;
		bool seen = false;

		for (int j = 0; j < i; j++)
			seen = seen || left[j] == left[i];
		if (seen)
			continue;
		n.dur[x] = left[i];
		n.cache[x] = NOTHING;
		crash_sector(n, x + 1);
	}
}

/* What the machine had given to its devices is done, or is not. */
static void reset_machine(const struct state &s, int x)
{
	struct state n = s;

	if (x == NR_SECTORS) {
		for (int i = 0; i < 2; i++)
			if (s.wpc[i] == FLYING) {
				n.wpc[i] = IDLE;
				reset_machine(n, x);
				for (int c = 0; c < NR_CHUNKS; c++)
					if (s.wm[i] >> c & 1)
						n.cur[c] = s.wv[i];
				reset_machine(n, x);
				return;
			}
		restart(s, "reset");
		return;
	}
	for (int a = 0; a < NR_ACTORS; a++) {
		u16 v = s.fly[x][a];

		if (v == NOTHING)
			continue;
		n.fly[x][a] = NOTHING;
		reset_machine(n, x);
		if (v & PLAIN) {
			n.cache[x] = v & ~PLAIN;
		} else {
			n.dur[x] = v;
			n.cache[x] = NOTHING;
		}
		reset_machine(n, x);
		return;
	}
	reset_machine(s, x + 1);
}

/* A copy that has landed, even torn, comes after all that was cached. */
static void crash_super(const struct state &s, int i, bool power, bool rotten)
{
	struct state n = s;
	u32 v = s.super_fly[i & 1];

	if (i == 2) {
		if (power)
			crash_sector(s, 0);
		else
			reset_machine(s, 0);
		return;
	}
	n.super_fly[i] = 0;
	crash_super(n, i + 1, power, rotten);
	if (ROT && !rotten && !(n.super[i] & SUPER_BAD)) {
		n.super[i] |= SUPER_BAD;
		crash_super(n, i + 1, power, true);
	}
	if (!v)
		return;
	flush(n);
	n.super[i] = v;
	crash_super(n, i + 1, power, rotten);
	if (TORN) {
		n.super[i] |= SUPER_BAD;
		crash_super(n, i + 1, power, rotten);
	}
}

void crash(const struct state &s)
{
	struct state n = s;

	/* What nobody promised: see "When META fails" in kmod/design.md. */
	if (!s.xleft || s.exposed || s.recorded == ELSEWHERE)
		return;
	n.xleft--;
	crash_super(n, 0, true, false);
	if (RESET)
		crash_super(n, 0, false, false);
}
