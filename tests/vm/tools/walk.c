// SPDX-License-Identifier: MIT
/*
 * walk - the module's whole life in many orders, with I/O running
 *
 *   walk ORIGIN META STORE all DEPTH START		every valid sequence
 *   walk ORIGIN META STORE random WALKS STEPS SEED	seeded walks
 *
 * Without a snapshot target STORE is "none". START is empty, created, prepared or shipping. A small model says of every
 * operation whether it must succeed; whatever the answer, the reported sets
 * are held against the bytes (lib/load.h), and every walk ends with nothing
 * left and the module unloaded. An operation that takes longer than its limit
 * ends the program with the kernel's blocked tasks in the log.
 */
#include "lib/dm.h"
#include "lib/io.h"
#include "lib/life.h"
#include "lib/load.h"
#include "lib/rig.h"
#include "lib/snap.h"
#include "lib/tap.h"
#include "lib/track.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { OP_LIMIT_SECONDS = 60 };

struct walk {
	struct rig rig;
	struct load load;
	const char *store;
	struct life now;
	unsigned int seed;
	bool pending;		/* asked for while suspended, not waited for */
	bool stuck;		/* writers wait inside a suspension */
	char id[40];
	char snap_mode[8];
	enum op done[64];
	int steps;
	char fault[256];
};

static const char *current_op = "start";

static void too_long(int sig)
{
	static const char text[] = "Bail out! an operation hangs: ";
	int fd = open("/proc/sysrq-trigger", O_WRONLY);

	(void)sig;
	(void)!write(1, text, sizeof(text) - 1);
	(void)!write(1, current_op, strlen(current_op));
	(void)!write(1, "\n", 1);
	(void)!write(fd, "w", 1);
	(void)!write(fd, "l", 1);
	_exit(1);
}

static void fault(struct walk *w, const char *what, int r)
{
	if (!*w->fault)
		snprintf(w->fault, sizeof(w->fault), "%s: %s", what,
			 r ? strerror(-r) : "wrong");
}

static int snap_create(struct walk *w)
{
	strcpy(w->snap_mode, rand_r(&w->seed) % 2 ? "delta" : "full");
	return snap_make(w->rig.size, rand_r(&w->seed) % 4 ? w->store : "-",
			 w->snap_mode, "");
}

static int reload(struct walk *w)
{
	char params[512];

	return dmt_load(RIG_NAME, w->rig.size / 512, false, "tidemark",
			rig_params(&w->rig, params, sizeof(params)));
}

static int remove_device(struct walk *w)
{
	int r;

	/* writers held in a suspension cannot let go of the device */
	if (w->stuck) {
		r = dmt_remove(RIG_NAME);
		if (!r)
			fault(w, "a device in use was removed", 0);
		return r;
	}
	load_stop(&w->load);
	r = dmt_remove(RIG_NAME);
	if (r && w->now.exists) {
		load_start(&w->load);
		w->stuck = w->now.suspended;
	}
	return r;
}

static int prepare(struct walk *w)
{
	char id[40];
	int r;

	track_new_id(id);
	r = dmt_message(RIG_NAME, NULL, 0, "prepare %s", id);
	if (!r)
		memcpy(w->id, id, sizeof(id));
	return r;
}

static int act(struct walk *w, enum op op)
{
	char params[512];

	switch (op) {
	case LOAD:
		return rig_load_module();
	case CREATE:
		return dmt_make(RIG_NAME, w->rig.size / 512, false, "tidemark",
				rig_params(&w->rig, params, sizeof(params)));
	case SUSPEND:
		/* with writes held back, or at rest */
		if (w->now.exists && !w->now.suspended) {
			w->stuck = rand_r(&w->seed) % 2;
			if (!w->stuck)
				load_stop(&w->load);
		}
		return dmt_suspend(RIG_NAME, rand_r(&w->seed) % 4 == 0,
				   rand_r(&w->seed) % 2);
	case RESUME:
		return dmt_resume(RIG_NAME);
	case RELOAD:
		return reload(w);
	case SNAP_CREATE:
		return snap_create(w);
	case SNAP_REMOVE:
		return dmt_remove(SNAP_NAME);
	case PREPARE:
		return prepare(w);
	case CUT:
		return dmt_message(RIG_NAME, NULL, 0, "cut %s", w->id);
	case COMMIT:
		return dmt_message(RIG_NAME, NULL, 0, "commit %s", w->id);
	case ABORT:
		return dmt_message(RIG_NAME, NULL, 0, "abort %s", w->id);
	case REMOVE:
		return remove_device(w);
	case UNLOAD:
		return rig_unload_module();
	default:
		return -EINVAL;
	}
}

