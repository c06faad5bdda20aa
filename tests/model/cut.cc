// SPDX-License-Identifier: MIT
/*
 * cut.cc - prepare, cut, commit, abort, and the worker: kmod/cut.c, and
 * record_loss() of kmod/session.c
 */
#include "state.h"

/* ---- messages ---- */

static void prepare_message(const struct state &s)
{
	struct state n = s;

	if (!s.cleft || s.cst != NONE)
		return;
	n.cut = CUTS - s.cleft + 1;
	n.cleft--;
	n.cst = PREPARING;
	step(n, "prepare %d", n.cut);
}

static bool may_cut(const struct state &s)
{
	if (s.cst != PREPARED)
		return false;
	if (s.susp != QUIESCED && !(broken(CUT_UNDRAINED) && s.susp))
		return false;
	return (!s.opening && s.mst == NO_MARK) || broken(CUT_OPENING);
}

static void cut_message(const struct state &s)
{
	struct state n = s;

	if (!may_cut(s))
		return;
	memcpy(n.content[s.cut], s.cur, sizeof(s.cur));
	n.chf = s.mode == LOST && !broken(CUT_UNFILLED) ? ALL : s.ch;
	n.ch = 0;
	if (!broken(OPEN_SURVIVES))
		n.open = s.open_next;
	n.logged = s.logged_next;
	n.open_next = n.logged_next = n.next = n.has_next = 0;
	n.frozen = 1;
	n.epoch++;
	n.held = 1;
	n.cst = CUT;
	n.acked_frozen = s.acked;
	n.acked = 0;
	/* Its bit is in the frozen set, if it is anywhere. */
	if (s.mst == NO_MARK)
		n.unacked = 0;
	step(n, "cut %d: frozen %x, open %x", s.cut, n.chf, n.open);
}

void messages(const struct state &s)
{
	struct state n = s;

	if (!is_live(s))
		return;
	prepare_message(s);
	cut_message(s);
	if (s.cst == SHIPPING && s.shipped) {
		n.cst = COMMITTING;
		step(n, "commit %d", s.cut);
	}
	if (STEAL && s.cst >= PREPARING && s.cst <= SHIPPING) {
		n = s;
		n.cst = MERGING;
		step(n, "abort %d", s.cut);
	}
	if (CONFIRM && s.mode == LOST && s.recorded == UNRECORDED) {
		n = s;
		n.recorded = ELSEWHERE;
		pass(n);
		step(n, "lost-recorded");
	}
}

/* ---- the worker ---- */

struct super session_super(const struct state &s)
{
	struct super p = {};

	p.epoch = s.epoch;
	p.base = s.base;
	p.merged = s.merged;
	p.small = !!s.tail;
	p.next = s.cst == PREPARED;
	p.frozen = !p.next && s.frozen;
	if (p.next || p.frozen)
		p.cut = s.cut;
	return p;
}

static void begin_prepare(struct state &n)
{
	struct super super = session_super(n);

	super.next = 1;
	super.cut = n.cut;
	if (broken(LOG_FIRST))
		n.job = PREPARE_AREAS;
	else
		begin_transition(n, super, PREPARE_SUPER);
}

/* The closer is through before there is a cut, whatever the mode. */
static bool closer_is_out(const struct state &s)
{
	if (!s.areas || broken(CLOSE_OVER_CUT))
		return true;
	return broken(CLOSE_OVER_LOST_CUT) && s.mode == LOST;
}

static void end_prepare(struct state &n)
{
	n.has_next = 1;
	n.job = NO_JOB;
	if (n.cst == PREPARING)
		n.cst = PREPARED;
}

static void log_next(const struct state &s)
{
	struct state n = s;

	if (s.job == PREPARE_AREAS) {
		if (!closer_is_out(s))
			return;
		if (s.mode == TRACKING) {
			n.picked = s.open;
			n.logged_next = s.open;
			n.next = 1;
			if (!broken(NEXT_UNLOGGED))
				n.need[WORKER] = sectors_of(s.open) << 2;
			if (!broken(CLOSE_OVER_CUT))
				n.areas = WORKER + 1;
			n.job = PREPARE_LOG;
		} else {
			end_prepare(n);
		}
		step(n, "prepare: what is open: %x", s.open);
		return;
	}
	if (!log_steps(s, WORKER, "prepare"))
		return;
	n.log_lock = s.log_lock == WORKER + 1 ? 0 : s.log_lock;
	if (n.areas == WORKER + 1)
		n.areas = 0;
	if (take_failure(n, WORKER))
		lose(n);
	else
		n.open_next |= s.picked;
	n.picked = 0;
	if (broken(LOG_FIRST) && n.mode == TRACKING) {
		struct super super = session_super(n);

		super.next = 1;
		super.cut = n.cut;
		begin_transition(n, super, PREPARE_SUPER);
	} else {
		end_prepare(n);
	}
	step(n, "prepare: what is open is so in the next epoch");
}

static void begin_commit(struct state &n)
{
	struct super super = session_super(n);

	for (int c = 0; c < NR_CHUNKS && !broken(COMMIT_UNFLUSHED); c++) {
		n.poss[c] = 1 << n.cur[c];
		for (int i = 0; i < 2; i++)
			if (n.wpc[i] == FLYING && (n.wm[i] >> c & 1))
				n.poss[c] |= 1 << n.wv[i];
	}
	super.base = n.cut;
	super.frozen = super.cut = super.merged = 0;
	begin_transition(n, super, COMMIT_SUPER);
}

