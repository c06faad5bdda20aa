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

void cutjob_begin(struct cut_job *job)
{
	atomic_store(&job->begin_ms, cutjob_now_ms());
}

uint64_t cutjob_deadline_ms(const struct cut_job *job, unsigned int percent)
{
	return atomic_load(&job->begin_ms) + atomic_load(&job->more_ms) +
	       (uint64_t)job->how.hold_timeout_ms * percent / 100;
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
