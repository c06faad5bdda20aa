// SPDX-License-Identifier: MIT
/*
 * crew.c - suspending in parallel
 *
 * Each suspend waits out two grace periods of the kernel's: sixteen one after
 * another take a quarter of a second, sixteen at once no longer than one.
 */
#include "engine/cutjob.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "engine/cut.h"
#include "port/mapping.h"

#define STACK_BYTES	(256 * 1024)	/* locked memory, so not the usual 8 MiB */

struct cut_crew {
	struct cut_job *job;
	pthread_mutex_t lock;
	pthread_cond_t work, progress;
	unsigned int next, end;		/* disks nobody has taken yet */
	unsigned int running;		/* disks taken and not finished */
	unsigned int n;
	pthread_t threads[CUT_MEMBERS_MAX];
};

/* SIGUSR1 is there to end a system call; there is nothing to do. */
static void interrupted(int sig)
{
	(void)sig;
}

static void suspend_one(struct cut_disk *disk)
{
	atomic_store(&disk->held, true);
	disk->result = mapping_suspend(disk->name, &disk->err);
	/* After a failure dm may or may not have let go: held stays set. */
}

static void *member(void *arg)
{
	struct cut_crew *crew = arg;
	unsigned int i;

	pthread_mutex_lock(&crew->lock);
	for (;;) {
		while (crew->next == crew->end)
			pthread_cond_wait(&crew->work, &crew->lock);
		i = crew->next++;
		crew->running++;
		pthread_mutex_unlock(&crew->lock);
		suspend_one(&crew->job->disks[i]);
		pthread_mutex_lock(&crew->lock);
		crew->running--;
		pthread_cond_signal(&crew->progress);
	}
	return NULL;
}

static int start(struct cut_crew *crew, unsigned int n)
{
	pthread_attr_t attr;
	int r = -pthread_attr_init(&attr);

	if (r)
		return r;
	r = -pthread_attr_setstacksize(&attr, STACK_BYTES);
	while (!r && crew->n < n) {
		r = -pthread_create(&crew->threads[crew->n], &attr, member,
				    crew);
		if (!r)
			crew->n++;
	}
	pthread_attr_destroy(&attr);
	/* Some are enough, none is not. */
	return crew->n ? 0 : r;
}

int cut_crew_new(struct cut_job *job, struct cut_crew **ret)
{
	struct sigaction act = { .sa_handler = interrupted };
	pthread_condattr_t attr;
	struct cut_crew *crew;
	int r;

	crew = calloc(1, sizeof(*crew));
	if (!crew)
		return -ENOMEM;
	crew->job = job;
	pthread_mutex_init(&crew->lock, NULL);
	pthread_cond_init(&crew->work, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&crew->progress, &attr);
	pthread_condattr_destroy(&attr);
	sigaction(SIGUSR1, &act, NULL);
	r = start(crew, job->n_disks < CUT_MEMBERS_MAX ? job->n_disks : CUT_MEMBERS_MAX);
	if (r)
		free(crew);	/* no thread has seen it */
	else
		*ret = crew;
	return r;
}

/* Called and returns with the lock held. False when @deadline_ms has passed. */
static bool wait_until(struct cut_crew *crew, uint64_t deadline_ms)
{
	struct timespec ts = {
		.tv_sec = deadline_ms / 1000,
		.tv_nsec = deadline_ms % 1000 * 1000000,
	};
	int r = 0;

	while (!r && (crew->next != crew->end || crew->running))
		r = pthread_cond_timedwait(&crew->progress, &crew->lock, &ts);
	return crew->next == crew->end && !crew->running;
}

int cut_crew_suspend(struct cut_crew *crew, unsigned int from, unsigned int to,
		     uint64_t deadline_ms)
{
	bool late = false;

	pthread_mutex_lock(&crew->lock);
	crew->next = from;
	crew->end = to;
	pthread_cond_broadcast(&crew->work);
	while (!wait_until(crew, deadline_ms)) {
		/*
		 * Once may be too early, just before the system call: so again
		 * and again. If even that does not help, the watchdog will.
		 */
		late = true;
		crew->next = crew->end;
		for (unsigned int i = 0; i < crew->n; i++)
			pthread_kill(crew->threads[i], SIGUSR1);
		deadline_ms = cutjob_now_ms() + 50;
	}
	pthread_mutex_unlock(&crew->lock);
	for (unsigned int i = from; i < to; i++)
		if (crew->job->disks[i].result)
			return late ? -ETIMEDOUT : crew->job->disks[i].result;
	return late ? -ETIMEDOUT : 0;
}
