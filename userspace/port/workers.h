/* SPDX-License-Identifier: MIT */
/*
 * workers.h - a few threads for what keeps a processor busy
 *
 * Who starts work hears of its end from workers_turn(), on the thread that
 * calls it: only `run` is called on another.
 */
#ifndef TIDEMARK_PORT_WORKERS_H
#define TIDEMARK_PORT_WORKERS_H

struct workers;

struct work {
	/* On some thread, the @thread-th: no other runs with its number. */
	void (*run)(struct work *work, unsigned int thread);
	void (*done)(struct work *work);	/* from workers_turn() */
	struct work *next;			/* private */
};

#define WORKERS_MAX 5u

/*
 * How many threads do the most beside the one that turns them: that needs a
 * processor too, and is slowed down by more of them than there are others.
 * 1 to WORKERS_MAX - 1: who waits for a disk at times may have one more.
 */
unsigned int workers_fitting(void);

/* 0 threads: work is run when it is started. 0 or -errno. */
int workers_new(unsigned int threads, struct workers **ret);

/* Runs what has been started to its end, untold. NULL is accepted. */
void workers_free(struct workers *w);

/* Becomes readable when work has ended. */
int workers_fd(const struct workers *w);

/* @work is borrowed until its done function is called. */
void workers_start(struct workers *w, struct work *work);

/* Work that has been started and not ended. */
unsigned int workers_busy(const struct workers *w);

/* Calls done functions, without waiting. Returns how many. */
unsigned int workers_turn(struct workers *w);

#endif
