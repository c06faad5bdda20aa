// SPDX-License-Identifier: MIT
/*
 * hammer - everything at once: no order, no model, only no trouble
 *
 *   hammer ORIGIN META STORE SECONDS SEED [faults]
 *
 * Processes that know nothing of each other write, suspend, resume, reload,
 * cut, commit, abort, snapshot, release, read, ask and remove. Most of what
 * they ask for is refused. Whatever happens, no call may hang, the kernel must
 * have nothing to report, and in the end all can be taken down. With faults, the
 * kernel's fault injection also fails what these processes, and the kernel's
 * workers, ask of its memory.
 */
#include "lib/dm.h"
#include "lib/io.h"
#include "lib/limit.h"
#include "lib/rig.h"
#include "lib/snap.h"
#include "lib/tap.h"
#include "lib/track.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LIMIT_SECONDS = 60 };

struct hammer {
	struct rig rig;
	const char *store;
	unsigned int seed;
	unsigned long done, accepted;
	int tables;		/* a lock: see alone() */
	bool faults;
};

#define TABLES "/run/hammer.tables"

static const char *role = "nobody";

static int up_to(struct hammer *h, int n)
{
	return rand_r(&h->seed) % n;
}

static void pause_ms(int ms)
{
	const struct timespec ts = { .tv_nsec = ms * 1000000 };

	nanosleep(&ts, NULL);
}

/*
 * Device-mapper's measurements of tables (dm-ima) are kept without a lock: a
 * table that is cleared while another call exchanges it makes the kernel, not
 * the module, follow a null pointer. So of the calls that exchange tables there
 * is one at a time; suspensions, messages, status and I/O go on beside it.
 */
static int alone(struct hammer *h, int (*call)(struct hammer *h))
{
	int r;

	flock(h->tables, LOCK_EX);
	r = call(h);
	flock(h->tables, LOCK_UN);
	return r;
}

static int table(struct hammer *h)
{
	char params[512];

	return dmt_load(RIG_NAME, h->rig.size / 512, false, "tidemark",
			rig_params(&h->rig, params, sizeof(params)));
}

static int resume(struct hammer *h)
{
	(void)h;
	return dmt_resume(RIG_NAME);
}

static int resume_or_clear(struct hammer *h)
{
	return up_to(h, 4) ? dmt_resume(RIG_NAME) : dmt_clear(RIG_NAME);
}

/* Of a few names only, so that they often are right. */
static const char *some_id(struct hammer *h)
{
	static char id[40];

	snprintf(id, sizeof(id), "%032x", 1 + up_to(h, 3));
	return id;
}

static int do_write(struct hammer *h)
{
	uint64_t at = up_to(h, h->rig.size / h->rig.block - 64);
	int fd = dmt_open(RIG_NAME, O_RDWR | O_DIRECT), i, r = 0;

	if (fd < 0)
		return fd;
	for (i = 0; i < 10 && !r; i++) {
		at = (at * 7 + 13) % (h->rig.size / h->rig.block - 64);
		if (up_to(h, 8))
			r = io_write(fd, at * h->rig.block,
				     (1 + up_to(h, 63)) * h->rig.block, at);
		else if (up_to(h, 2))
			r = io_zero(fd, at * h->rig.block, 8 * h->rig.block);
		else
			io_discard(fd, at * h->rig.block, 8 * h->rig.block);
	}
	close(fd);
	pause_ms(up_to(h, 40));
	/* without a table, there is no room; but nothing else may fail */
	if (r && r != -ENOSPC && !(h->faults && r == -ENOMEM)) {
		tap_note("a write failed: %s", strerror(-r));
		_exit(4);
	}
	return r;
}

static int do_suspend(struct hammer *h)
{
	pause_ms(up_to(h, 30));
	switch (up_to(h, 4)) {
	case 0:
		return dmt_suspend(RIG_NAME, up_to(h, 2), up_to(h, 2));
	case 1:
		return alone(h, table);
	case 2:
		return alone(h, resume_or_clear);
	default:
		return alone(h, resume);
	}
}

