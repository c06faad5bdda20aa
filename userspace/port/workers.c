// SPDX-License-Identifier: MIT
#include "port/workers.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct fifo {
	struct work *first, **end;
};

struct workers;

struct thread {
	struct workers *of;
	pthread_t id;
};

struct workers {
	pthread_mutex_t mutex;		/* over the four below */
	pthread_cond_t wake;
	struct fifo waiting, ended;
	bool ending;
	int event_fd;
	unsigned int busy;		/* the caller's thread's */
	unsigned int n;
	struct thread thread[];
};

static void put(struct fifo *f, struct work *work)
{
	work->next = NULL;
	*f->end = work;
	f->end = &work->next;
}

static struct work *take(struct fifo *f)
{
	struct work *work = f->first;

	if (work) {
		f->first = work->next;
		if (!f->first)
			f->end = &f->first;
	}
	return work;
}

static void end(struct workers *w, struct work *work)
{
	put(&w->ended, work);
	eventfd_write(w->event_fd, 1);
}

static void *serve(void *arg)
{
	const struct thread *self = arg;
	struct workers *w = self->of;
	struct work *work;

	pthread_mutex_lock(&w->mutex);
	for (;;) {
		while (!w->waiting.first && !w->ending)
			pthread_cond_wait(&w->wake, &w->mutex);
		work = take(&w->waiting);
		if (!work)
			break;
		pthread_mutex_unlock(&w->mutex);
		work->run(work, (unsigned int)(self - w->thread));
		pthread_mutex_lock(&w->mutex);
		end(w, work);
	}
	pthread_mutex_unlock(&w->mutex);
	return NULL;
}

/* Signals are the main thread's. */
static int start_threads(struct workers *w, unsigned int threads)
{
	sigset_t all, old;
	int r = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	while (!r && w->n < threads) {
		struct thread *t = &w->thread[w->n];

		t->of = w;
		r = -pthread_create(&t->id, NULL, serve, t);
		if (!r)
			w->n++;
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return r;
}

unsigned int workers_fitting(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN) - 1;

	if (n < 1)
		return 1;
	return n < (long)WORKERS_MAX ? (unsigned int)n : WORKERS_MAX - 1;
}

int workers_new(unsigned int threads, struct workers **ret)
{
	struct workers *w;
	int r;

	w = calloc(1, sizeof(*w) + threads * sizeof(w->thread[0]));
	if (!w)
		return -ENOMEM;
	w->waiting.end = &w->waiting.first;
	w->ended.end = &w->ended.first;
	pthread_mutex_init(&w->mutex, NULL);
	pthread_cond_init(&w->wake, NULL);
	w->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = w->event_fd < 0 ? -errno : start_threads(w, threads);
	if (r)
		workers_free(w);
	else
		*ret = w;
	return r;
}

void workers_free(struct workers *w)
{
	unsigned int i;

	if (!w)
		return;
	pthread_mutex_lock(&w->mutex);
	w->ending = true;
	pthread_cond_broadcast(&w->wake);
	pthread_mutex_unlock(&w->mutex);
	for (i = 0; i < w->n; i++)
		pthread_join(w->thread[i].id, NULL);
	pthread_cond_destroy(&w->wake);
	pthread_mutex_destroy(&w->mutex);
	if (w->event_fd >= 0)
		close(w->event_fd);
	free(w);
}

int workers_fd(const struct workers *w)
{
	return w->event_fd;
}

unsigned int workers_busy(const struct workers *w)
{
	return w->busy;
}

void workers_start(struct workers *w, struct work *work)
{
	w->busy++;
	if (!w->n)
		work->run(work, 0);
	pthread_mutex_lock(&w->mutex);
	if (w->n) {
		put(&w->waiting, work);
		pthread_cond_signal(&w->wake);
	} else {
		end(w, work);
	}
	pthread_mutex_unlock(&w->mutex);
}

unsigned int workers_turn(struct workers *w)
{
	struct work *work, *next;
	eventfd_t events;
	unsigned int n = 0;

	eventfd_read(w->event_fd, &events);
	pthread_mutex_lock(&w->mutex);
	work = w->ended.first;
	w->ended.first = NULL;
	w->ended.end = &w->ended.first;
	pthread_mutex_unlock(&w->mutex);
	for (; work; work = next, n++) {
		next = work->next;	/* it may be started again */
		w->busy--;
		work->done(work);
	}
	return n;
}
