// SPDX-License-Identifier: MIT
/*
 * meta.cc - the metadata device, and how it is written: kmod/meta.c
 *
 * A write ends at any time after it was begun. One that fails may have landed,
 * durably or in the cache only, or not, or be torn.
 */
#include "state.h"

u32 pack(const struct super &p)
{
	return (u32)p.small << 31 | (u32)p.seq << 24 | (u32)p.epoch << 20 |
	       (u32)p.frozen << 19 | (u32)p.next << 18 | (u32)p.base << 16 |
	       (u32)p.cut << 14 | (u32)p.merged << 10 | (u32)p.lost << 9 |
	       (u32)p.clean << 8 | 1;
}

struct super unpack(u32 w)
{
	struct super p;

	p.small = w >> 31;
	p.seq = w >> 24 & 127;
	p.epoch = w >> 20 & 15;
	p.frozen = w >> 19 & 1;
	p.next = w >> 18 & 1;
	p.base = w >> 16 & 3;
	p.cut = w >> 14 & 3;
	p.merged = w >> 10 & 15;
	p.lost = w >> 9 & 1;
	p.clean = w >> 8 & 1;
	return p;
}

bool is_busy(const struct state &s, int x, enum actor actor)
{
	if (broken(NO_LOG_LOCK))
		return s.fly[x][actor] != NOTHING;
	for (int a = 0; a < NR_ACTORS; a++)
		if (s.fly[x][a] != NOTHING)
			return true;
	return false;
}

bool has_pending(const struct state &s, enum actor actor)
{
	for (int x = 0; x < NR_SECTORS; x++)
		if (s.fly[x][actor] != NOTHING)
			return true;
	return false;
}

void flush(struct state &n)
{
	for (int x = 0; x < NR_SECTORS; x++)
		if (n.cache[x] != NOTHING) {
			n.dur[x] = n.cache[x];
			n.cache[x] = NOTHING;
		}
}

bool take_failure(struct state &n, enum actor actor)
{
	bool failed = n.failed >> actor & 1;

	n.failed &= ~(1 << actor);
	return failed;
}

/* What the log should say of an epoch, to @actor. */
static int log_bits(const struct state &s, enum actor actor, int epoch)
{
	if (actor == WORKER && s.job != PREPARE_LOG)
		return 0;
	if (epoch == s.epoch)
		return broken(FROM_OPEN) ? s.open | s.taken : s.logged;
	if (epoch == s.epoch + 1)
		return broken(FROM_OPEN) ? s.open_next | s.taken
					 : s.logged_next;
	return s.taken;
}

/* An empty sector is of epoch 0, but one that recovery leaves for its own. */
static u16 log_sector(const struct state &s, enum actor actor, int epoch,
		      int sec)
{
	int bits = bits_in(REGION, log_bits(s, actor, epoch), sec);

	if (actor == WORKER && (s.job == MERGE_LOG || s.job == GROW_LOG))
		epoch = 0;
	return sector(epoch, bits);
}

bool log_steps(const struct state &s, enum actor actor, const char *who)
{
	int epoch = actor == OPENER ? s.oepoch : s.epoch, q = 0, x;

	if (!s.need[actor] && !has_pending(s, actor))
		return true;
	if (!s.need[actor] ||
	    (!broken(NO_LOG_LOCK) && s.log_lock && s.log_lock != actor + 1))
		return false;
	while (!(s.need[actor] >> q & 1))
		q++;
	x = sector_at(epoch + (q >> 1), REGION, q & 1);
	if (is_busy(s, x, actor))
		return false;

	struct state n = s;

	n.need[actor] &= ~(1 << q);
	n.log_lock = actor + 1;
	if (actor == CLOSER && broken(CLOSE_LATE))
		flush(n);
	n.fly[x][actor] = log_sector(s, actor, epoch + (q >> 1), q & 1);
	step(n, "%s: writes log sector %d of epoch %d: regions %x", who, q & 1,
	     epoch + (q >> 1), n.fly[x][actor] & 63);
	return false;
}

bool chunk_steps(const struct state &s, enum actor actor, int epoch, int set,
		 bool plain, const char *who)
{
	int sec, x;

	if (!s.need[actor])
		return !has_pending(s, actor);
	sec = s.need[actor] & 1 ? 0 : 1;
	x = sector_at(epoch, CHUNK, sec);
	/* FUA: one after another. The others are begun together. */
	if ((!plain && has_pending(s, actor)) || s.fly[x][actor] != NOTHING)
		return false;

	struct state n = s;

	n.need[actor] &= ~(1 << sec);
	n.fly[x][actor] =
		sector(epoch, bits_in(CHUNK, set, sec)) | (plain ? PLAIN : 0);
	step(n, "%s: writes chunk sector %d of epoch %d: %x", who, sec, epoch,
	     bits_in(CHUNK, set, sec));
	return false;
}

