// SPDX-License-Identifier: MIT
#include "engine/cutjob.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "port/fsfreeze.h"

static bool change(struct cut_fs *fs, int from, int to)
{
	return atomic_compare_exchange_strong(&fs->state, &from, to);
}

/* The freezer's life. It ends with the cutter's, even while it is stopped. */
static _Noreturn void freezer_run(struct cut_fs *fs, pid_t cutter)
{
	int r;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != cutter)
		_exit(1);
	r = fsfreeze_freeze(fs->fd);
	fs->result = r;
	if (!change(fs, CUT_FS_FREEZING, r ? CUT_FS_THAWED : CUT_FS_FROZEN)) {
		if (!r)
			fsfreeze_thaw(fs->fd);
		change(fs, CUT_FS_GIVEN_UP, CUT_FS_THAWED);
	}
	_exit(0);
}

/* Waits for @pid to end, at most @ms. False if it has not. */
static bool wait_for(pid_t pid, unsigned int ms)
{
	struct pollfd p = { .events = POLLIN };
	bool ended;

	p.fd = syscall(SYS_pidfd_open, pid, 0);
	if (p.fd < 0)
		return false;
	ended = poll(&p, 1, ms) == 1;
	close(p.fd);
	if (ended)
		waitpid(pid, NULL, 0);
	return ended;
}

/*
 * A process for each: one that hangs must hold neither the others nor us. What
 * has not ended in time goes on alone, and the freeze will tell.
 */
void cutjob_sync_all(struct cut_job *job)
{
	uint64_t deadline = cutjob_now_ms() + job->how.freeze_timeout_ms;

	for (unsigned int i = 0; i < job->n_fs; i++) {
		job->fs[i].syncer = fork();
		if (!job->fs[i].syncer) {
			fsfreeze_sync(job->fs[i].fd);
			_exit(0);
		}
	}
	for (unsigned int i = 0; i < job->n_fs; i++) {
		uint64_t now = cutjob_now_ms();

		if (job->fs[i].syncer > 0)
			wait_for(job->fs[i].syncer,
				 now < deadline ? deadline - now : 0);
	}
}

/* 0: frozen. -ETIMEDOUT: given up. Else why it cannot be. */
static int freeze_one(struct cut_fs *fs, unsigned int timeout_ms)
{
	pid_t pid, cutter = getpid();

	atomic_store(&fs->state, CUT_FS_FREEZING);
	pid = fork();
	if (pid < 0) {
		atomic_store(&fs->state, CUT_FS_THAWED);
		return -errno;
	}
	if (!pid)
		freezer_run(fs, cutter);
	if (!wait_for(pid, timeout_ms) &&
	    change(fs, CUT_FS_FREEZING, CUT_FS_GIVEN_UP))
		return -ETIMEDOUT;
	/* A freezer that was killed has said nothing. */
	if (change(fs, CUT_FS_FREEZING, CUT_FS_FROZEN))
		return 0;
	return atomic_load(&fs->state) == CUT_FS_FROZEN ? 0 : fs->result;
}

static void warn(struct cut_job *job, const struct cut_fs *fs, int r)
{
	snprintf(job->report.warning, sizeof(job->report.warning),
		 "cannot freeze the filesystem at '%.120s': %s; its part of "
		 "the cut is crash-consistent", fs->path,
		 r == -ETIMEDOUT ? "it takes too long" : strerror(-r));
}

void cutjob_freeze_all(struct cut_job *job)
{
	uint64_t deadline = cutjob_deadline_ms(job, CUTJOB_FREEZE_PERCENT), now;
	unsigned int timeout_ms;
	int r;

	for (unsigned int i = 0; i < job->n_fs; i++) {
		now = cutjob_now_ms();
		timeout_ms = now < deadline ? deadline - now : 0;
		if (timeout_ms > job->how.freeze_timeout_ms)
			timeout_ms = job->how.freeze_timeout_ms;
		r = freeze_one(&job->fs[i], timeout_ms);
		if (!r || r == -EBUSY) {	/* frozen by us, or another */
			job->report.frozen++;
			continue;
		}
		warn(job, &job->fs[i], r);
		job->report.unfrozen++;
		if (r != -ETIMEDOUT)
			continue;
		/* The machine's writers must not wait for one bad disk. */
		cutjob_thaw_all(job);
		job->report.unfrozen += job->report.frozen + job->n_fs - i - 1;
		job->report.frozen = 0;
		cutjob_begin(job);
		return;
	}
}

void cutjob_thaw_all(struct cut_job *job)
{
	for (unsigned int i = job->n_fs; i--;) {
		struct cut_fs *fs = &job->fs[i];

		if (atomic_load(&fs->state) != CUT_FS_FROZEN)
			continue;
		fsfreeze_thaw(fs->fd);
		atomic_store(&fs->state, CUT_FS_THAWED);
	}
}
