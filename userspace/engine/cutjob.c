// SPDX-License-Identifier: MIT
#include "engine/cutjob.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

#include "port/resident.h"

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

int cutjob_harden(void)
{
	sigset_t all;

	sigfillset(&all);
	sigdelset(&all, SIGUSR1);	/* interrupts a suspend: crew.c */
	if (sigprocmask(SIG_SETMASK, &all, NULL) < 0)
		return -errno;
	return resident_stay();
}
