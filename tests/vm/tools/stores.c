// SPDX-License-Identifier: MIT
/*
 * stores - whatever happens to a snapshot, its disk does not notice
 *
 *   stores ORIGIN META STORE ROUNDS SEED [faults]
 *
 * Rounds, in each of which something happens to a live snapshot under load, at
 * a random moment: to its store, to its view, to the disk, or, on a kernel with
 * fault injection, to the kernel's memory. No write may fail, or take longer
 * than the snapshot's time-out and some; the view reads as the cut or not at
 * all; its status says what ended it, an event that it ended. After the abort
 * the ship set has joined what changed since; the next cut is right.
 */
#include "lib/clock.h"
#include "lib/dm.h"
#include "lib/front.h"
#include "lib/inject.h"
#include "lib/io.h"
#include "lib/limit.h"
#include "lib/scene.h"
#include "lib/tap.h"
#include "lib/track.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
	LIMIT_SECONDS = 240,
	COW_TIMEOUT = 2,
	SLACK_SECONDS = 30,	/* for a machine that does other things, too */
	SMALL_SECTORS = 1024,
};

struct world {
	struct scene scene;
	struct front store;
	const char *name;	/* of the trouble */
	unsigned int seed, happened;
	bool delta;
	int view;		/* a reader's descriptor, or -1 */
	uint64_t slowest_ns;
};

/* What happens; @ends: it ends the view, for this cause. */
struct trouble {
	const char *name;
	const char *cause;	/* NULL: the view stays valid */
	void (*happen)(struct world *w);
	void (*end)(struct world *w);
	const char *store;	/* "-", or "small"; NULL: the one that is whole */
	bool faults;		/* needs the kernel's fault injection */
};

static unsigned int below(struct world *w, unsigned int n)
{
	return rand_r(&w->seed) % n;
}

static void nothing(struct world *w)
{
	(void)w;
}

static void store_flaky(struct world *w)
{
	/* seconds: up, down */
	front_is(&w->store, "flakey", below(w, 2) ? "1 1" : "0 1");
}

static void store_fails(struct world *w)
{
	front_fails(&w->store);
}

static void store_works(struct world *w)
{
	front_works(&w->store);
}

static void store_hangs(struct world *w)
{
	front_hold(&w->store);
}

static void store_answers(struct world *w)
{
	front_let_go(&w->store);
}

/* With a reader that has it open: first no, then by force. */
static void view_goes(struct world *w)
{
	void *buf = io_buffer(4096);
	int r;

	w->view = dmt_open(SNAP_NAME, O_RDONLY | O_DIRECT);
	if (w->view < 0)
		tap_bail("cannot open the view: %s", strerror(-w->view));
	r = dmt_remove(SNAP_NAME);
	tap_ok(r == -EBUSY, "%s: it is busy: %s", w->name, strerror(-r));
	tap_ok(scene_state_is("valid", "-"), "%s: and valid still", w->name);
	/* what `dmsetup remove --force` does */
	tap_must(dmt_load(SNAP_NAME, w->scene.rig.size / 512, false, "error",
			  ""),
		 "load a table of errors");
	tap_must(dmt_suspend(SNAP_NAME, true, true), "suspend the view");
	tap_must(dmt_resume(SNAP_NAME), "resume it");
	r = io_read(w->view, buf, 4096, 0);
	tap_ok(r == -EIO, "%s: by force, it is: %s", w->name, strerror(-r));
	free(buf);
}

static void view_is_gone(struct world *w)
{
	close(w->view);
	w->view = -1;
}

static void kept_of(const struct world *w, struct chunks *ret)
{
	const struct scene *s = &w->scene;

	chunks_init(ret, s->rig.total);
	if (w->delta)
		chunks_copy(ret, &s->ship);
	else
		chunks_add(ret, 0, ret->total);
}

static void compare(struct world *w, const char *what)
{
	struct chunks kept;
	char text[128];

	kept_of(w, &kept);
	snprintf(text, sizeof(text), "%s: %s", w->name, what);
	scene_compare(&w->scene, &kept, w->delta, text);
	chunks_done(&kept);
}

/* Long: all of the view is read, and writers wait all the time. */
static void disk_stands_still(struct world *w)
{
	tap_must(dmt_suspend(RIG_NAME, false, true), "suspend the disk");
	compare(w, "the cut, while the disk is suspended");
	clock_pause_ms(1000 * (COW_TIMEOUT + 1));
	compare(w, "the cut, after a time-out of suspension");
	tap_must(dmt_resume(RIG_NAME), "resume the disk");
}

static void new_table(struct world *w, const char *target, const char *params)
{
	tap_must(dmt_load(RIG_NAME, w->scene.rig.size / 512, false, target,
			  params),
		 "load a table");
	tap_must(dmt_resume(RIG_NAME), "resume into it");
}