static int do_cut(struct hammer *h)
{
	const char *id = some_id(h);
	int r;

	pause_ms(up_to(h, 10));
	switch (up_to(h, 8)) {
	case 0:
		return dmt_message(RIG_NAME, NULL, 0, "abort %s", id);
	case 1:
		return dmt_message(RIG_NAME, NULL, 0, "commit %s", id);
	case 2:
	case 3:
	case 4:
		return dmt_message(RIG_NAME, NULL, 0, "prepare %s", id);
	default:
		r = dmt_suspend(RIG_NAME, false, true);
		if (!r)
			r = dmt_message(RIG_NAME, NULL, 0, "cut %s", id);
		alone(h, resume);
		return r;
	}
}

static int snap_remove(struct hammer *h)
{
	(void)h;
	return dmt_remove(SNAP_NAME);
}

static int snap_create(struct hammer *h)
{
	return snap_make(h->rig.size, up_to(h, 3) ? h->store : "-",
			 up_to(h, 2) ? "delta" : "full",
			 up_to(h, 2) ? "pool_kib 64" : "");
}

static int do_snapshot(struct hammer *h)
{
	void *buf;
	int fd, i;

	switch (up_to(h, 4)) {
	case 0:
		return alone(h, snap_remove);
	case 1:
		return alone(h, snap_create);
	case 2:
		return dmt_message(SNAP_NAME, NULL, 0, "release %d %d",
				   up_to(h, h->rig.total - 8), 1 + up_to(h, 8));
	default:
		fd = dmt_open(SNAP_NAME, O_RDONLY | O_DIRECT);
		if (fd < 0)
			return fd;
		buf = io_buffer(65536);
		for (i = 0; i < 20; i++)
			(void)!pread(fd, buf, 65536,
				     up_to(h, h->rig.size / 65536) * 65536ull);
		free(buf);
		close(fd);
		return 0;
	}
}

static int do_ask(struct hammer *h)
{
	struct track_status st;
	struct snap_status snap;
	struct chunks set;
	char text[512];
	int r;

	pause_ms(up_to(h, 5));
	switch (up_to(h, 6)) {
	case 0:
		return track_status(RIG_NAME, &st);
	case 1:
		return snap_status(&snap);
	case 2:
		r = dmt_table(RIG_NAME, text, sizeof(text));
		return r ? r : dmt_table(SNAP_NAME, text, sizeof(text));
	case 3:
		return dmt_message(RIG_NAME, NULL, 0, "mark %d 1",
				   up_to(h, h->rig.total));
	default:
		chunks_init(&set, h->rig.total);
		r = track_extents(RIG_NAME, up_to(h, 2) ? "current" : "frozen",
				  1 + up_to(h, 100), &set);
		chunks_done(&set);
		return r;
	}
}

static int renew(struct hammer *h)
{
	int r = dmt_remove(RIG_NAME);

	if (!r || r == -ENXIO) {
		r = dmt_create(RIG_NAME);
		if (!r)
			r = table(h);
		if (!r)
			r = dmt_resume(RIG_NAME);
	}
	return r;
}

static int do_remove(struct hammer *h)
{
	pause_ms(up_to(h, 40));
	return alone(h, renew);
}

static const struct {
	const char *name;
	int (*go)(struct hammer *h);
} roles[] = {
	{ "write", do_write }, { "write", do_write },
	{ "suspend", do_suspend }, { "cut", do_cut }, { "cut", do_cut },
	{ "snapshot", do_snapshot }, { "read", do_snapshot },
	{ "ask", do_ask }, { "remove", do_remove },
};

enum { ROLES = sizeof(roles) / sizeof(*roles) };

/* What @pid asks for may fail from now on. */
static void may_fail(const char *pid)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/make-it-fail", pid);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)!write(fd, "1", 1);
	close(fd);
}

