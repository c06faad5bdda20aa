// SPDX-License-Identifier: MIT
#include "engine/cut.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/cutjob.h"
#include "port/blkdev.h"
#include "port/dm.h"
#include "port/fsfreeze.h"
#include "port/mapping.h"

#define PREPARE_MS	60000
#define DURABLE_MS	60000
#define END_MS		120000
#define GOODBYE_MS	2000	/* for the watchdog, once the cutter is gone */

struct group {
	const struct cut_member *members;
	unsigned int n;
	dev_t *devs;			/* of the members, in their order */
	struct fsfreeze_list fs;
	struct cut_job *job;
	size_t job_size;
};

static int no_memory(struct tm_error *err)
{
	return tm_error_set(err, -ENOMEM, TM_EXIT_FAILED, NULL,
			    "cannot cut the disks: out of memory");
}

static void group_done(struct group *g)
{
	free(g->devs);
	fsfreeze_done(&g->fs);
	if (g->job)
		munmap(g->job, g->job_size);
}

/*
 * A device that must answer while the members stand still may not have its own
 * I/O pass through one of them.
 */
static int check_apart(const struct group *g, dev_t dev, const char *what,
		       const char *of, struct tm_error *err)
{
	struct blkdevs below;
	int r;

	if (!dev)
		return 0;
	r = blkdev_below(dev, &below);
	if (r)
		return tm_error_set(err, r, TM_EXIT_DEVICE, of,
				    "cannot find what lies below the %s of "
				    "'%s': %s", what, of, strerror(-r));
	for (unsigned int i = 0; !r && i < g->n; i++) {
		if (!blkdevs_has(&below, g->devs[i]))
			continue;
		r = tm_error_set(err, -EDEADLK, TM_EXIT_REFUSED, of,
				 "cannot cut '%s': its %s lies on '%s', which "
				 "stands still for the cut", of, what,
				 g->members[i].name);
		tm_error_action(err, "put it on a device or file that is not "
				     "backed up by the same run");
	}
	blkdevs_done(&below);
	return r;
}

static int check_member(const struct group *g, unsigned int i,
			struct tm_error *err)
{
	const struct cut_member *m = &g->members[i];
	struct tracked_table table;
	int r = tracked_table(m->name, &table, err);

	if (!r)
		r = check_apart(g, table.meta, "metadata", m->name, err);
	if (!r)
		r = check_apart(g, m->store, "snapshot store", m->name, err);
	return r;
}

static int find_devs(struct group *g, struct tm_error *err)
{
	struct mapping_info info;
	int r;

	g->devs = calloc(g->n, sizeof(*g->devs));
	if (!g->devs)
		return no_memory(err);
	for (unsigned int i = 0; i < g->n; i++) {
		r = mapping_info(g->members[i].name, &info, err);
		if (r)
			return r;
		if (!info.exists)
			return tm_error_set(err, -ENODEV, TM_EXIT_DEVICE,
					    g->members[i].name, "cannot cut "
					    "'%s': there is no such device",
					    g->members[i].name);
		g->devs[i] = info.dev;
	}
	return 0;
}

static int upper_first(const void *a, const void *b)
{
	const struct cut_disk *x = a, *y = b;

	return (x->depth < y->depth) - (x->depth > y->depth);
}

static int add_disks(struct group *g, struct tm_error *err)
{
	for (unsigned int i = 0; i < g->n; i++) {
		struct cut_disk *disk = &g->job->disks[i];
		int r = blkdev_depth(g->devs[i], &disk->depth);

		if (r)
			return tm_error_set(err, r, TM_EXIT_DEVICE,
					    g->members[i].name, "cannot find "
					    "what lies below '%s': %s",
					    g->members[i].name, strerror(-r));
		strncpy(disk->name, g->members[i].name, sizeof(disk->name) - 1);
	}
	qsort(g->job->disks, g->n, sizeof(*g->job->disks), upper_first);
	return 0;
}

static void set_options(struct source_cut_options *to,
			const struct source_cut_options *from)
{
	*to = *from;
	if (!to->freeze_timeout_ms)
		to->freeze_timeout_ms = 10000;
	if (!to->hook_timeout_ms)
		to->hook_timeout_ms = 60000;
	if (!to->hold_timeout_ms)
		to->hold_timeout_ms = 10000;
}

