// SPDX-License-Identifier: MIT
/*
 * cuts - cuts, commits and aborts of a tracked disk under load, and marks
 *
 *   cuts DEVICE ORIGIN MARK COUNT SEED PHASE PID...
 *
 * Cuts the device-mapper device DEVICE COUNT times, and commits or gives up
 * what it cut, or only prepared; in between it waits for so many writes to have
 * reached ORIGIN, the name of a disk, so that the speed of the machine does not
 * matter. At times the processes PID, which are the load, stand still until
 * idle regions are being closed; then new ones are opened at once. It ends in
 * PHASE: `none`, `prepared` or `shipping`.
 *
 * MARK is the disk of words to who reads the log. While the device stands
 * still in a cut, `cut ID` is written there: what the disk is then is the
 * truth about that cut. `note WORD` says what is being done.
 *
 *   cuts - - MARK say WORD...	writes one mark
 *   cuts DEVICE - - report	says what counts as changed, as `judge` does
 */
#include "lib/dm.h"
#include "lib/io.h"
#include "lib/tap.h"
#include "lib/track.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	PATIENCE = 60,
	MARK_BYTES = 512,
	BLOCK = 4096,
	POKES = 4,
	NEAR = 16,		/* blocks, less than a region */
};

static const char *name, *origin;
static int device_fd = -1;
static uint64_t device_blocks;
static pid_t load[16];
static int loads;
static int mark_fd;
static char *mark_buf;

static void must(int r, const char *what)
{
	if (r)
		tap_bail("cannot %s: %s", what, strerror(-r));
}