static void disk_gets_same_table(struct world *w)
{
	char params[512];

	new_table(w, "tidemark",
		  rig_params(&w->scene.rig, params, sizeof(params)));
}

static void disk_gets_linear_table(struct world *w)
{
	char params[512];

	snprintf(params, sizeof(params), "%s 0", w->scene.rig.origin);
	new_table(w, "linear", params);
}

static struct inject memory[] = {
	{ .name = "small allocations", .knob = "failslab", .percent = 60 },
	{ .name = "pages", .knob = "fail_page_alloc", .percent = 60 },
};

static void no_memory(struct world *w)
{
	(void)w;
	inject_start(&memory[0]);
	inject_start(&memory[1]);
}

static void memory_again(struct world *w)
{
	(void)w;
	inject_stop(&memory[0]);
	inject_stop(&memory[1]);
}

static const struct trouble troubles[] = {
	{ "a flaky store", "failed", store_flaky, store_works, NULL, false },
	{ "a store that fails", "failed", store_fails, store_works, NULL,
	  false },
	{ "a store that is full", "full", nothing, nothing, "small", false },
	{ "a pool that is full", "full", nothing, nothing, "-", false },
	{ "a store that never answers", "silent", store_hangs, store_answers,
	  NULL, false },
	{ "a view removed while in use", "removed", view_goes, view_is_gone,
	  NULL, false },
	{ "a disk suspended for long", NULL, disk_stands_still, nothing, NULL,
	  false },
	{ "the disk's table loaded again", NULL, disk_gets_same_table, nothing,
	  NULL, false },
	{ "a disk with a linear table", "gone", disk_gets_linear_table,
	  disk_gets_same_table, NULL, false },
	{ "no memory", "memory", no_memory, memory_again, NULL, true },
};

/* Nothing but the cut may be read while the view dies. */
static uint64_t read_wrong(struct world *w)
{
	struct snap_result res;
	struct chunks none;

	chunks_init(&none, w->scene.rig.total);
	tap_must(snap_compare(&w->scene.load, &none, false, &res),
		 "open the view");
	chunks_done(&none);
	return res.wrong;
}

static void expect_invalid(struct world *w, const struct trouble *t,
			   unsigned int events)
{
	bool may_read = t->happen != store_hangs;
	struct snap_status st;
	unsigned int now;
	uint64_t wrong = 0;

	limit(LIMIT_SECONDS, "waiting for the view's end");
	for (;;) {
		tap_must(snap_status(&st), "read the status");
		if (strcmp(st.state, "valid"))
			break;
		if (may_read)
			wrong += read_wrong(w);
		else
			clock_pause_ms(10);
	}
	tap_ok(!strcmp(st.state, "invalid") && !strcmp(st.cause, t->cause),
	       "%s: the view is %s: %s", t->name, st.state, st.cause);
	limit(LIMIT_SECONDS / 4, "waiting for an event");
	do
		tap_must(dmt_events(SNAP_NAME, &now), "count events");
	while (now == events);
	limit(LIMIT_SECONDS, "reading an invalid view");
	wrong += read_wrong(w);
	tap_ok(!wrong, "%s: nothing was read but the cut", t->name);
}

/* The cut; there is none any more when its table is. */
static void give_up(struct world *w)
{
	struct track_status st;

	tap_must(track_status(RIG_NAME, &st), "read the status");
	if (*st.phase)
		tap_must(track_abort(RIG_NAME, w->scene.id), "abort");
	else
		tap_ok(st.changed == st.total,
		       "%s: without its cut, everything has changed", w->name);
	load_abort(&w->scene.load);
}

/* With the writers at rest: is everything counted that differs? */
static void expect_merged(struct world *w)
{
	struct scene *s = &w->scene;
	struct chunks current, frozen;
	uint64_t missed, extra;

	limit(LIMIT_SECONDS, "the comparison");
	load_stop(&s->load);
	chunks_init(&current, s->rig.total);
	chunks_init(&frozen, s->rig.total);
	tap_must(track_settle(RIG_NAME), "wait for META");
	tap_must(track_extents(RIG_NAME, "current", 1000, &current),
		 "list extents");
	load_check(&s->load, &current, &frozen, &missed, &extra);
	tap_ok(!missed && chunks_within(&s->ship, &current),
	       "%s: the ship set has joined what changed since: %llu of %llu "
	       "chunks, %llu missed",
	       w->name, (unsigned long long)chunks_count(&current),
	       (unsigned long long)current.total, (unsigned long long)missed);
	chunks_done(&current);
	chunks_done(&frozen);
	load_start(&s->load);
}