/* The job, in memory that all processes of the cut share. */
static int make_job(struct group *g, const char *id,
		    const struct source_cut_options *how, struct tm_error *err)
{
	size_t disks = sizeof(struct cut_job) +
		       g->n * sizeof(struct cut_disk);
	struct cut_job *job;
	int r;

	r = how->no_freeze ? 0 : fsfreeze_find(g->devs, g->n, &g->fs);
	if (r)
		return tm_error_set(err, r, TM_EXIT_DEVICE, NULL,
				    "cannot find the filesystems to freeze: %s",
				    strerror(-r));
	disks = (disks + 63) & ~(size_t)63;
	g->job_size = disks + g->fs.n * sizeof(struct cut_fs);
	job = mmap(NULL, g->job_size, PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (job == MAP_FAILED)
		return no_memory(err);
	g->job = job;
	strncpy(job->id, id, sizeof(job->id) - 1);
	set_options(&job->how, how);
	job->n_disks = g->n;
	job->n_fs = g->fs.n;
	job->report.unfrozen = g->fs.hidden;
	if (g->fs.hidden)
		strcpy(job->report.warning, "cannot freeze a filesystem: its "
		       "mounts are covered by others; its part of the cut is "
		       "crash-consistent");
	job->fs = (struct cut_fs *)((char *)job + disks);
	for (size_t i = 0; i < g->fs.n; i++) {
		job->fs[i].fd = g->fs.v[i].fd;
		job->fs[i].path = g->fs.v[i].path;
	}
	return add_disks(g, err);
}

/*
 * Preparing takes memory and clears it. As many at once as there are processors:
 * more of them would leave none for those who write meanwhile.
 */
static int prepare_all(const struct group *g, const char *id,
		       struct tm_error *err)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned int at_once = n > 1 ? n : 1, from, to;
	int r = 0;

	for (from = 0; !r && from < g->n; from = to) {
		to = g->n - from < at_once ? g->n : from + at_once;
		for (unsigned int i = from; !r && i < to; i++)
			r = tracked_prepare(g->members[i].name, id, err);
		for (unsigned int i = from; !r && i < to; i++)
			r = tracked_wait(g->members[i].name, id,
					 TRACKED_PREPARED, PREPARE_MS, err);
	}
	return r;
}

int cut_end(const char *name, const char *id, bool commit,
	    struct tm_error *err)
{
	struct tracked_status st;
	int r = tracked_status(name, &st, err);

	if (r)
		return r;
	if (strcmp(st.frozen, id))
		return 0;
	if (commit)
		r = tracked_commit(name, id, err);
	else
		r = tracked_abort(name, id, err);
	return r ? r : tracked_wait(name, id, TRACKED_NONE, END_MS, err);
}

/* Whatever became of the cut: the changes of each member are kept. */
static void abort_all(const struct group *g, const char *id)
{
	for (unsigned int i = 0; i < g->n; i++)
		cut_end(g->members[i].name, id, false, NULL);
}

struct pipes {
	int go[2];		/* the watchdog is ready */
	int alive[2];		/* closed when cutter and freezers are gone */
};

static void pipes_close(struct pipes *p)
{
	close(p->go[0]);
	close(p->go[1]);
	close(p->alive[0]);
	close(p->alive[1]);
}

static int pipes_open(struct pipes *p)
{
	if (pipe2(p->go, O_CLOEXEC) < 0)
		return -errno;
	if (pipe2(p->alive, O_CLOEXEC) < 0) {
		int r = -errno;

		close(p->go[0]);
		close(p->go[1]);
		return r;
	}
	return 0;
}

static pid_t start_cutter(struct cut_job *job, struct pipes *p)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	close(p->go[1]);
	close(p->alive[0]);
	cutter_run(job, p->go[0]);
}

static pid_t start_watchdog(struct cut_job *job, struct pipes *p, pid_t cutter)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	close(p->go[0]);
	close(p->alive[1]);
	watchdog_run(job, cutter, p->alive[0], p->go[1]);
}

/* Why the cutter has not come to its end; @status as waitpid() gives it. */
static int blame_cutter(const struct cut_job *job, int status,
			struct tm_error *err)
{
	static const char *const steps[] = {
		[CUT_STEP_START] = "it started",
		[CUT_STEP_FREEZE] = "it froze filesystems",
		[CUT_STEP_SUSPEND] = "it suspended them",
		[CUT_STEP_CUT] = "it cut them",
		[CUT_STEP_HOOK] = "its hook ran",
		[CUT_STEP_RESUME] = "it resumed them",
		[CUT_STEP_THAW] = "it thawed filesystems",
	};
	const char *step = steps[atomic_load(&job->step)];

