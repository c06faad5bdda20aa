// SPDX-License-Identifier: MIT
/*
 * outage - META goes away, and comes back at a bad time or not at all
 *
 *   outage ORIGIN META
 *
 * What becomes of that, for both settings of on_lost, is written in the
 * module's design: "When META fails".
 */
#include "lib/dm.h"
#include "lib/front.h"
#include "lib/io.h"
#include "lib/rig.h"
#include "lib/tap.h"
#include "lib/track.h"

#include <errno.h>
#include <fcntl.h>
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

/* A write, or the removal, that waits for META. */
struct late {
	struct rig *rig;
	bool removes;
	pthread_t thread;
	pid_t tid;
	double seconds;
	int result;
	bool ended;
};

static void *late_main(void *arg)
{
	struct late *late = arg;

	__atomic_store_n(&late->tid, gettid(), __ATOMIC_RELEASE);
	late->result = late->removes ? dmt_remove(RIG_NAME)
				     : first_write(late->rig, &late->seconds);
	__atomic_store_n(&late->ended, true, __ATOMIC_RELEASE);
	return NULL;
}

static void late_begin(struct late *late)
{
	if (pthread_create(&late->thread, NULL, late_main, late))
		tap_bail("cannot start a thread");
}

static void pause_briefly(void)
{
	const struct timespec tick = { .tv_nsec = 10000000 };

	nanosleep(&tick, NULL);
}

/* Until the status has this mode and, if any, this flag. */
static void wait_status(const char *mode, const char *flag)
{
	struct track_status st;
	double end = now() + 60;

	do {
		pause_briefly();
		must(track_status(RIG_NAME, &st), "read the status");
		if (now() > end)
			tap_bail("the status stays %s %s", st.mode, st.flags);
	} while (strcmp(st.mode, mode) || (flag && !strstr(st.flags, flag)));
}

/* What is remembered of a device after this is what META says. */
static void reboot(struct rig *rig)
{
	rig_down(rig);
	must(rig_unload_module(), "unload the module");
	must(rig_load_module(), "load the module");
}

static int read_chunk(struct rig *rig, uint64_t chunk)
{
	void *got = io_buffer(rig->block);
	int r = io_read(rig->fd, got, rig->block, chunk * rig->chunk);

	free(got);
	return r;
}

static bool bytes_are(struct rig *rig, uint64_t chunk, const void *want)
{
	void *got = io_buffer(rig->block);
	bool same;

	must(io_read(rig->fd, got, rig->block, chunk * rig->chunk), "read");
	same = !memcmp(got, want, rig->block);
	free(got);
	return same;
}

/* META is away until after the reboot, so that it never learnt of its loss. */
static void back_after_reboot(struct rig *rig, struct front *f)
{
	void *before = io_buffer(rig->block);
	struct track_status st;
	double seconds;
	int r;

	begin(rig, "meta_timeout 1");
	front_fails(f);
	must(first_write(rig, &seconds), "write when META is gone");
	reboot(rig);
	front_works(f);
	must(rig_up(rig), "make the device again");
	must(track_status(RIG_NAME, &st), "read the status");
	tap_ok(mode_is("tracking") && strcmp(st.base, "-"),
	       "on_lost pass: META that is back after a reboot is believed");
	rig_expect_text(rig, "",
			"which misses the write that passed: the one exposure");
	rig_down(rig);

	begin(rig, "meta_timeout 1 on_lost fail");
	must(io_read(rig->fd, before, rig->block, 5 * rig->chunk), "read");
	front_fails(f);
	r = io_write(rig->fd, 5 * rig->chunk, rig->block, 99);
	tap_ok(r == -EIO, "on_lost fail: the write fails: %s", strerror(-r));
	reboot(rig);
	front_works(f);
	must(rig_up(rig), "make the device again");
	tap_ok(bytes_are(rig, 5, before), "and nothing has reached the disk");
	rig_expect_text(rig, "", "so that META that is back misses nothing");
	rig_down(rig);
	free(before);
}