static void mark(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void mark(const char *fmt, ...)
{
	va_list ap;

	memset(mark_buf, 0, MARK_BYTES);
	va_start(ap, fmt);
	vsnprintf(mark_buf, MARK_BYTES, fmt, ap);
	va_end(ap);
	must(io_put(mark_fd, mark_buf, MARK_BYTES, 0), "write a mark");
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* Writes and discards that have reached the origin. */
static unsigned long long written(void)
{
	unsigned long long n[12] = { 0 };
	char path[64], text[512] = "", *at = text;
	FILE *f;
	int i;

	snprintf(path, sizeof(path), "/sys/block/%s/stat", origin);
	f = fopen(path, "r");
	if (!f || !fgets(text, sizeof(text), f))
		tap_bail("cannot read '%s'", path);
	fclose(f);
	for (i = 0; i < 12; i++)
		n[i] = strtoull(at, &at, 10);
	return n[4] + n[11];
}

static void tick(void)
{
	const struct timespec ts = { .tv_nsec = 2000000 };

	nanosleep(&ts, NULL);
}

/* Until some more was written; no filesystem need be busy for ever. */
static void rest(void)
{
	unsigned long long end = written() + rand() % (rand() % 4 ? 12 : 60);
	double late = now() + 3;

	while (written() < end && now() < late)
		tick();
}

static void signal_load(int sig)
{
	int i;

	for (i = 0; i < loads; i++)
		if (kill(load[i], sig))
			tap_bail("the load has ended");
}

/* Writes to a few regions: @again, the same ones. */
static void poke(bool again)
{
	static uint64_t spot[POKES];
	int i;

	for (i = 0; i < POKES && device_blocks; i++) {
		if (!again)
			spot[i] = rand() % (device_blocks - NEAR);
		must(io_write(device_fd, (spot[i] + rand() % NEAR) * BLOCK,
			      BLOCK, rand()),
		     "write");
	}
}

/* Until fewer regions are open, or @none. */
static void wait_closing(bool none)
{
	unsigned long long open = 0;
	double late = now() + 10;
	struct track_status st;

	do {
		must(track_status(name, &st), "read the status");
		if (!st.open || (!none && st.open < open))
			return;
		open = st.open;
		tick();
	} while (now() < late);
}

/*
 * All stands still until no region is open; some are opened, and while they are
 * being closed, others. A slow META gives them the time to meet. In a steady
 * load this is rare, and little would hang on it: the sectors that a closing
 * region writes have been written for its neighbours just before.
 */
static void quiet(void)
{
	signal_load(SIGSTOP);
	wait_closing(true);
	poke(false);
	wait_closing(false);
	poke(false);
	signal_load(SIGCONT);
}

static void prepare(char id[40])
{
	track_new_id(id);
	mark("note prepare %s", id);
	must(dmt_message(name, NULL, 0, "prepare %s", id), "prepare");
}

static void take(const char *id)
{
	int r;

	must(track_wait(name, "prepared", PATIENCE), "wait for the preparation");
	rest();
	must(dmt_suspend(name, false, true), "suspend");
	r = dmt_message(name, NULL, 0, "cut %s", id);
	if (!r)
		mark("cut %s", id);
	must(dmt_resume(name), "resume");
	must(r, "cut");
	must(track_wait(name, "shipping", PATIENCE), "wait for the cut");
	mark("note shipping %s", id);
}

static void give_up(const char *id)
{
	mark("note abort %s", id);
	must(track_abort(name, id), "abort");
	mark("note aborted %s", id);
}

static void commit(const char *id)
{
	mark("note commit %s", id);
	must(track_commit(name, id), "commit");
	mark("note committed %s", id);
	poke(true);
}

/* Of a new set all is marked, and no write has to wait: not for long. */
static void begin(void)
{
	struct track_status st;
	char id[40];

	must(track_status(name, &st), "read the status");
	if (strcmp(st.base, "-"))
		return;
	prepare(id);
	take(id);
	commit(id);
}

static void once(void)
{
	char id[40];

	rest();
	if (rand() % 2)
		quiet();
	poke(false);
	prepare(id);
	switch (rand() % 8) {
	case 0:
		give_up(id);
		break;
	case 1:
		must(track_wait(name, "prepared", PATIENCE), "wait");
		rest();
		give_up(id);
		break;
	case 2:
	case 3:
		take(id);
		rest();
		give_up(id);
		break;
	case 4:
	case 5:
		take(id);
		commit(id);
		break;
	default:
		take(id);
		rest();
		commit(id);
	}
}

static void finish(const char *phase)
{
	char id[40];

	if (!strcmp(phase, "none"))
		return;
	prepare(id);
	if (!strcmp(phase, "shipping"))
		take(id);
	else
		must(track_wait(name, "prepared", PATIENCE), "wait");
	rest();
}

static void say(int argc, char **argv)
{
	char text[MARK_BYTES] = "";
	size_t n = 0;
	int i;

	for (i = 0; i < argc && n < sizeof(text); i++)
		n += snprintf(text + n, sizeof(text) - n, "%s%s", i ? " " : "",
			      argv[i]);
	mark("%s", text);
}

static void set_up(char **argv)
{
	mark_fd = io_open(argv[3], O_WRONLY);
	mark_buf = io_buffer(MARK_BYTES);
}

int main(int argc, char **argv)
{
	int i, count;

	dmt_init();
	if (argc < 5)
		tap_bail("usage: cuts DEVICE ORIGIN MARK COUNT SEED PHASE PID...");
	name = argv[1];
	origin = argv[2];
	if (!strcmp(argv[4], "report")) {
		must(track_report(name), "report");
		return 0;
	}
	set_up(argv);
	if (!strcmp(argv[4], "say")) {
		say(argc - 5, argv + 5);
		return 0;
	}
	if (argc < 7)
		tap_bail("a seed and a phase are needed");
	count = atoi(argv[4]);
	srand(atoi(argv[5]));
	for (i = 7; i < argc && loads < 16; i++)
		load[loads++] = atoi(argv[i]);
	device_fd = dmt_open(name, O_RDWR | O_DIRECT);
	must(device_fd < 0 ? device_fd : 0, "open the device");
	if (getenv("MAY_WRITE"))
		device_blocks = io_size(device_fd) / BLOCK;
	begin();
	while (count--)
		once();
	finish(argv[6]);
	return 0;
}