static void begin_merge(struct state &n)
{
	n.job = MERGE_AREAS;
	if (!n.frozen ||
	    (n.mode == LOST && n.gate != PASS && !broken(MERGE_LOST)))
		return;
	if (broken(MERGE_PLAIN)) {
		n.picked = n.ch | n.chf;
		n.job = MERGE_WORDS;
	} else {
		n.ch |= n.chf;
	}
}

/* What the merge leaves to be written: sectors of the log, or of chunks. */
static void merge_areas(const struct state &s)
{
	struct state n = s;

	if (s.areas && !broken(CLOSE_OVER_MERGE))
		return;
	if (s.has_next && s.opening && !broken(GIVE_UP_OPENING))
		return;
	n.next = 0;
	if (!broken(CLOSE_OVER_MERGE))
		n.areas = WORKER + 1;
	n.job = MERGE_LOG;
	if (s.mode == TRACKING && s.has_next && !broken(GIVE_UP_LOGGED))
		n.need[WORKER] = sectors_of(s.logged_next) << 2;
	step(n, "merge: the opener is through");
}

static void merge_super(struct state &n)
{
	struct super super = session_super(n);

	if (n.areas == WORKER + 1)
		n.areas = 0;
	if (take_failure(n, WORKER))
		lose(n);
	super.frozen = super.cut = 0;
	if (n.frozen)
		super.merged |= 1 << n.cut;
	begin_transition(n, super, MERGE_SUPER);
}

static void merge(const struct state &s)
{
	struct state n = s;

	switch (s.job) {
	case MERGE_WORDS:
		n.ch = s.picked;
		n.picked = 0;
		n.job = MERGE_AREAS;
		step(n, "merge: stores words");
		break;
	case MERGE_AREAS:
		merge_areas(s);
		break;
	case MERGE_LOG:
		if (!log_steps(s, WORKER, "merge"))
			break;
		n.log_lock = s.log_lock == WORKER + 1 ? 0 : s.log_lock;
		n.job = MERGE_CHUNKS;
		if (s.frozen && s.mode == TRACKING && !broken(MERGE_UNSAVED) &&
		    !(s.failed >> WORKER & 1))
			n.need[WORKER] = sectors_of(regions_of(s.chf));
		step(n, "merge: the next epoch's log is empty");
		break;
	case MERGE_CHUNKS:
		if (!chunk_steps(s, WORKER, s.epoch, s.ch, false, "merge"))
			break;
		merge_super(n);
		step(n, "merge: chunk sectors are saved");
		break;
	}
}

static void end_cut(struct state &n, bool merged)
{
	if (merged)
		n.acked |= n.acked_frozen;
	n.acked_frozen = 0;
	n.frozen = n.has_next = n.shipped = n.held = 0;
	n.round = 0;
	n.chf = n.cut = n.open_next = n.logged_next = 0;
	n.cst = NONE;
}

static void loss_ended(struct state &n, bool ok)
{
	if (!ok || n.recorded)
		return;
	n.recorded = ON_META;
	n.exposed = 0;
	pass(n);
}

void transition_ended(struct state &n, bool ok)
{
	int job = n.job;

	n.job = NO_JOB;
	if (!ok && n.mode == TRACKING)
		lose(n);
	switch (job) {
	case RECORD_LOSS:
		loss_ended(n, ok);
		break;
	case PREPARE_SUPER:
		if (broken(LOG_FIRST))
			end_prepare(n);
		else
			n.job = PREPARE_AREAS;
		break;
	case SETTLE_SUPER:
		if (n.cst == CUT)
			n.cst = SHIPPING;
		break;
	case COMMIT_SUPER:
		n.base = n.cut;
		n.merged = 0;
		if (n.round)
			n.follows = n.cut;
		end_cut(n, false);
		break;
	case MERGE_SUPER:
		if (n.frozen)
			n.merged |= 1 << n.cut;
		end_cut(n, n.frozen);
		break;
	case SAVE_SUPER:
	case DISOWN_SUPER:
		n.job = job;
		saved(n, ok);
		break;
	case RECOVER_SUPER:
		super_recovered(n, ok);
		break;
	case GROW_LOST:
	case GROW_SUPER:
		growth_said(n, job, ok);
		break;
	}
}

static void begin_job(const struct state &s)
{
	struct state n = s;

	if (s.mode == LOST && s.recorded == UNRECORDED) {
		struct super super = session_super(s);

		super.lost = 1;
		begin_transition(n, super, RECORD_LOSS);
		step(n, "worker: records the loss");
		n = s;
	}
	if (s.cst == PREPARING && s.mst == NO_MARK) {
		begin_prepare(n);
		step(n, "worker: prepares");
	} else if (s.cst == CUT && !s.held) {
		begin_transition(n, session_super(s), SETTLE_SUPER);
		step(n, "worker: the cut can be told");
	} else if (s.cst == COMMITTING) {
		begin_commit(n);
		step(n, "worker: commits, the origin is%s flushed",
		     broken(COMMIT_UNFLUSHED) ? " not" : "");
	} else if (s.cst == MERGING) {
		begin_merge(n);
		step(n, "worker: merges");
	}
}

void worker(const struct state &s)
{
	if (s.mode < TRACKING || s.transition)
		return;
	/* A second copy may be on its way behind the back of a mistake. */
	if (s.super_fly[s.first] && (s.job == NO_JOB || s.job == MERGE_CHUNKS))
		return;
	if (s.job == NO_JOB && s.stage <= MERGE)
		begin_job(s);
	else if (s.job == PREPARE_AREAS || s.job == PREPARE_LOG)
		log_next(s);
	else
		merge(s);
}