/* META is back before the end: it is told, by and by or in the end. */
static void back_before(struct rig *rig, struct front *f)
{
	char *old, *said = NULL;
	double seconds, end;
	bool told;

	begin(rig, "meta_timeout 1");
	front_fails(f);
	must(first_write(rig, &seconds), "write when META is gone");
	old = front_read(f);
	front_works(f);
	end = now() + 60;
	do {
		pause_briefly();
		free(said);
		said = front_read(f);
		/* Both copies of the superblock have changed. */
		told = memcmp(old, said, 512) &&
		       memcmp(old + 4096, said + 4096, 512);
	} while (!told && now() < end);
	tap_ok(told, "META that is back is told of the loss");
	rig_down(rig);
	front_write(f, said);
	must(rig_up(rig), "make the device after a crash");
	expect_all(rig, "after a crash then");
	rig_down(rig);
	free(old);
	free(said);

	begin(rig, "meta_timeout 1");
	front_fails(f);
	must(first_write(rig, &seconds), "write when META is gone");
	front_works(f);
	reboot(rig);
	must(rig_up(rig), "make the device again");
	expect_all(rig, "when META was back in time for the end");
	rig_down(rig);
}

/* Userspace has recorded it: nobody waits, whatever the option says. */
static void recorded_elsewhere(struct rig *rig, struct front *f,
			       const char *options)
{
	struct late late = { .rig = rig };
	int r;

	begin(rig, options);
	r = dmt_message(RIG_NAME, NULL, 0, "lost-recorded");
	tap_ok(r == -EBUSY, "%s: what is not lost cannot be recorded: %s",
	       options, strerror(-r));
	front_fails(f);
	late_begin(&late);
	wait_status("lost", "waiting");
	tap_ok(!late.ended, "a write waits for the loss to be recorded");
	must(dmt_message(RIG_NAME, NULL, 0, "lost-recorded"),
	     "record the loss");
	pthread_join(late.thread, NULL);
	tap_ok(!late.result, "and passes when it is: %s",
	       strerror(-late.result));
	expect_all(rig, "when the loss is recorded");
	front_works(f);
	rig_down(rig);
}

/* on_lost fail: what needs META fails, and nothing else. */
static void fails_part(struct rig *rig, struct front *f)
{
	unsigned int events, after;
	double start, end;
	int r;

	begin(rig, "meta_timeout 1 on_lost fail close_after 3600");
	must(io_write(rig->fd, 5 * rig->chunk, rig->block, 1), "write");
	must(dmt_events(RIG_NAME, &events), "count events");
	front_fails(f);
	r = io_write(rig->fd, 300 * rig->chunk, rig->block, 2);
	tap_ok(r == -EIO, "on_lost fail: a write to a closed region fails: %s",
	       strerror(-r));
	must(dmt_events(RIG_NAME, &after), "count events");
	tap_ok(after > events, "and there is an event");
	start = now();
	r = io_write(rig->fd, 301 * rig->chunk, rig->block, 3);
	tap_ok(r == -EIO && now() - start < 0.9, "the next fails at once: %s",
	       strerror(-r));
	r = io_write(rig->fd, 5 * rig->chunk, rig->block, 4);
	tap_ok(!r, "one to a marked chunk passes: %s", strerror(-r));
	r = io_write(rig->fd, 9 * rig->chunk, rig->block, 5);
	tap_ok(!r, "so does one to an open region: %s", strerror(-r));
	r = io_discard(rig->fd, 9 * rig->chunk, rig->chunk);
	tap_ok(!r || r == -EOPNOTSUPP, "and a discard there: %s", strerror(-r));
	r = read_chunk(rig, 300);
	tap_ok(!r, "and reads, anywhere: %s", strerror(-r));
	front_works(f);
	end = now() + 60;
	do {
		pause_briefly();
		r = io_write(rig->fd, 300 * rig->chunk, rig->block, 6);
	} while (r && now() < end);
	tap_ok(!r, "when META has said lost, all pass: %s", strerror(-r));
	expect_all(rig, "then");
	rig_down(rig);
}

/*
 * Lost from the start: until the loss is recorded or accepted no bit may be
 * set, or a write would pass that META does not cover. Whoever takes a cut gets
 * all.
 */
static void expect_cut_of_all(struct rig *rig)
{
	struct chunks frozen;
	char id[40];
	int r;

	must(track_cut(RIG_NAME, track_new_id(id)), "cut");
	chunks_init(&frozen, rig->total);
	r = track_extents(RIG_NAME, "frozen", 100, &frozen);
	tap_ok(!r && chunks_count(&frozen) == rig->total,
	       "a cut has everything to ship: %s", strerror(-r));
	chunks_done(&frozen);
	must(track_abort(RIG_NAME, id), "abort");
}

