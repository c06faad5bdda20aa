// SPDX-License-Identifier: MIT
/*
 * trouble - META fails, or does not answer: the disk goes on all the same
 *
 *   trouble ORIGIN META
 *
 * META lies behind a linear device, whose table is exchanged for one that
 * fails everything, or which is suspended and answers nothing.
 */
#include "lib/dm.h"
#include "lib/front.h"
#include "lib/io.h"
#include "lib/rig.h"
#include "lib/tap.h"
#include "lib/track.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void must(int r, const char *what)
{
	if (r)
		tap_bail("cannot %s: %s", what, strerror(-r));
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* Up again from what META holds, and not written to yet. */
static void begin(struct rig *rig, const char *options)
{
	rig_fresh(rig, 128, "");
	rig_down(rig);
	rig->options = options;
	must(rig_up(rig), "make the device");
}

static bool mode_is(const char *want)
{
	struct track_status st;

	must(track_status(RIG_NAME, &st), "read the status");
	if (!strcmp(st.mode, want))
		return true;
	tap_note("the mode is %s", st.mode);
	return false;
}

static void expect_all(struct rig *rig, const char *what)
{
	struct chunks all;

	chunks_init(&all, rig->total);
	chunks_add(&all, 0, rig->total);
	rig_expect(rig, &all, "everything counts as changed %s", what);
	chunks_done(&all);
}

/* The first write of a session, which needs META. */
static int first_write(struct rig *rig, double *ret_seconds)
{
	double start = now();
	int r = io_write(rig->fd, 5 * rig->chunk, rig->block, 1);

	*ret_seconds = now() - start;
	return r;
}

static void fails_cold(struct rig *rig, struct front *f)
{
	double seconds;
	int r;

	begin(rig, "meta_timeout 2");
	front_fails(f);
	r = first_write(rig, &seconds);
	tap_ok(!r, "META fails: the first write passes in the end: %s",
	       strerror(-r));
	tap_ok(seconds >= 1.5, "not before the time-out: %.1f s", seconds);
	tap_ok(mode_is("lost"), "and tracking is lost");
	expect_all(rig, "when it is lost");
	r = io_write(rig->fd, 9 * rig->chunk, rig->block, 2);
	tap_ok(!r, "writes go on: %s", strerror(-r));
	r = track_clean(RIG_NAME);
	tap_ok(!r, "a cut goes on in memory: %s", strerror(-r));
	tap_ok(mode_is("lost"), "and does not mend what is lost");
	front_works(f);
	rig_down(rig);

	begin(rig, "meta_timeout 2 on_lost fail");
	front_fails(f);
	r = first_write(rig, &seconds);
	tap_ok(r == -EIO, "on_lost fail: the first write fails: %s",
	       strerror(-r));
	tap_ok(!dmt_message(RIG_NAME, NULL, 0, "lost-recorded"),
	       "the loss is recorded elsewhere");
	r = first_write(rig, &seconds);
	tap_ok(!r, "then writes pass: %s", strerror(-r));
	front_works(f);
	rig_down(rig);
}

/* META fails under a disk that is being written to, and comes back later. */
static void fails_warm(struct rig *rig, struct front *f)
{
	struct track_status st;
	char id[40];
	int r;

	rig_fresh(rig, 128, "");
	must(io_write(rig->fd, 5 * rig->chunk, rig->block, 1), "write");
	front_fails(f);
	r = io_write(rig->fd, 7 * rig->chunk, rig->block, 2);
	tap_ok(!r, "META fails: a disk that is open does not notice: %s",
	       strerror(-r));
	rig_expect_text(rig, "5+1 7+1", "and is tracked");
	r = track_cut(RIG_NAME, track_new_id(id));
	tap_ok(!r, "a cut is taken in memory: %s", strerror(-r));
	tap_ok(mode_is("lost"), "and shows that META is gone");
	must(track_abort(RIG_NAME, id), "abort");
	rig_down(rig);
	front_works(f);
	must(rig_up(rig), "make the device again");
	rig_expect_text(rig, "0+256", "when META is back it covers all that passed");
	must(track_status(RIG_NAME, &st), "read the status");
	tap_ok(strstr(st.flags, "unclean"), "and status says why");
	must(track_clean(RIG_NAME), "cut and commit");
	rig_expect_text(rig, "", "a commit ends that");
	rig_down(rig);
}

struct late {
	struct rig *rig;
	double seconds;
	int result;
};

static void *late_main(void *arg)
{
	struct late *late = arg;

	late->result = first_write(late->rig, &late->seconds);
	return NULL;
}

static void answers_late(struct rig *rig, struct front *f)
{
	struct late late = { .rig = rig };
	struct track_status st = { .epoch = 0 };
	const struct timespec tick = { .tv_nsec = 10000000 };
	pthread_t thread;
	int i;

	begin(rig, "meta_timeout 30");
	front_hold(f);
	if (pthread_create(&thread, NULL, late_main, &late))
		tap_bail("cannot start a thread");
	for (i = 0; i < 1000; i++) {
		must(track_status(RIG_NAME, &st), "read the status");
		if (strstr(st.flags, "waiting"))
			break;
		nanosleep(&tick, NULL);
	}
	tap_ok(strstr(st.flags, "waiting"), "META is slow: a write waits");
	front_let_go(f);
	pthread_join(thread, NULL);
	tap_ok(!late.result && mode_is("tracking"),
	       "and passes when META answers, after %.1f s", late.seconds);
	rig_expect_text(rig, "5+1", "and is tracked");
	rig_down(rig);

	begin(rig, "meta_timeout 1");
	front_hold(f);
	late.result = first_write(rig, &late.seconds);
	tap_ok(!late.result, "META does not answer: the write passes: %s",
	       strerror(-late.result));
	tap_ok(mode_is("lost"), "and tracking is lost");
	must(io_write(rig->fd, 9 * rig->chunk, rig->block, 2), "write");
	expect_all(rig, "when it is lost");
	front_let_go(f);
	rig_down(rig);
	must(rig_up(rig), "make the device again");
	expect_all(rig, "when META answers again");
	rig_down(rig);
}

int main(int argc, char **argv)
{
	struct front f;
	struct rig rig;

	if (argc != 3)
		tap_bail("usage: trouble ORIGIN META");
	must(rig_load_module(), "load the module");
	dmt_init();
	front_init(&f, argv[2]);
	rig_init(&rig, argv[1], f.path);
	fails_cold(&rig, &f);
	fails_warm(&rig, &f);
	answers_late(&rig, &f);
	front_done(&f);
	tap_ok(!rig_unload_module(), "the module can be unloaded at the end");
	return tap_done();
}