/* What the oracle has to hear of an operation that succeeded. */
static void tell_load(struct walk *w, enum op op, const struct life *before)
{
	switch (op) {
	case CREATE:
		/* what a removal leaves of a cut is the module's to decide */
		load_start(&w->load);
		break;
	case RESUME:
		w->stuck = false;
		w->pending = false;
		load_start(&w->load);
		break;
	case CUT:
		if (before->phase == PREPARED)
			load_cut(&w->load);
		break;
	case COMMIT:
		if (before->phase >= FROZEN)
			load_commit(&w->load);
		break;
	case ABORT:
		if (before->phase >= FROZEN)
			load_abort(&w->load);
		break;
	case REMOVE:
		w->stuck = false;
		if (before->phase >= FROZEN)
			load_abort(&w->load);
		/* whether it was done before the end is not known */
		if (w->pending)
			load_anything(&w->load);
		w->pending = false;
		break;
	default:
		break;
	}
}

static const char *const phase_names[] = {
	[NONE] = "-", [PREPARED] = "prepared", [SHIPPING] = "shipping",
};

/* Every message's work done; while suspended it need not be. */
static void settle(struct walk *w, bool asked)
{
	int r;

	if (!w->now.exists)
		return;
	if (w->now.suspended) {
		w->pending |= asked;
		return;
	}
	r = track_wait(RIG_NAME, phase_names[w->now.phase], OP_LIMIT_SECONDS);
	if (r)
		fault(w, "the phase that must come", r);
}

/* The whole snapshot against the image of the cut. */
static void check_snapshot(struct walk *w, struct chunks *kept)
{
	bool delta = *w->snap_mode == 'd';
	struct snap_result res;
	struct snap_status st;
	int r;

	r = snap_status(&st);
	if (r || strcmp(st.state, "valid")) {
		fault(w, "the state of an armed snapshot", r);
		return;
	}
	if (!delta)
		chunks_add(kept, 0, kept->total);
	r = snap_compare(&w->load, kept, delta, &res);
	if (r)
		fault(w, "reading the snapshot", r);
	else if (res.wrong)
		fault(w, "wrong data from the snapshot", 0);
	else if (res.failed)
		fault(w, "a chunk of the snapshot cannot be read", 0);
	else if (res.leaked)
		fault(w, "a chunk outside the ship set was read", 0);
}

static void check_sets(struct walk *w)
{
	struct chunks current, frozen;
	uint64_t missed, extra;
	struct track_status st;
	int r;

	load_stop(&w->load);
	chunks_init(&current, w->rig.total);
	chunks_init(&frozen, w->rig.total);
	r = track_extents(RIG_NAME, "current", 100, &current);
	if (!r && w->now.phase == SHIPPING)
		r = track_extents(RIG_NAME, "frozen", 100, &frozen);
	if (!r)
		r = track_status(RIG_NAME, &st);
	if (r)
		fault(w, "reading the sets", r);
	load_check(&w->load, &current, &frozen, &missed, &extra);
	if (missed)
		fault(w, "chunks missed", 0);
	if (extra)
		fault(w, "chunks that nothing wrote", 0);
	if (!r && strcmp(st.mode, "tracking"))
		fault(w, "tracking lost", 0);
	if (w->now.armed)
		check_snapshot(w, &frozen);
	if (w->load.error)
		fault(w, "a write", w->load.error);
	chunks_done(&current);
	chunks_done(&frozen);
	load_start(&w->load);
}

static void step(struct walk *w, enum op op, bool check)
{
	struct life before = w->now;
	bool stuck = w->stuck;
	int r;

	current_op = life_names[op];
	alarm(OP_LIMIT_SECONDS);
	if (w->steps < (int)(sizeof(w->done) / sizeof(w->done[0])))
		w->done[w->steps++] = op;
	r = act(w, op);
	if (op == REMOVE && before.suspended && stuck && before.exists) {
		;	/* refused as it must be, or a fault by now */
	} else if (r == -EBUSY && op == CUT && w->pending) {
		;	/* the preparation is not yet through */
	} else if (r && life_valid(&before, op)) {
		fault(w, life_names[op], r);
	} else if (!r && life_invalid(&before, op) && op != SUSPEND &&
		   op != RESUME) {
		fault(w, life_names[op], 0);
	} else if (!r) {
		life_advance(&w->now, op);
		tell_load(w, op, &before);
	}
	if (!*w->fault)
		settle(w, !r && op >= PREPARE && op <= ABORT && op != CUT);
	if (check && !*w->fault && w->now.exists && !w->now.suspended)
		check_sets(w);
	alarm(0);
}

/* Nothing may be left, whatever has happened. */
static void finish(struct walk *w)
{
	if (w->now.exists && (w->now.suspended || w->now.reloaded))
		step(w, RESUME, true);
	if (w->now.snap)
		step(w, SNAP_REMOVE, true);
	if (w->now.exists)
		step(w, REMOVE, false);
	if (w->now.loaded)
		step(w, UNLOAD, false);
}

static void begin(struct walk *w, unsigned int seed)
{
	static const unsigned int sizes[] = { 8, 16, 128, 32 };

	w->now = (struct life){ .loaded = false };
	w->seed = seed;
	w->steps = 0;
	w->stuck = false;
	*w->fault = 0;
	w->rig.chunk_sectors = sizes[seed % 4];
	w->rig.chunk = w->rig.chunk_sectors * 512;
	w->rig.total = (w->rig.size + w->rig.chunk - 1) / w->rig.chunk;
	rig_wipe_meta(&w->rig);
	load_init(&w->load, w->rig.origin, w->rig.chunk, seed);
	load_anything(&w->load);
}