/* What can be read and not written is no META. */
static void only_reads(struct rig *rig, struct front *f)
{
	double seconds;

	begin(rig, "meta_timeout 1");
	front_is(f, "flakey", "0 3600 1 error_writes");
	must(first_write(rig, &seconds), "write when META cannot be written");
	tap_ok(mode_is("lost"), "META cannot be written: tracking is lost");
	expect_all(rig, "then");
	rig_down(rig);
	must(rig_up(rig), "make the device of a META that cannot be written");
	tap_ok(mode_is("lost"), "nor can it begin with such a META");
	expect_cut_of_all(rig);
	must(io_write(rig->fd, 9 * rig->chunk, rig->block, 2), "write");
	expect_all(rig, "when a write has passed");
	front_works(f);
	rig_down(rig);
	must(rig_up(rig), "make the device again");
	expect_all(rig, "when META can be written again");
	rig_down(rig);
}

/* Between the table and its resumption. */
static void fails_before_resume(struct rig *rig, struct front *f)
{
	char params[512];
	int r;

	rig_fresh(rig, 128, "");
	rig_down(rig);
	must(dmt_create(RIG_NAME), "make the device");
	must(dmt_load(RIG_NAME, rig->size / 512, false, "tidemark",
		      rig_params(rig, params, sizeof(params))),
	     "load a table");
	front_fails(f);
	r = dmt_resume(RIG_NAME);
	tap_ok(!r && mode_is("lost"),
	       "META fails before the first resume: the disk comes up: %s",
	       strerror(-r));
	expect_cut_of_all(rig);
	must(dmt_remove(RIG_NAME), "remove the device");
	r = rig_up(rig);
	tap_ok(r, "a table is refused while META cannot be read: %s",
	       strerror(-r));
	front_works(f);
}

static void is_slow(struct rig *rig, struct front *f)
{
	char rest[128];
	double seconds;
	int r;

	begin(rig, "meta_timeout 20");
	snprintf(rest, sizeof(rest), "0 %s 0 400", f->below);
	front_is(f, "delay", rest);
	r = first_write(rig, &seconds);
	tap_ok(!r && seconds >= 0.4 && mode_is("tracking"),
	       "META takes 0.4 s: so does a first write: %.1f s", seconds);
	rig_expect_text(rig, "5+1", "and is tracked");
	front_works(f);
	rig_down(rig);
}

static char state_of(pid_t tid)
{
	char path[64], state = '?';
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	f = fopen(path, "re");
	if (!f)
		return '?';
	if (fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
		state = '?';
	fclose(f);
	return state;
}

static void hangs(struct rig *rig, struct front *f)
{
	struct late late = { .rig = rig, .removes = true };
	double seconds, end = now() + 60;
	int r;

	begin(rig, "meta_timeout 1 on_lost fail");
	front_hold(f);
	r = first_write(rig, &seconds);
	tap_ok(r == -EIO && seconds >= 0.9,
	       "on_lost fail, META does not answer: the write fails after %.1f "
	       "s: %s",
	       seconds, strerror(-r));
	r = read_chunk(rig, 5);
	tap_ok(!r, "reads pass: %s", strerror(-r));
	close(rig->fd);
	rig->fd = -1;
	late_begin(&late);
	while (state_of(__atomic_load_n(&late.tid, __ATOMIC_ACQUIRE)) != 'D' &&
	       now() < end)
		pause_briefly();
	tap_ok(!__atomic_load_n(&late.ended, __ATOMIC_ACQUIRE) && now() < end,
	       "the device's removal waits for META");
	front_let_go(f);
	pthread_join(late.thread, NULL);
	tap_ok(!late.result, "and ends when it answers: %s",
	       strerror(-late.result));
	must(rig_up(rig), "make the device again");
	expect_all(rig, "when META has been told at the end");
	rig_down(rig);
}

int main(int argc, char **argv)
{
	struct front f;
	struct rig rig;

	if (argc != 3)
		tap_bail("usage: outage ORIGIN META");
	must(rig_load_module(), "load the module");
	dmt_init();
	front_init(&f, argv[2]);
	rig_init(&rig, argv[1], f.path);
	back_after_reboot(&rig, &f);
	back_before(&rig, &f);
	recorded_elsewhere(&rig, &f, "meta_timeout 600");
	recorded_elsewhere(&rig, &f, "meta_timeout 600 on_lost fail");
	fails_part(&rig, &f);
	only_reads(&rig, &f);
	fails_before_resume(&rig, &f);
	is_slow(&rig, &f);
	hangs(&rig, &f);
	front_done(&f);
	tap_ok(!rig_unload_module(), "the module can be unloaded at the end");
	return tap_done();
}
