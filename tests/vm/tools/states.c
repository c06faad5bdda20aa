// SPDX-License-Identifier: MIT
/*
 * states - every state that META passes through, and what had changed by then
 *
 *   states ORIGIN META LOG
 *
 * META is written through dm-log-writes, so that LOG has all of its states. The
 * marks in the log say what was true when: `cut:ID` and `commit:ID` when that
 * was asked for, `done:FIRST+LEN` when these chunks had been written,
 * `state:NAME` at a state that is worth a name, `hide` and `show` around writes
 * to META that are the test's own.
 */
#include "lib/dm.h"
#include "lib/io.h"
#include "lib/rig.h"
#include "lib/tap.h"
#include "lib/track.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOGGED "logged"
#define FRONT  "front"

#define OPTIONS "region_sectors 16 close_after 1 meta_timeout 600"

struct states {
	struct rig rig;
	uint64_t meta_sectors;
	char logged[64], front[64]; /* nodes */
	unsigned int seed;
};

static void must(int r, const char *what)
{
	if (r)
		tap_bail("cannot %s: %s", what, strerror(-r));
}

static void mark(const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	must(dmt_message(LOGGED, NULL, 0, "mark %s", text), "mark the log");
}

static void front(struct states *s, bool works)
{
	char params[128];

	snprintf(params, sizeof(params), "%s 0", s->logged);
	must(dmt_load(FRONT, s->meta_sectors, false, works ? "linear" : "error",
		      works ? params : ""),
	     "load a table");
	must(dmt_resume(FRONT), "resume");
}

static int write_chunks(struct states *s, uint64_t first, uint64_t n)
{
	int r = io_write(s->rig.fd, first * s->rig.chunk, n * s->rig.chunk,
			 ++s->seed);

	if (!r)
		mark("done:%llu+%llu", (unsigned long long)first,
		     (unsigned long long)n);
	return r;
}

/* Here and there, in all sectors of the areas. */
static void scatter(struct states *s, int writes)
{
	while (writes--) {
		uint64_t n = 1 + rand_r(&s->seed) % 5;
		uint64_t first = rand_r(&s->seed) % (s->rig.total - n);

		must(write_chunks(s, first, n), "write");
	}
}

static void wait_closed(void)
{
	const struct timespec tick = { .tv_nsec = 20000000 };
	struct track_status st;

	do {
		nanosleep(&tick, NULL);
		must(track_status(RIG_NAME, &st), "read the status");
	} while (st.open);
}

static void prepare(const char *id)
{
	must(dmt_message(RIG_NAME, NULL, 0, "prepare %s", id), "prepare");
	must(track_wait(RIG_NAME, "prepared", 60), "wait until prepared");
}

static void cut(const char *id)
{
	must(dmt_suspend(RIG_NAME, false, true), "suspend");
	must(dmt_message(RIG_NAME, NULL, 0, "cut %s", id), "cut");
	mark("cut:%s", id);
	must(dmt_resume(RIG_NAME), "resume");
	must(track_wait(RIG_NAME, "shipping", 60), "wait until shipping");
}

static void commit(const char *id)
{
	mark("commit:%s", id);
	must(track_commit(RIG_NAME, id), "commit");
}

static void clean(void)
{
	char id[40];

	prepare(track_new_id(id));
	cut(id);
	commit(id);
}

static void up(struct states *s)
{
	must(rig_up(&s->rig), "make the device");
}

/* META is as it was when the power went, and the device starts from that. */
static void crash(struct states *s)
{
	int fd = io_open(s->front, O_RDWR);
	uint64_t bytes = s->meta_sectors * 512;
	void *image = io_read_all(fd, bytes);

	mark("hide");
	rig_down(&s->rig);
	must(io_put(fd, image, bytes, 0), "put META back");
	must(fsync(fd) ? -errno : 0, "flush META");
	mark("show");
	close(fd);
	free(image);
	up(s);
}

