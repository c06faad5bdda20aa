// SPDX-License-Identifier: MIT
/*
 * faults - what the kernel allocates, reads and writes fails now and then, and
 * no change is missed that the status does not own up to
 *
 *   faults ORIGIN META SECONDS SEED
 *
 * For a kernel with fault injection. Two writers, and meanwhile cuts, commits,
 * aborts, tables exchanged, the device removed and made again, and crashes
 * (META put back as it was). Rounds with one kind of fault each: small
 * allocations, pages, requests to META, requests to the origin. At the end of
 * each the faults stop, and what is reported is held against the bytes
 * (lib/load.h).
 */
#include "lib/dm.h"
#include "lib/front.h"
#include "lib/inject.h"
#include "lib/io.h"
#include "lib/limit.h"
#include "lib/load.h"
#include "lib/rig.h"
#include "lib/tap.h"
#include "lib/track.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define DEBUGFS "/sys/kernel/debug"
#define OPTIONS "meta_timeout 1 close_after 1 region_sectors 512"

enum { LIMIT_SECONDS = 120 };

struct world {
	struct rig rig;
	struct load load;
	struct front meta; /* for META's bytes; not in between */
	unsigned int seed;
	char base[40]; /* of load.base, "" when there is none */
	char cut[40];  /* under way, or "" */
	unsigned long checked, owned_up, made;
};

static void must(int r, const char *what)
{
	if (r)
		tap_bail("cannot %s: %s", what, strerror(-r));
}

static unsigned int below(struct world *w, unsigned int n)
{
	return rand_r(&w->seed) % n;
}

static void pause_ms(unsigned int ms)
{
	const struct timespec ts = { .tv_nsec = ms * 1000000 };

	nanosleep(&ts, NULL);
}

/* Asking may fail, too. */
static void status(struct track_status *st)
{
	while (track_status(RIG_NAME, st))
		pause_ms(1);
}

/* Until what was asked for is done, or given up. */
static const char *settled(struct track_status *st)
{
	for (;;) {
		status(st);
		if (strcmp(st->phase, "preparing") &&
		    strcmp(st->phase, "committing") &&
		    strcmp(st->phase, "merging"))
			return st->phase;
		pause_ms(2);
	}
}

/* Both copies of a cut's image need an origin that can be read. */
static void take_cut(struct world *w, struct inject *f)
{
	struct track_status st;
	int r;

	track_new_id(w->cut);
	if (dmt_message(RIG_NAME, NULL, 0, "prepare %s", w->cut) ||
	    strcmp(settled(&st), "prepared")) {
		*w->cut = 0;
		return;
	}
	r = dmt_suspend(RIG_NAME, false, true);
	if (!r)
		r = dmt_message(RIG_NAME, NULL, 0, "cut %s", w->cut);
	if (!r) {
		inject_stop(f);
		load_cut(&w->load);
		inject_start(f);
	}
	while (dmt_resume(RIG_NAME))
		pause_ms(1);
	if (r) {
		while (dmt_message(RIG_NAME, NULL, 0, "abort %s", w->cut))
			pause_ms(1);
		settled(&st);
		*w->cut = 0;
		return;
	}
	do
		status(&st);
	while (!strcmp(st.phase, "cut"));
}

/* A commit may fall back, when the origin cannot be flushed. */
static void end_cut(struct world *w, bool commit)
{
	struct track_status st;

	while (dmt_message(RIG_NAME, NULL, 0, "%s %s",
			   commit ? "commit" : "abort", w->cut))
		pause_ms(1);
	if (*settled(&st))
		return;
	if (commit) {
		load_commit(&w->load);
		strcpy(w->base, w->cut);
	} else {
		load_abort(&w->load);
	}
	*w->cut = 0;
}

static void exchange_table(struct world *w)
{
	char params[512];

	if (!dmt_load(RIG_NAME, w->rig.size / 512, false, "tidemark",
		      rig_params(&w->rig, params, sizeof(params))))
		while (dmt_resume(RIG_NAME))
			pause_ms(1);
}