/* With a store that is well. */
static void expect_next_cut(struct world *w)
{
	struct scene *s = &w->scene;

	limit(LIMIT_SECONDS, "the next cut");
	if (!dmt_exists(SNAP_NAME, NULL))
		tap_must(dmt_remove(SNAP_NAME), "remove the snapshot");
	w->delta = below(w, 2);
	tap_must(snap_make(s->rig.size, w->store.path,
			   w->delta ? "delta" : "full", "pool_kib 256"),
		 "make a snapshot");
	scene_cut(s);
	scene_wait_writes(s, 50);
	compare(w, "the next cut is right");
	tap_must(track_commit(RIG_NAME, s->id), "commit it");
	load_commit(&s->load);
}

static void make_snapshot(struct world *w, const struct trouble *t)
{
	char options[64], path[64], params[128];
	const char *store = t->store ? t->store : w->store.path;

	snprintf(options, sizeof(options), "pool_kib %u cow_timeout %u watermark 0",
		 64u << below(w, 3), COW_TIMEOUT);
	if (!strcmp(store, "small")) {
		snprintf(params, sizeof(params), "%s 0", w->store.path);
		tap_must(dmt_make("small", SMALL_SECTORS, false, "linear",
				  params),
			 "make a small store");
		tap_must(dmt_path("small", path, sizeof(path)), "find it");
		store = path;
	}
	/* A view that must stay valid has a store for all of it. */
	w->delta = below(w, 2);
	scene_set(&w->scene, 128, store, w->delta ? "delta" : "full", options);
}

static void round_of(struct world *w, const struct trouble *t)
{
	struct scene *s = &w->scene;
	unsigned int events;

	limit(LIMIT_SECONDS, t->name);
	w->name = t->name;
	make_snapshot(w, t);
	tap_must(dmt_events(SNAP_NAME, &events), "count events");
	scene_cut(s);
	/* What is kept of the index is made with the first writes. */
	scene_wait_writes(s, below(w, 4) && !t->faults ? below(w, 100) : 0);
	t->happen(w);
	/* It has no status when it is not there. */
	if (t->cause && t->happen != view_goes)
		expect_invalid(w, t, events);
	limit(LIMIT_SECONDS, "writing on");
	scene_wait_writes(s, 100);
	limit(LIMIT_SECONDS, "the end of the trouble");
	t->end(w);
	scene_wait_writes(s, 50);
	if (!t->cause) {
		compare(w, "the cut, in the end");
		tap_ok(scene_state_is("valid", "-"), "%s: valid still",
		       t->name);
	}
	limit(LIMIT_SECONDS, "the abort");
	give_up(w);
	expect_merged(w);
	expect_next_cut(w);
	limit(LIMIT_SECONDS, "taking all down");
	if (s->load.slowest_ns > w->slowest_ns)
		w->slowest_ns = s->load.slowest_ns;
	tap_ok(s->load.slowest_ns < (COW_TIMEOUT + SLACK_SECONDS) * 1000000000ull,
	       "%s: no write hung, the slowest took %.3f s", t->name,
	       s->load.slowest_ns / 1e9);
	scene_clear(s);
	if (!dmt_exists("small", NULL))
		tap_must(dmt_remove("small"), "remove the small store");
	w->happened++;
}

/* Memory that is there cannot be refused: no more than this is used. */
static void keep_memory(void)
{
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_MMAP_MAX, 0);
	mallopt(M_TOP_PAD, 256 << 20);
	mallopt(M_TRIM_THRESHOLD, 1 << 30);
	mlockall(MCL_CURRENT | MCL_FUTURE);
	free(malloc(1));
	inject_prepare(&memory[0]);
	inject_prepare(&memory[1]);
}

int main(int argc, char **argv)
{
	enum { TROUBLES = sizeof(troubles) / sizeof(*troubles) };
	struct world w = { .view = -1 };
	bool faults = argc == 7;
	unsigned long rounds, i, j;

	if (argc < 6)
		tap_bail("usage: stores ORIGIN META STORE ROUNDS SEED [faults]");
	dmt_init();
	tap_must(rig_load_module(), "load the module");
	if (faults)
		keep_memory();
	rig_init(&w.scene.rig, argv[1], argv[2]);
	front_init(&w.store, argv[3]);
	rounds = strtoul(argv[4], NULL, 10);
	w.seed = strtoul(argv[5], NULL, 10);
	for (i = 0; i < rounds; i++)
		for (j = 0; j < TROUBLES; j++)
			if (faults || !troubles[j].faults)
				round_of(&w, &troubles[j]);
	tap_note("%u times something happened; the slowest write took %.3f s",
		 w.happened, w.slowest_ns / 1e9);
	limit(0, "");
	front_done(&w.store);
	tap_ok(!rig_unload_module(), "the module can be unloaded at the end");
	return tap_done();
}
