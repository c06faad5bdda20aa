// SPDX-License-Identifier: MIT
#include "engine/cutjob.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "port/fsfreeze.h"
#include "port/mapping.h"

#define HELPER_MS	10000	/* for one resume or thaw */
#define STRAGGLER_MS	60000	/* for what is stuck in the kernel */

/* Is the last writer of @alive gone? Waits at most @ms; -1: for ever. */
static bool all_gone(int alive, int ms)
{
	struct pollfd p = { .fd = alive, .events = POLLIN };
	int n;

	do {
		n = poll(&p, 1, ms);
	} while (n < 0 && errno == EINTR);
	return n == 1;
}

/* True: all ended well. False: the cutter died or stalled. */
static bool watch(struct cut_job *job, int alive)
{
	uint64_t now, deadline;
	int ms;

	for (;;) {
		now = cutjob_now_ms();
		deadline = atomic_load(&job->deadline_ms);
		if (atomic_load(&job->done) || !deadline)
			ms = 1000;
		else if (now >= deadline)
			return false;
		else
			ms = deadline - now < 1000 ? (int)(deadline - now) : 1000;
		if (all_gone(alive, ms))
			return atomic_load(&job->done);
	}
}

/*
 * Resumes disk @i or, with @i from n_disks on, thaws a filesystem: in a
 * process of its own, since any one of them may be stuck for good. True when
 * it has been done.
 */
static bool release(struct cut_job *job, unsigned int i)
{
	struct pollfd p = { .events = POLLIN };
	pid_t pid = fork();
	int status = 0, r;

	if (pid <= 0) {	/* without a process to be had, here */
		if (i < job->n_disks)
			r = mapping_resume(job->disks[i].name, NULL);
		else
			r = fsfreeze_thaw(job->fs[i - job->n_disks].fd);
		if (!pid)
			_exit(r ? 1 : 0);
		return !r;
	}
	p.fd = syscall(SYS_pidfd_open, pid, 0);
	if (p.fd < 0)
		return false;
	poll(&p, 1, HELPER_MS);
	close(p.fd);
	return waitpid(pid, &status, WNOHANG) == pid && WIFEXITED(status) &&
	       !WEXITSTATUS(status);
}

/* Lowest disks first, then filesystems, lowest first. */
static void rescue(struct cut_job *job)
{
	for (unsigned int i = job->n_disks; i--;)
		if (atomic_load(&job->disks[i].held) && release(job, i))
			atomic_store(&job->disks[i].held, false);
	for (unsigned int i = job->n_fs; i--;)
		if (atomic_load(&job->fs[i].state) != CUT_FS_THAWED &&
		    release(job, job->n_disks + i))
			atomic_store(&job->fs[i].state, CUT_FS_THAWED);
}

static void kill_cutter(int pidfd)
{
	if (pidfd >= 0)
		syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
}

void watchdog_run(struct cut_job *job, pid_t cutter, int alive, int go)
{
	/* By descriptor: its number may be another's by the time we kill. */
	int pidfd = syscall(SYS_pidfd_open, cutter, 0);

	if (cutjob_harden())
		_exit(1);
	if (write(go, "", 1) != 1)
		_exit(1);
	close(go);
	if (watch(job, alive))
		_exit(0);
	atomic_store(&job->rescued, true);
	kill_cutter(pidfd);
	/* Its suspends must have ended, or a resume would wait behind them. */
	all_gone(alive, HELPER_MS);
	rescue(job);
	/* A freeze that came through after its freezer was killed. */
	if (all_gone(alive, STRAGGLER_MS))
		rescue(job);
	_exit(1);
}