/* ---- the end of a write ---- */

static void sector_fails(const struct state &s, int x, int a)
{
	struct state n = s;
	u16 v = s.fly[x][a] & ~PLAIN;

	n.fleft--;
	n.fly[x][a] = NOTHING;
	n.failed |= 1 << a;
	step(n, "META: write of sector %d fails", x);
	n.cache[x] = v;
	step(n, "META: write of sector %d fails, having landed", x);
	if (!TORN)
		return;
	n.cache[x] = NOTHING;
	n.dur[x] = BAD;
	step(n, "META: write of sector %d fails, torn", x);
}

static void sector_ends(const struct state &s, int x, int a)
{
	struct state n = s;
	u16 v = s.fly[x][a], old = s.cache[x];

	if (s.fleft)
		sector_fails(s, x, a);
	n.fly[x][a] = NOTHING;
	if (!(v & PLAIN)) {
		n.dur[x] = v;
		n.cache[x] = NOTHING;
		step(n, "META: sector %d (%s) durable: epoch %d, %x", x,
		     is_chunk(x) ? "chunks" : "log", v >> 8, v & 63);
		return;
	}
	n.cache[x] = v & ~PLAIN;
	step(n, "META: sector %d (%s) cached: epoch %d, %x", x,
	     is_chunk(x) ? "chunks" : "log", v >> 8, v & 63);
	if (old != NOTHING) {
		n.dur[x] = old;
		step(n, "META: the same, an older one having become durable");
	}
}

/* ---- superblock transitions ---- */

void begin_transition(struct state &n, struct super super, enum job job)
{
	n.job = job;
	/* Lost: the course goes on in memory. */
	if (n.mode == LOST && job != RECORD_LOSS && job != DISOWN_SUPER) {
		transition_ended(n, true);
		return;
	}
	super.seq = ++n.seq;
	n.target = pack(super);
	n.transition = 1;
	n.super_fly[n.first] = n.target;
}

/* A copy is durable, and all that was cached when it was begun. */
static void copy_ends(struct state &n)
{
	n.first = !n.first;
	if (n.transition == 2 || broken(ONE_COPY)) {
		if (broken(ONE_COPY))
			n.super_fly[n.first] = n.target;
		n.transition = 0;
		n.target = 0;
		transition_ended(n, true);
		return;
	}
	n.transition = 2;
	n.super_fly[n.first] = n.target;
}

static void transition_fails(struct state n, const char *how)
{
	n.fleft--;
	if (n.transition) {
		n.transition = 0;
		n.target = 0;
		transition_ended(n, false);
	}
	step(n, "META: write of a superblock fails%s", how);
}

static void super_fails(const struct state &s, int i)
{
	struct state n = s;
	u32 v = s.super_fly[i];

	n.super_fly[i] = 0;
	transition_fails(n, "");
	if (s.transition) {
		/* Device-mapper does not tell a PREFLUSH that failed. */
		struct state m = n;

		m.fleft--;
		m.super[i] = v;
		copy_ends(m);
		step(m, "META: superblock %c durable, its flush failed unheard",
		     'A' + i);
	}
	flush(n);
	n.super[i] = v;
	transition_fails(n, ", having landed");
	if (!TORN)
		return;
	n.super[i] |= SUPER_BAD;
	transition_fails(n, ", torn");
}

void devices(const struct state &s)
{
	for (int x = 0; x < NR_SECTORS; x++)
		for (int a = 0; a < NR_ACTORS; a++)
			if (s.fly[x][a] != NOTHING)
				sector_ends(s, x, a);
	for (int i = 0; i < 2; i++) {
		if (!s.super_fly[i])
			continue;
		if (s.fleft)
			super_fails(s, i);

		struct state n = s;
		struct super p = unpack(s.super_fly[i]);

		flush(n);
		n.super[i] = n.super_fly[i];
		n.super_fly[i] = 0;
		if (n.transition)
			copy_ends(n);
		step(n,
		     "META: superblock %c durable: seq %d epoch %d%s%s base %d "
		     "cut %d merged %x%s%s",
		     'A' + i, p.seq, p.epoch, p.next ? " next" : "",
		     p.frozen ? " frozen" : "", p.base, p.cut, p.merged,
		     p.lost ? " LOST" : "", p.clean ? " clean" : "");
	}
}
