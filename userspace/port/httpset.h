/* SPDX-License-Identifier: MIT */
/*
 * httpset.h - many HTTP requests under way on one thread (libcurl's multi)
 *
 * Requests are as in port/http.h, and so are results. Connections are kept and
 * used again by whatever is started next. A set belongs to one thread, which
 * turns it:
 *
 *	httpset_start    any number of times, also from within a done function
 *	httpset_turn     moves on what can be moved, without waiting
 *	httpset_wait     until something can be, on a connection or another fd
 */
#ifndef TIDEMARK_PORT_HTTPSET_H
#define TIDEMARK_PORT_HTTPSET_H

#include "port/http.h"

struct httpset;

/* @r is what http_perform() would have returned. Called once, from a turn. */
typedef void (*httpset_done_fn)(void *arg, int r);

/* 0, -ENOMEM, -EINVAL for a CA file that cannot be read. */
int httpset_new(const struct http_config *config, struct httpset **ret);

/* Nothing is under way any more: cancel first. NULL is accepted. */
void httpset_free(struct httpset *set);

/*
 * Starts @request; it, what it points to, and @reply are borrowed until @done
 * is called. Other failures than -ENOMEM come out of @done.
 */
int httpset_start(struct httpset *set, const struct http_request *request,
		  struct http_reply *reply, httpset_done_fn done, void *arg);

/* How many have been started and not ended. */
unsigned int httpset_busy(const struct httpset *set);

/* Calls done functions. Returns how many. */
unsigned int httpset_turn(struct httpset *set);

/* At most @ms, or until one of the @n @fds can be read. */
void httpset_wait(struct httpset *set, const int *fds, unsigned int n,
		  unsigned int ms);

/* Breaks off all that is under way; done functions get -ECANCELED. */
void httpset_cancel(struct httpset *set);

#endif
