/* SPDX-License-Identifier: MIT */
/*
 * report.h - how a long job tells how far it is, and learns that it should end
 *
 * The engine prints nothing. Whoever starts a job passes a struct report; every
 * function in it may be NULL. They are called from the engine's thread, often,
 * and must be quick.
 */
#ifndef TIDEMARK_ENGINE_REPORT_H
#define TIDEMARK_ENGINE_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "model/error.h"

/*
 * How far one disk is. Every disk of a stage is reported once before the first
 * of them begins, with nothing done, so that all there is to do is known, and
 * again when it begins itself; then in any order, as often as one gets on, and
 * now and then when none does.
 */
struct progress {
	const char *stage;	/* "prepare", "precopy", "cut", "ship", ... */
	const char *disk;	/* name of the disk, or NULL */
	uint64_t done;		/* bytes of @total; both 0 while not known */
	uint64_t total;		/* bytes of the disk to be gone through */
	uint64_t moved;		/* bytes of its data sent to the service */
	bool download;		/* or else received from it */
};

struct report {
	void (*progress)(void *arg, const struct progress *p);
	/* Something a person should know that is not a failure: exit status 3. */
	void (*warning)(void *arg, const char *message);
	/* True once the job should stop where it can do so cleanly. */
	bool (*cancelled)(void *arg);
	/*
	 * Asks a person for a secret, without showing it: a line of at most
	 * @size - 1 bytes. 0, or -errno if nobody can be asked.
	 */
	int (*ask)(void *arg, const char *prompt, char *ret, size_t size);
	void *arg;
};

void report_progress(const struct report *rep, const struct progress *p);

/* The same of a stage of which it is not known how much there is to do. */
void report_stage(const struct report *rep, const char *stage,
		  const char *disk);

void report_warning(const struct report *rep, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* As above. -ENOTTY: there is nobody. */
int report_ask(const struct report *rep, const char *prompt, char *ret,
	       size_t size);

/* 0, or -ECANCELED with @err set once the job should stop. */
int report_cancelled(const struct report *rep, struct tm_error *err);

#endif