/* The end, if something was wrong: one line of what was done. */
static void report(struct walk *w, const char *name)
{
	char text[1024];
	int i, n = 0;

	if (!*w->fault)
		return;
	/* writers held in a suspension would keep this program from ending */
	dmt_resume(RIG_NAME);
	text[0] = 0;
	for (i = 0; i < w->steps; i++)
		n += snprintf(text + n, sizeof(text) - n, " %s",
			      life_names[w->done[i]]);
	tap_bail("%s: %s, after:%s", name, w->fault, text);
}

/* True if the sequence ran clean. */
static bool run(struct walk *w, const enum op *ops, int count,
		const char *name, unsigned int seed)
{
	int i;

	begin(w, seed);
	for (i = 0; i < count && !*w->fault; i++)
		step(w, ops[i], i == count - 1);
	if (!*w->fault)
		finish(w);
	report(w, name);
	load_done(&w->load);
	return true;
}

/* Snapshots are left out where there is no store. */
static bool offered(const struct walk *w, enum op op)
{
	return strcmp(w->store, "none") ||
	       (op != SNAP_CREATE && op != SNAP_REMOVE);
}

struct search {
	struct walk *walk;
	enum op ops[32];
	int depth;		/* of the whole sequence */
	unsigned long done;
};

static void extend(struct search *s, struct life at, int length)
{
	struct life next;
	enum op op;

	if (length == s->depth) {
		run(s->walk, s->ops, length, "sequence", s->done++);
		return;
	}
	for (op = 0; op < OPS; op++) {
		if (!life_valid(&at, op) || !offered(s->walk, op))
			continue;
		next = at;
		life_advance(&next, op);
		s->ops[length] = op;
		extend(s, next, length + 1);
	}
}

static const struct start {
	const char *name;
	int count;
	enum op ops[12];
} starts[] = {
	{ "empty", 0, { 0 } },
	{ "created", 2, { LOAD, CREATE } },
	{ "prepared", 8, { LOAD, CREATE, PREPARE, SUSPEND, CUT, RESUME,
			   COMMIT, PREPARE } },
	{ "shipping", 12, { LOAD, CREATE, PREPARE, SUSPEND, CUT, RESUME,
			    COMMIT, SNAP_CREATE, PREPARE, SUSPEND, CUT,
			    RESUME } },
};

static void sequences(struct walk *w, int depth, const char *from)
{
	struct search s = { .walk = w };
	struct life at = { .loaded = false };
	const struct start *start = starts;
	int i;

	while (strcmp(start->name, from))
		if (++start == starts + sizeof(starts) / sizeof(*starts))
			tap_bail("no start '%s'", from);
	for (i = 0; i < start->count; i++) {
		s.ops[i] = start->ops[i];
		life_advance(&at, start->ops[i]);
	}
	s.depth = start->count + depth;
	extend(&s, at, start->count);
	tap_ok(s.done > 0, "all %lu valid sequences of %d from %s", s.done,
	       depth, from);
}

/* Mostly what must work, at times anything. */
static enum op choose(struct walk *w)
{
	enum op op;
	int tries;

	for (tries = 0; tries < 200; tries++) {
		op = rand_r(&w->seed) % OPS;
		if (!offered(w, op))
			continue;
		/* a walk that keeps taking all down sees little */
		if ((op == REMOVE || op == UNLOAD) && rand_r(&w->seed) % 4)
			continue;
		if (life_valid(&w->now, op) || rand_r(&w->seed) % 12 == 0)
			break;
	}
	return op;
}

static void walks(struct walk *w, unsigned long count, unsigned long steps,
		  unsigned int seed)
{
	unsigned long i, j, writes = 0;
	char name[64];

	for (i = 0; i < count; i++) {
		begin(w, seed + i);
		for (j = 0; j < steps && !*w->fault; j++)
			step(w, choose(w), rand_r(&w->seed) % 3 == 0);
		if (!*w->fault)
			finish(w);
		snprintf(name, sizeof(name), "walk with seed %lu", seed + i);
		report(w, name);
		writes += w->load.writes;
		load_done(&w->load);
	}
	tap_ok(true, "%lu walks of %lu, seeds %u to %lu, %lu writes", count,
	       steps, seed, seed + count - 1, writes);
}

int main(int argc, char **argv)
{
	struct walk w = { .seed = 0 };

	if (argc < 7)
		tap_bail("usage: walk ORIGIN META STORE all|random ...");
	signal(SIGALRM, too_long);
	dmt_init();
	rig_init(&w.rig, argv[1], argv[2]);
	w.store = argv[3];
	if (!strcmp(argv[4], "all"))
		sequences(&w, atoi(argv[5]), argv[6]);
	else if (argc > 7)
		walks(&w, strtoul(argv[5], NULL, 10),
		      strtoul(argv[6], NULL, 10), strtoul(argv[7], NULL, 10));
	return tap_done();
}
