// SPDX-License-Identifier: MIT
/*
 * start.cc - from META to a session: kmod/persist.c, tm_meta_recover() and
 * tm_meta_sweep() of kmod/meta.c
 */
#include "state.h"

/* What all sectors say, of the epochs that the superblock names. */
struct reading {
	int set, logged;
	bool newer, damaged;
};

static int epoch_of(const struct super &p, int area)
{
	if ((p.epoch & 1) == area)
		return p.epoch;
	if (p.frozen)
		return broken(NO_FROZEN) ? -1 : p.epoch - 1;
	return p.next && !broken(NO_NEXT) ? p.epoch + 1 : -1;
}

static void read_one(const struct state &s, const struct super &p, int x,
		     struct reading &r)
{
	int epoch = epoch_of(p, x >> 2), type = x >> 1 & 1, sec = x & 1;
	u16 v = read_sector(s, x);

	if (epoch < 0 && broken(ONE_AREA))
		return;
	if (v & BAD) {
		r.set |= chunks_in(CHUNK, 15, sec) & ALL;
		r.damaged = true;
	} else if (v >> 8 > p.epoch + p.next) {
		r.newer = true;
	} else if (epoch >= 0 && v >> 8 == epoch) {
		r.set |= chunks_in(type, v & 63, sec);
		if (type == REGION)
			r.logged |= v & 63;
	}
}

static const char *judge(const struct state &s, const struct super &p,
			 const struct reading &r)
{
	const char *err = is_reported(s, s.ch, true);

	if (err)
		return err;
	if (r.newer && r.set != ALL && !ROT && !p.lost)
		return "PN: a sector is newer than the superblock";
	if (p.clean && r.logged)
		return "PU: META says clean, and regions are logged";
	return nullptr;
}

/* Sectors that do not yet say what they are to say, of the log or of chunks. */
static int differing(const struct state &s, int type, int set)
{
	int need = 0;

	for (int sec = 0; sec < 2; sec++) {
		u16 v = read_sector(s, sector_at(s.epoch, type, sec));
		int bits = bits_in(type, set, sec);

		if ((v & BAD) || v >> 8 > s.epoch ||
		    (v >> 8 == s.epoch ? (v & 63) != bits : bits))
			need |= 1 << sec;
	}
	return need;
}

/* Sectors of the other area that are not just old. Bits 0, 1 log; 2, 3 chunks
 */
static int unswept(const struct state &s)
{
	int need = 0;

	for (int q = 0; q < 4; q++) {
		u16 v = read_sector(s, sector_at(s.epoch + 1, q >> 1, q & 1));

		if ((v & BAD) || v >> 8 >= s.epoch ||
		    (broken(SWEEP_EARLY) && v >> 8))
			need |= 1 << q;
	}
	return need;
}

static bool super_comes_first()
{
	return broken(SUPER_EARLY) || broken(EPOCH_EARLY);
}

static void recover_super(struct state &n)
{
	struct super super = {};

	super.epoch = n.epoch;
	super.base = n.base;
	super.merged = n.merged;
	super.small = !!n.tail;
	begin_transition(n, super, RECOVER_SUPER);
}

static void begin_chunks(struct state &n)
{
	n.job = RECOVER_CHUNKS;
	n.need[WORKER] = differing(n, CHUNK, n.ch);
}

static void begin_sweep(struct state &n)
{
	n.job = RECOVER_SWEEP;
	n.need[WORKER] = unswept(n);
}

/* A table of the old length; of the larger one, the set would be refused. */
static void forget_growth(struct state &n)
{
	n.tail = TAIL;
	for (int c = 0; c < NR_CHUNKS; c++)
		if (TAIL >> c & 1) {
			n.cur[c] = 0;
			n.poss[c] = 1;
		}
}

bool start(struct state &n, const char **ret_err)
{
	struct reading r = {};
	struct super p, other;
	int i;

	*ret_err = nullptr;
	nr_recoveries++;
	if ((n.super[0] & SUPER_BAD) && (n.super[1] & SUPER_BAD))
		return false;
	other = unpack(n.super[1]);
	p = unpack(n.super[0]);
	i = (n.super[0] & SUPER_BAD) ||
	    (!(n.super[1] & SUPER_BAD) && other.seq > p.seq);
	if (i)
		p = other;
	if (p.small)
		forget_growth(n);
	for (int x = 0; x < NR_SECTORS; x++)
		read_one(n, p, x, r);
	nr_damaged += r.damaged;

	n.mode = STARTING;
	n.first = !i;
	n.seq = p.seq;
	n.epoch = p.epoch + (p.next && !broken(NO_NEXT));
	n.base = p.base;
	n.merged = p.merged | (p.frozen ? 1 << p.cut : 0);
	n.ch = r.newer && !broken(NEWER_BELIEVED) ? ALL : r.set;
	if (p.lost && !broken(LOST_IGNORED)) {
		n.base = n.merged = 0;
		n.ch = ALL;
	}
	if (p.base && p.base == n.cut)
		n.acked_frozen = 0;
	n.cut = 0;
	n.acked |= n.acked_frozen;
	n.acked_frozen = 0;
	n.bypassed = 0;
	*ret_err = judge(n, p, r);

	n.epoch += broken(EPOCH_EARLY);
	if (super_comes_first())
		recover_super(n);
	else
		begin_chunks(n);
	if (broken(ADMIT_EARLY))
		n.mode = TRACKING;
	return true;
}