	if (!atomic_load(&job->begin_ms)) {
		tm_error_set(err, -ESTALE, TM_EXIT_DEVICE, NULL,
			     "cannot cut the disks: the process that cuts, or its watchdog, ended before anything stood still");
		tm_error_action(err, "see that there is memory, and that it may be locked (LimitMEMLOCK)");
	} else if (atomic_load(&job->late)) {
		tm_error_set(err, -ESTALE, TM_EXIT_DEVICE, NULL,
			     "cannot cut the disks: the process that cuts had not finished when its time was over, while %s; its watchdog resumed them",
			     step);
		tm_error_action(err, "see the kernel's log for I/O that hangs; if the machine is only slow, give cuts more time: cut_timeout, now %u s",
				job->how.hold_timeout_ms / 1000);
	} else if (!atomic_load(&job->rescued)) {
		tm_error_set(err, -ESTALE, TM_EXIT_DEVICE, NULL,
			     "cannot cut the disks: the watchdog of the process that cuts died while %s",
			     step);
		tm_error_action(err, "see the kernel's log, and that no disk is suspended: dmsetup info");
	} else {
		tm_error_set(err, -ESTALE, TM_EXIT_DEVICE, NULL,
			     "cannot cut the disks: the process that cuts died while %s (%s %d); its watchdog resumed them",
			     step, WIFSIGNALED(status) ? "signal" : "status",
			     WIFSIGNALED(status) ? WTERMSIG(status) :
						   WEXITSTATUS(status));
		tm_error_action(err, "see the kernel's log");
	}
	return -ESTALE;
}

/*
 * Until the cutter has ended, or the watchdog has given up on it: a cutter
 * stuck in the kernel must not hold the caller too.
 */
static int wait_for_end(pid_t cutter, pid_t watchdog)
{
	int status = 0;
	struct pollfd p[2] = {
		{ .fd = syscall(SYS_pidfd_open, cutter, 0), .events = POLLIN },
		{ .fd = syscall(SYS_pidfd_open, watchdog, 0), .events = POLLIN },
	};

	while (poll(p, 2, -1) < 0 && errno == EINTR)
		;
	/* Freezers given up on may keep the watchdog; it needs no company. */
	if (p[0].revents)
		while (poll(&p[1], 1, GOODBYE_MS) < 0 && errno == EINTR)
			;
	close(p[0].fd);
	close(p[1].fd);
	waitpid(cutter, &status, WNOHANG);
	waitpid(watchdog, NULL, WNOHANG);
	return status;
}

static int run(struct group *g, struct tm_error *err)
{
	struct cut_job *job = g->job;
	pid_t cutter, watchdog;
	struct pipes p;
	int r = pipes_open(&p), status;

	if (r)
		return tm_error_set(err, r, TM_EXIT_FAILED, NULL,
				    "cannot cut the disks: %s", strerror(-r));
	cutter = start_cutter(job, &p);
	watchdog = cutter < 0 ? -1 : start_watchdog(job, &p, cutter);
	r = watchdog < 0 ? -errno : 0;
	/* Without a watchdog this ends the cutter: it reads no "go". */
	pipes_close(&p);
	if (r) {
		if (cutter > 0)
			waitpid(cutter, NULL, 0);
		return tm_error_set(err, r, TM_EXIT_FAILED, NULL,
				    "cannot start the process that cuts: %s",
				    strerror(-r));
	}
	status = wait_for_end(cutter, watchdog);
	if (atomic_load(&job->done) && !atomic_load(&job->rescued)) {
		if (job->result && err)
			*err = job->err;
		return job->result;
	}
	return blame_cutter(job, status, err);
}

static int all_durable(const struct group *g, const char *id,
		       struct tm_error *err)
{
	int r = 0;

	for (unsigned int i = 0; !r && i < g->n; i++)
		r = tracked_wait(g->members[i].name, id, TRACKED_SHIPPING,
				 DURABLE_MS, err);
	return r;
}

static int cut_prepared(struct group *g, const char *id,
			struct source_cut_report *ret, struct tm_error *err)
{
	int r = prepare_all(g, id, err);

	if (!r) {
		cutjob_sync_all(g->job);
		r = run(g, err);
	}
	if (!r)
		r = all_durable(g, id, err);
	if (r)
		abort_all(g, id);
	else
		*ret = g->job->report;
	return r;
}

int cut_check_count(unsigned int n, struct tm_error *err)
{
	if (n <= CUT_MEMBERS_MAX)
		return 0;
	return tm_error_set(err, -E2BIG, TM_EXIT_LIMIT, NULL,
			    "cannot cut %u devices at one instant: at most %u",
			    n, CUT_MEMBERS_MAX);
}

int cut_group(const struct cut_member *members, unsigned int n, const char *id,
	      const struct source_cut_options *how,
	      struct source_cut_report *ret, struct tm_error *err)
{
	struct group g = { .members = members, .n = n };
	int r = cut_check_count(n, err);

	if (!r)
		r = mapping_open_control(err);
	if (!r)
		r = find_devs(&g, err);
	for (unsigned int i = 0; !r && i < n; i++)
		r = check_member(&g, i, err);
	if (!r)
		r = make_job(&g, id, how, err);
	if (!r)
		r = cut_prepared(&g, id, ret, err);
	group_done(&g);
	return r;
}
