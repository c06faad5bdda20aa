/* SPDX-License-Identifier: MIT */
/*
 * readfault.h - what a server of a disk says, to whoever started it, of reads that
 * failed
 *
 * A client of NBD learns no more than that there was an error. So the server
 * appends a line for each to a file: the exit status that it comes to, errno, the
 * message, and what to do, with tabs between them.
 */
#ifndef TIDEMARK_MODEL_READFAULT_H
#define TIDEMARK_MODEL_READFAULT_H

#include <stddef.h>

#include "model/error.h"

#define TM_READFAULT_SIZE 1280u		/* of the longest line */
#define TM_READFAULTS_DAMAGE 8u

struct tm_readfaults {
	/* Data that are not what was backed up; each is said once. */
	struct tm_error damage[TM_READFAULTS_DAMAGE];
	size_t n_damage;
	struct tm_error other;	/* the first other one; errnum 0: there is none */
};

/* A line with its end. Its length, without a NUL after it. */
size_t tm_readfault_line(const struct tm_error *err,
			 char ret[TM_READFAULT_SIZE]);

/* Adds what @text (taken apart) says. What is not a whole line is left out. */
void tm_readfaults_take(struct tm_readfaults *f, char *text);

#endif