static void workers_may_fail(void)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	char path[300], name[32] = "";
	FILE *f;

	while (proc && (entry = readdir(proc))) {
		snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
		f = fopen(path, "re");
		if (!f)
			continue;
		if (fgets(name, sizeof(name), f) &&
		    !strncmp(name, "kworker", 7))
			may_fail(entry->d_name);
		fclose(f);
	}
	if (proc)
		closedir(proc);
}

static void child(struct hammer *h, int i, time_t end)
{
	role = roles[i].name;
	h->seed = h->seed * 31 + i;
	h->tables = open(TABLES, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (h->faults)
		may_fail("self");
	while (time(NULL) < end) {
		limit(LIMIT_SECONDS, role);
		h->done++;
		h->accepted += !roles[i].go(h);
		limit(0, role);
	}
	tap_note("%s: %lu of %lu accepted", role, h->accepted, h->done);
	_exit(0);
}

/*
 * Writers wait for a resume, and so do readers of a snapshot. One that could
 * not be resumed may never be: then it gets a table of errors.
 */
static void let_go(struct hammer *h)
{
	dmt_resume(RIG_NAME);
	if (dmt_resume(SNAP_NAME) &&
	    !dmt_load(SNAP_NAME, h->rig.size / 512, false, "error", ""))
		dmt_resume(SNAP_NAME);
}

/*
 * Whoever is held in a suspension at the end must be let out, or nobody ends:
 * so the devices are resumed until all have. The number that did not end well.
 */
static int wait_all(struct hammer *h, const pid_t *pids, time_t end)
{
	const struct timespec tick = { .tv_nsec = 20000000 };
	int left = ROLES, bad = 0, status, i;

	while (left) {
		left = 0;
		for (i = 0; i < ROLES; i++) {
			pid_t got = waitpid(pids[i], &status, WNOHANG);

			if (!got)
				left++;
			else if (got > 0)
				bad += status != 0;
		}
		if (time(NULL) >= end) {
			if (!flock(h->tables, LOCK_EX | LOCK_NB)) {
				let_go(h);
				flock(h->tables, LOCK_UN);
			}
		} else if (h->faults) {
			workers_may_fail();
		}
		if (left && time(NULL) >= end + LIMIT_SECONDS) {
			for (i = 0; i < ROLES; i++)
				if (!kill(pids[i], 0))
					tap_note("%s did not end",
						 roles[i].name);
			limit_over();
		}
		nanosleep(&tick, NULL);
	}
	return bad;
}

int main(int argc, char **argv)
{
	struct hammer h = { .done = 0 };
	pid_t pids[ROLES];
	time_t end;
	int i, r;

	if (argc < 6)
		tap_bail("usage: hammer ORIGIN META STORE SECONDS SEED ...");
	h.faults = argc > 6;
	if (rig_load_module())
		tap_bail("cannot load the module");
	dmt_init();
	rig_init(&h.rig, argv[1], argv[2]);
	h.store = argv[3];
	h.seed = strtoul(argv[5], NULL, 10);
	/* memory that is there cannot be refused */
	mlockall(MCL_CURRENT | MCL_FUTURE);
	rig_fresh(&h.rig, 16, "");
	close(h.rig.fd);
	fflush(stdout);
	h.tables = open(TABLES, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (h.tables < 0)
		tap_bail("cannot open " TABLES);
	end = time(NULL) + atoi(argv[4]);
	for (i = 0; i < ROLES; i++) {
		pids[i] = fork();
		if (pids[i] < 0)
			tap_bail("cannot fork");
		if (!pids[i])
			child(&h, i, end);
	}
	tap_ok(!wait_all(&h, pids, end), "%s s of everything at once, seed %s", argv[4],
	       argv[5]);
	if (!dmt_exists(SNAP_NAME, NULL)) {
		r = dmt_remove(SNAP_NAME);
		tap_ok(!r, "the snapshot can be removed: %s", strerror(-r));
	}
	if (!dmt_exists(RIG_NAME, NULL)) {
		r = dmt_remove(RIG_NAME);
		tap_ok(!r, "the device can be removed: %s", strerror(-r));
	}
	tap_ok(!rig_unload_module(), "the module can be unloaded");
	return tap_done();
}
