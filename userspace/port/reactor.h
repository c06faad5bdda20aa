/* SPDX-License-Identifier: MIT */
/*
 * reactor.h - one loop over requests, reads, work on other threads, and time
 *
 * Everything that is started calls its done function from a turn, on the thread
 * that turns. A reactor belongs to that thread.
 */
#ifndef TIDEMARK_PORT_REACTOR_H
#define TIDEMARK_PORT_REACTOR_H

#include <stdint.h>

#include "port/httpset.h"
#include "port/readq.h"
#include "port/workers.h"

struct reactor {
	struct httpset *requests;
	struct readq *reads;
	struct workers *workers;
	struct alarm *alarms;		/* the next first */
};

struct reactor_options {
	const struct http_config *http;
	unsigned int reads;		/* in flight at once */
	unsigned int threads;
	void *const *buffers;		/* as readq_new() takes them */
	unsigned int n_buffers;
	size_t buffer_len;
};

/* Rings once, at or after its time. */
struct alarm {
	void (*ring)(struct alarm *alarm);
	uint64_t due_ns;		/* private */
	struct alarm *next;
};

/* 0 or -errno; @rx is to be freed with reactor_done(), whatever is returned. */
int reactor_init(struct reactor *rx, const struct reactor_options *options);

/* Breaks off requests, with their done functions called, and waits for reads. */
void reactor_done(struct reactor *rx);

/* @alarm, not set now, is borrowed until it rings or is taken back. */
void reactor_after(struct reactor *rx, unsigned int ms, struct alarm *alarm);

/* @alarm need not be set. */
void reactor_forget(struct reactor *rx, struct alarm *alarm);

/*
 * Waits until something has ended, for a fifth of a second at most, and calls
 * what is to be called. Returns how many.
 */
unsigned int reactor_turn(struct reactor *rx);

/* The same without waiting. */
unsigned int reactor_poll(struct reactor *rx);

#endif
