// SPDX-License-Identifier: MIT
#include "engine/cutjob.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "port/fsfreeze.h"
#include "port/mapping.h"

#define LEVEL_MS	500	/* for the resumes of one level */
#define GIVE_UP_MS	60000	/* on what is stuck in the kernel */

/*
 * Is @fd readable: a process gone, the last writer of a pipe gone? Waits at most
 * @ms.
 */
static bool wait_fd(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int n;

	do {
		n = poll(&p, 1, ms);
	} while (n < 0 && errno == EINTR);
	return n == 1;
}

/* True: all ended well. False: the cutter died or stalled. */
static bool watch(struct cut_job *job, int cutter)
{
	uint64_t now, deadline;
	int ms;

	for (;;) {
		now = cutjob_now_ms();
		deadline = cutjob_deadline_ms(job, CUTJOB_CUTTER_PERCENT);
		if (!atomic_load(&job->begin_ms)) {
			ms = 1000;
		} else if (now >= deadline) {
			atomic_store(&job->late, true);
			return false;
		} else {
			ms = deadline - now < 1000 ? (int)(deadline - now) : 1000;
		}
		if (wait_fd(cutter, ms))
			return atomic_load(&job->done);
	}
}

/*
 * May it stand still? A filesystem that is being frozen is left to its freezer,
 * unless it is @orphaned: a thaw would only wait behind the freeze.
 */
static bool is_held(struct cut_job *job, unsigned int i, bool orphaned)
{
	int state;

	if (i < job->n_disks)
		return atomic_load(&job->disks[i].held);
	state = atomic_load(&job->fs[i - job->n_disks].state);
	return orphaned ? state != CUT_FS_THAWED : state == CUT_FS_FROZEN;
}

/* Resumes disk @i or, with @i from n_disks on, thaws a filesystem. */
static void release(struct cut_job *job, unsigned int i)
{
	if (i < job->n_disks) {
		if (!mapping_resume(job->disks[i].name, NULL))
			atomic_store(&job->disks[i].held, false);
	} else {
		struct cut_fs *fs = &job->fs[i - job->n_disks];

		fsfreeze_thaw(fs->fd);
		atomic_store(&fs->state, CUT_FS_THAWED);
	}
}

/*
 * Releases what of [@from, @to) is held, the last first, each in a process of
 * its own: any one of them may be stuck for good, and must not keep the others.
 * Those that are not through after @ms go on alone.
 */
static void release_all(struct cut_job *job, unsigned int from,
			unsigned int to, bool orphaned, int ms)
{
	int fd[2];	/* who is not through has the other end */

	if (pipe(fd) < 0)
		fd[0] = fd[1] = -1;
	while (to-- > from) {
		pid_t pid;

		if (!is_held(job, to, orphaned))
			continue;
		pid = fork();
		if (pid > 0)
			continue;
		release(job, to);	/* without a process to be had, here */
		if (!pid)
			_exit(0);
	}
	close(fd[1]);
	wait_fd(fd[0], ms);
	close(fd[0]);
}

/*
 * Disks first, the lowest level before the next; then the filesystems, all at
 * once: one on top of another waits for that one.
 */
static void rescue(struct cut_job *job, bool orphaned)
{
	unsigned int from, to;

	for (to = job->n_disks; to; to = from) {
		from = to - 1;
		while (from && job->disks[from - 1].depth ==
				       job->disks[from].depth)
			from--;
		release_all(job, from, to, orphaned, LEVEL_MS);
	}
	release_all(job, job->n_disks, job->n_disks + job->n_fs, orphaned,
		    GIVE_UP_MS);
}

void watchdog_run(struct cut_job *job, pid_t cutter, int alive, int go)
{
	/* By descriptor: its number may be another's by the time we kill. */
	int pidfd = syscall(SYS_pidfd_open, cutter, 0);
	bool well;

	if (pidfd < 0 || cutjob_harden())
		_exit(1);
	if (write(go, "", 1) != 1)
		_exit(1);
	close(go);
	well = watch(job, pidfd);
	if (!well) {
		atomic_store(&job->rescued, true);
		syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
		/* Its suspends should have ended: a resume waits behind them. */
		wait_fd(pidfd, LEVEL_MS);
		if (!wait_fd(alive, LEVEL_MS))
			rescue(job, false);
	}
	/* A freezer that is stuck ends, at last, with its filesystem frozen. */
	if (wait_fd(alive, GIVE_UP_MS))
		rescue(job, true);
	_exit(well ? 0 : 1);
}
