// SPDX-License-Identifier: MIT
#include "engine/cutjob.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#ifndef PR_SET_IO_FLUSHER
#define PR_SET_IO_FLUSHER 57
#endif

uint64_t cutjob_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ull + ts.tv_nsec / 1000000;
}

void cutjob_allow(struct cut_job *job, uint64_t ms)
{
	atomic_store(&job->deadline_ms, cutjob_now_ms() + ms);
}

static void spare_from_oom(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	/* If it cannot be had, the watchdog still has the cutter's back. */
	if (write(fd, "-1000", 5) < 0)
		errno = 0;
	close(fd);
}

int cutjob_harden(void)
{
	sigset_t all;

	sigfillset(&all);
	sigdelset(&all, SIGUSR1);	/* interrupts a suspend: crew.c */
	if (sigprocmask(SIG_SETMASK, &all, NULL) < 0)
		return -errno;
	spare_from_oom();
	if (mlockall(MCL_CURRENT | MCL_FUTURE) < 0)
		return -errno;
	/* Older kernels have no such thing; locked memory does most of it. */
	if (prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0) < 0 && errno != EINVAL)
		return -errno;
	return 0;
}