static bool is_lost(void)
{
	struct track_status st;

	status(&st);
	return !strcmp(st.mode, "lost");
}

/* What was under way is merged. @image: META is put back to this: a crash. */
static void make_again(struct world *w, struct inject *f, const void *image)
{
	char params[512];
	int r;

	load_stop(&w->load);
	while (dmt_remove(RIG_NAME))
		pause_ms(1);
	if (*w->cut)
		load_abort(&w->load);
	*w->cut = 0;
	w->made++;
	if (image)
		front_write(&w->meta, image);
	r = dmt_make(RIG_NAME, w->rig.size / 512, false, "tidemark",
		     rig_params(&w->rig, params, sizeof(params)));
	if (f)
		inject_stop(f);
	if (r)
		must(dmt_make(RIG_NAME, w->rig.size / 512, false, "tidemark",
			      params),
		     "make the device again");
	load_start(&w->load);
	if (f)
		inject_start(f);
}

/* The power goes while nothing is being written, and all there is is META. */
static void crash(struct world *w, struct inject *f)
{
	void *image;

	load_stop(&w->load);
	inject_stop(f);
	/* That META did not learn of a loss is the operator's choice. */
	if (is_lost()) {
		load_start(&w->load);
	} else {
		image = front_read(&w->meta);
		make_again(w, NULL, image);
		free(image);
	}
	inject_start(f);
}

static void do_something(struct world *w, struct inject *f)
{
	pause_ms(1 + below(w, 20));
	switch (below(w, 12)) {
	case 0:
		limit(LIMIT_SECONDS, "an exchange of tables");
		exchange_table(w);
		break;
	case 1:
		limit(LIMIT_SECONDS, "the device's removal");
		/* META is to learn that it was lost. */
		if (is_lost()) {
			inject_stop(f);
			make_again(w, NULL, NULL);
			inject_start(f);
		} else {
			make_again(w, f, NULL);
		}
		break;
	case 2:
		limit(LIMIT_SECONDS, "a crash");
		crash(w, f);
		break;
	case 3:
		limit(LIMIT_SECONDS, "a mark");
		dmt_message(RIG_NAME, NULL, 0, "mark %u 1",
			    below(w, w->rig.total));
		break;
	case 4:
		limit(LIMIT_SECONDS, "an abort");
		if (*w->cut)
			end_cut(w, false);
		break;
	default:
		limit(LIMIT_SECONDS, "a commit");
		if (*w->cut)
			end_cut(w, true);
		limit(LIMIT_SECONDS, "a cut");
		if (!*w->cut)
			take_cut(w, f);
	}
}

/* With a base, and nothing wrong. */
static void begin_round(struct world *w)
{
	struct track_status st;

	limit(LIMIT_SECONDS, "the beginning of a round");
	if (is_lost())
		make_again(w, NULL, NULL);
	if (*w->cut)
		end_cut(w, false);
	status(&st);
	if (strcmp(st.mode, "tracking"))
		tap_bail("a device made again does not track");
	if (*st.base != '-')
		return;
	take_cut(w, NULL);
	if (*w->cut)
		end_cut(w, true);
}