/* Three cuts: one given up when prepared, one when shipped, one committed. */
static void cuts(struct states *s)
{
	char id[40];

	prepare(track_new_id(id));
	scatter(s, 3);
	must(track_abort(RIG_NAME, id), "abort");
	scatter(s, 3);
	prepare(track_new_id(id));
	scatter(s, 3);
	mark("state:prepared");
	cut(id);
	scatter(s, 5);
	mark("state:shipping");
	must(track_abort(RIG_NAME, id), "abort");
	mark("state:aborted");
	scatter(s, 3);
	wait_closed();
	prepare(track_new_id(id));
	cut(id);
	scatter(s, 3);
	wait_closed();
	commit(id);
	scatter(s, 3);
	mark("state:committed");
}

static void *lost_write(void *arg)
{
	struct states *s = arg;

	must(write_chunks(s, 77, 1), "write while META is away");
	return NULL;
}

/* META fails and comes back: the write that needed it waits until it says so.
 */
static void lose(struct states *s)
{
	const struct timespec tick = { .tv_nsec = 20000000 };
	struct track_status st;
	pthread_t thread;

	wait_closed();
	front(s, false);
	if (pthread_create(&thread, NULL, lost_write, s))
		tap_bail("cannot start a thread");
	do {
		nanosleep(&tick, NULL);
		must(track_status(RIG_NAME, &st), "read the status");
	} while (strcmp(st.mode, "lost"));
	front(s, true);
	pthread_join(thread, NULL);
	scatter(s, 2);
	mark("state:lost");
}

static void play(struct states *s)
{
	s->rig.options = OPTIONS;
	s->rig.chunk_sectors = 8;
	s->rig.chunk = 4096;
	s->rig.total = (s->rig.size + 4095) / 4096;
	up(s);
	scatter(s, 2);
	clean();
	scatter(s, 12);
	mark("state:tracking");
	wait_closed();
	mark("state:closed");
	scatter(s, 6);
	cuts(s);
	rig_down(&s->rig);
	mark("state:stopped");
	up(s);
	scatter(s, 4);
	crash(s);
	mark("state:recovered");
	scatter(s, 2);
	clean();
	scatter(s, 4);
	/* a cut is under way in the crash, and again in the stop */
	prepare("000102030405060708090a0b0c0d0e0f");
	cut("000102030405060708090a0b0c0d0e0f");
	scatter(s, 4);
	crash(s);
	scatter(s, 4);
	prepare("100102030405060708090a0b0c0d0e0f");
	cut("100102030405060708090a0b0c0d0e0f");
	scatter(s, 4);
	rig_down(&s->rig);
	up(s);
	lose(s);
	rig_down(&s->rig);
	up(s);
	clean();
	scatter(s, 4);
	rig_down(&s->rig);
	mark("state:end");
}

int main(int argc, char **argv)
{
	struct states s = { .seed = 1 };
	char params[256];
	int fd;

	if (argc != 4)
		tap_bail("usage: states ORIGIN META LOG");
	must(rig_load_module(), "load the module");
	dmt_init();
	fd = io_open(argv[2], O_RDONLY);
	s.meta_sectors = io_size(fd) / 512;
	close(fd);
	snprintf(params, sizeof(params), "%s %s", argv[2], argv[3]);
	must(dmt_make(LOGGED, s.meta_sectors, false, "log-writes", params),
	     "log what is written to META");
	must(dmt_path(LOGGED, s.logged, sizeof(s.logged)), "find its node");
	must(dmt_create(FRONT), "make a device before META");
	front(&s, true);
	must(dmt_path(FRONT, s.front, sizeof(s.front)), "find its node");
	rig_init(&s.rig, argv[1], s.front);
	play(&s);
	must(dmt_remove(FRONT), "remove the device before META");
	must(dmt_remove(LOGGED), "end the log");
	tap_ok(true, "META went through all states");
	return tap_done();
}