/* No bit may be set that META does not cover, until the loss is known. */
static void start_failed(struct state &n)
{
	for (int a = 0; a < NR_ACTORS; a++)
		n.need[a] = 0;
	n.failed = n.log_lock = 0;
	n.job = NO_JOB;
	if (!broken(START_KEEPS_BITS))
		n.ch = 0;
	n.gate = LOG;
	lose(n);
}

/* A new set, of which META has no word; but what it had may be read later. */
void start_unread(struct state &n)
{
	n.fleft--;
	n.epoch = 1;
	n.base = n.merged = n.seq = n.first = 0;
	n.ch = ALL;
	start_failed(n);
}

static void started(struct state &n)
{
	n.job = NO_JOB;
	n.mode = TRACKING;
}

void super_recovered(struct state &n, bool ok)
{
	if (!ok)
		start_failed(n);
	else if (super_comes_first())
		begin_chunks(n);
	else if (broken(SWEEP_EARLY))
		started(n);
	else
		begin_sweep(n);
}

/* Before the log is emptied, and before the superblock that rests on it. */
static bool is_flushed(const struct state &s)
{
	if (differing(s, REGION, 0))
		return !broken(EMPTY_EARLY);
	return !broken(FLUSH_RIDES);
}

/* The log first, then chunks, whose sectors are plain writes of epoch 0. */
static bool sweep_steps(const struct state &s)
{
	int q = 0, x;

	if (!s.need[WORKER])
		return !has_pending(s, WORKER);
	if (has_pending(s, WORKER))
		return false;
	while (!(s.need[WORKER] >> q & 1))
		q++;
	x = sector_at(s.epoch + 1, q >> 1, q & 1);

	struct state n = s;

	n.need[WORKER] &= ~(1 << q);
	n.fly[x][WORKER] = q < 2 ? 0 : PLAIN;
	step(n, "recovery: sweeps sector %d", x);
	return false;
}

/* A flush of its own, lest its failure go unheard. */
static void recover_log(struct state &n)
{
	n.need[WORKER] = differing(n, REGION, 0);
	n.job = RECOVER_LOG;
	if (is_flushed(n))
		flush(n);
}

static void go_on(struct state n)
{
	const char *what = "";

	switch (n.job) {
	case RECOVER_CHUNKS:
		if (broken(SWEEP_EARLY))
			begin_sweep(n);
		else
			recover_log(n);
		what = "the union is written";
		break;
	case RECOVER_LOG:
		n.log_lock = 0;
		if (super_comes_first())
			started(n);
		else
			recover_super(n);
		what = "the log is empty";
		break;
	case RECOVER_SWEEP:
		if (broken(SWEEP_EARLY))
			recover_log(n);
		else
			started(n);
		what = "the other area is swept";
		break;
	}
	step(n, "recovery: %s", what);
}

static void begin_session(struct state n)
{
	const char *err;

	if (!start(n, &err) || n.exposed)
		return;
	emit(n, err, "start: reads %x, base %d, epoch %d", n.ch, n.base,
	     n.epoch);
	if (n.fleft) {
		start_unread(n);
		step(n, "start: META cannot be read");
	}
}

void starting(const struct state &s)
{
	struct state n = s;
	bool through = false;

	if (s.mode == DOWN && !s.end) {
		begin_session(n);
		return;
	}
	if (s.job == RECOVER_CHUNKS)
		through =
			chunk_steps(s, WORKER, s.epoch, s.ch, true, "recovery");
	else if (s.job == RECOVER_LOG)
		through = log_steps(s, WORKER, "recovery");
	else if (s.job == RECOVER_SWEEP)
		through = sweep_steps(s);
	if (!through)
		return;
	if (s.failed >> WORKER & 1) {
		start_failed(n);
		step(n, "recovery: META failed");
		return;
	}
	if (s.fleft && s.job == RECOVER_CHUNKS && is_flushed(s)) {
		start_failed(n);
		n.fleft--;
		step(n, "recovery: META failed to flush");
	}
	go_on(s);
}