/* True when nothing is missed, or everything is said to be. */
static bool check(struct world *w, const struct inject *f)
{
	struct chunks current, frozen;
	uint64_t missed = 0, extra;
	struct track_status st;
	bool good = true;

	limit(LIMIT_SECONDS, "the comparison");
	load_stop(&w->load);
	chunks_init(&current, w->rig.total);
	chunks_init(&frozen, w->rig.total);
	must(track_settle(RIG_NAME), "wait for META");
	must(track_status(RIG_NAME, &st), "read the status");
	must(track_extents(RIG_NAME, "current", 1000, &current), "list");
	if (*st.phase)
		must(track_extents(RIG_NAME, "frozen", 1000, &frozen), "list");
	load_check(&w->load, &current, &frozen, &missed, &extra);
	w->checked++;
	if (!strcmp(st.mode, "lost") || !strcmp(st.base, "-")) {
		w->owned_up++;
		if (*st.base == '-' && !strcmp(st.mode, "tracking") &&
		    !*st.phase && chunks_count(&current) != w->rig.total)
			good = false;
	} else if (strcmp(st.base, w->base) || missed) {
		good = false;
	}
	if (!good)
		tap_note("%s: %s, base %s and not %s, %s, %s, %llu chunks "
			 "missed",
			 f->name, st.mode, st.base, w->base, st.phase, st.flags,
			 (unsigned long long)missed);
	chunks_done(&current);
	chunks_done(&frozen);
	load_start(&w->load);
	return good;
}

static bool round_of(struct world *w, struct inject *f)
{
	unsigned int i, n = 3 + below(w, 12);

	begin_round(w);
	f->percent = f->disk ? 5 + below(w, 30) : 1 + below(w, 4);
	f->rounds++;
	inject_start(f);
	for (i = 0; i < n; i++)
		do_something(w, f);
	inject_stop(f);
	return check(w, f);
}

static void rounds(struct world *w, struct inject *fault, unsigned int kinds,
		   unsigned int seconds)
{
	time_t end = time(NULL) + seconds;
	bool good = true;
	unsigned int i = 0;

	while (good && (time(NULL) < end || i < kinds))
		good = round_of(w, &fault[i++ % kinds]);
	tap_ok(good,
	       "%u rounds with faults, %lu devices made again, %llu writes: no "
	       "change is missed that is not owned up to",
	       i, w->made, w->load.writes);
	tap_note("%lu times compared, %lu times all counted as lost",
		 w->checked, w->owned_up);
	for (i = 0; i < kinds; i++)
		tap_ok(fault[i].injected, "%s: %lu faults in %lu rounds",
		       fault[i].name, fault[i].injected, fault[i].rounds);
}

int main(int argc, char **argv)
{
	struct inject fault[] = {
		{ .name = "small allocations", .knob = "failslab" },
		{ .name = "pages", .knob = "fail_page_alloc" },
		{ .name = "requests to META",
		  .knob = "fail_make_request",
		  .disk = "/sys/block/vdb" },
		{ .name = "requests to the origin",
		  .knob = "fail_make_request",
		  .disk = "/sys/block/vda" },
	};
	enum { KINDS = sizeof(fault) / sizeof(*fault) };
	struct world w = { .seed = 0 };
	struct track_status st;
	int i;

	if (argc != 5)
		tap_bail("usage: faults ORIGIN META SECONDS SEED");
	must(rig_load_module(), "load the module");
	dmt_init();
	for (i = 0; i < KINDS; i++)
		inject_prepare(&fault[i]);
	w.seed = strtoul(argv[4], NULL, 10);
	/* Memory that is there cannot be refused: no more than this is used. */
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_MMAP_MAX, 0);
	mallopt(M_TOP_PAD, 128 << 20);
	mallopt(M_TRIM_THRESHOLD, 1 << 30);
	mlockall(MCL_CURRENT | MCL_FUTURE);
	free(malloc(1));
	inject_into_self();
	rig_init(&w.rig, argv[1], argv[2]);
	front_at(&w.meta, argv[2]);
	rig_fresh(&w.rig, 8, OPTIONS);
	close(w.rig.fd);
	status(&st);
	strcpy(w.base, st.base);
	load_init(&w.load, argv[1], w.rig.chunk, w.seed);
	load_start(&w.load);
	rounds(&w, fault, KINDS, strtoul(argv[3], NULL, 10));
	limit(LIMIT_SECONDS, "the end");
	load_done(&w.load);
	must(dmt_remove(RIG_NAME), "remove the device");
	tap_ok(!rig_unload_module(), "the module can be unloaded at the end");
	return tap_done();
}
