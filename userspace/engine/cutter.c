// SPDX-License-Identifier: MIT
#include "engine/cutjob.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "port/dm.h"
#include "port/mapping.h"

static uint64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000ull + ts.tv_nsec / 1000;
}

/* Disks of one depth are suspended at once, deeper ones after them. */
static int suspend_all(struct cut_job *job, struct cut_crew *crew)
{
	uint64_t deadline_ms = cutjob_deadline_ms(job, CUTJOB_SUSPEND_PERCENT);
	unsigned int from, to;
	int r = 0;

	for (from = 0; !r && from < job->n_disks; from = to) {
		to = from + 1;
		while (to < job->n_disks &&
		       job->disks[to].depth == job->disks[from].depth)
			to++;
		r = cut_crew_suspend(crew, from, to, deadline_ms);
	}
	if (!r)
		return 0;
	for (unsigned int i = 0; i < job->n_disks; i++)
		if (job->disks[i].result) {
			job->err = job->disks[i].err;
			break;
		}
	if (r != -ETIMEDOUT)
		return r;
	tm_error_set(&job->err, r, TM_EXIT_DEVICE, NULL,
		     "cannot suspend the disks: one did not finish its I/O in "
		     "time");
	tm_error_action(&job->err, "if it is only slow, give cuts more time: "
				   "cut_timeout, now %u s",
			job->how.hold_timeout_ms / 1000);
	return r;
}

static int cut_all(struct cut_job *job)
{
	int r = 0;

	for (unsigned int i = 0; !r && i < job->n_disks; i++)
		r = tracked_cut(job->disks[i].name, job->id, &job->err);
	return r;
}

/*
 * The group is valid only if each disk is still in the suspension in which it
 * was cut. The kernel says so itself: being suspended again is not enough.
 */
static int still_held(struct cut_job *job)
{
	struct tracked_status st;
	int r;

	for (unsigned int i = 0; i < job->n_disks; i++) {
		const char *name = job->disks[i].name;

		r = tracked_status(name, &st, &job->err);
		if (r)
			return r;
		if (!tracked_held(&st) ||
		    strcmp(st.frozen, job->id) || atomic_load(&job->rescued))
			return tm_error_set(&job->err, -ESTALE, TM_EXIT_DEVICE,
					    name, "cannot cut the disks at one "
					    "instant: '%s' was resumed before "
					    "all were cut", name);
	}
	return 0;
}

static _Noreturn void hook_run(const struct cut_job *job)
{
	char cut[sizeof("TIDEMARK_CUT=") + sizeof(job->id)], path[PATH_MAX];
	/* The rest of ours may hold secrets. */
	char *const env[] = { path, cut, NULL };
	const char *dirs = getenv("PATH");
	sigset_t none;

	/* It must not outlive us, nor be heard on our standard output. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setpgid(0, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	dup2(STDERR_FILENO, STDOUT_FILENO);
	close_range(STDERR_FILENO + 1, ~0U, 0);
	snprintf(path, sizeof(path), "PATH=%s",
		 dirs ? dirs : "/usr/sbin:/usr/bin:/sbin:/bin");
	snprintf(cut, sizeof(cut), "TIDEMARK_CUT=%s", job->id);
	execle("/bin/sh", "sh", "-c", job->how.hook, (char *)NULL, env);
	_exit(127);
}

static int wait_hook(struct cut_job *job, pid_t pid)
{
	struct pollfd p = { .events = POLLIN };
	int status = 0, n;

	p.fd = syscall(SYS_pidfd_open, pid, 0);
	n = p.fd < 0 ? -1 : poll(&p, 1, job->how.hook_timeout_ms);
	if (p.fd >= 0)
		close(p.fd);
	if (n != 1) {
		kill(-pid, SIGKILL);
		kill(pid, SIGKILL);
	}
	waitpid(pid, &status, 0);
	if (n == 1 && WIFEXITED(status) && !WEXITSTATUS(status))
		return 0;
	if (n != 1)
		return tm_error_set(&job->err, -ETIMEDOUT, TM_EXIT_FAILED, NULL,
				    "cannot finish the cut: its hook ran longer "
				    "than %u ms", job->how.hook_timeout_ms);
	return tm_error_set(&job->err, -ECHILD, TM_EXIT_FAILED, NULL,
			    "cannot finish the cut: its hook failed with "
			    "status %d", WIFEXITED(status) ?
			    WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

static int run_hook(struct cut_job *job)
{
	uint64_t began = cutjob_now_ms();
	pid_t pid;
	int r;

	atomic_store(&job->more_ms, job->how.hook_timeout_ms);
	pid = fork();
	if (pid < 0)
		return tm_error_set(&job->err, -errno, TM_EXIT_FAILED, NULL,
				    "cannot run the cut's hook: %s",
				    strerror(errno));
	if (!pid)
		hook_run(job);
	r = wait_hook(job, pid);
	/* What it has not used is not for others. */
	atomic_store(&job->more_ms, cutjob_now_ms() - began);
	return r;
}

/* Lowest first. A disk that cannot be resumed is left to the watchdog. */
static int resume_all(struct cut_job *job)
{
	int result = 0, r;

	for (unsigned int i = job->n_disks; i--;) {
		struct cut_disk *disk = &job->disks[i];

		if (!atomic_load(&disk->held))
			continue;
		r = mapping_resume(disk->name, &job->err);
		if (r)
			result = r;
		else
			atomic_store(&disk->held, false);
	}
	return result;
}

static void at(struct cut_job *job, enum cut_step step)
{
	atomic_store(&job->step, step);
}

static int stand_still(struct cut_job *job, struct cut_crew *crew)
{
	int r;

	at(job, CUT_STEP_SUSPEND);
	r = suspend_all(job, crew);
	at(job, CUT_STEP_CUT);
	if (!r)
		r = cut_all(job);
	if (!r)
		r = still_held(job);
	if (!r && job->how.hook) {
		at(job, CUT_STEP_HOOK);
		r = run_hook(job);
		if (!r)
			r = still_held(job);
	}
	return r;
}

void cutter_run(struct cut_job *job, int go)
{
	struct cut_crew *crew = NULL;
	uint64_t begin;
	char byte;
	int r;

	r = cutjob_harden();
	if (!r)
		r = cut_crew_new(job, &crew);
	if (r)
		tm_error_set(&job->err, r, TM_EXIT_FAILED, NULL,
			     "cannot prepare the process that cuts: %s",
			     strerror(-r));
	/* Nothing may stand still before the watchdog is there. */
	if (read(go, &byte, 1) != 1)
		_exit(1);
	if (!r) {
		cutjob_begin(job);
		at(job, CUT_STEP_FREEZE);
		if (!job->how.no_freeze)
			cutjob_freeze_all(job);
		begin = now_us();
		r = stand_still(job, crew);
		at(job, CUT_STEP_RESUME);
		if (resume_all(job))
			_exit(1);	/* the watchdog tries again */
		job->report.held_us = now_us() - begin;
		at(job, CUT_STEP_THAW);
		cutjob_thaw_all(job);
	}
	job->result = r;
	atomic_store(&job->done, true);
	_exit(0);
}
