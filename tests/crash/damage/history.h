/* SPDX-License-Identifier: MIT */
/*
 * history.h - all that META held, one write after another, and what was true
 * then: read from a log of dm-log-writes and the marks that `states` left in it
 */
#ifndef TESTS_CRASH_DAMAGE_HISTORY_H
#define TESTS_CRASH_DAMAGE_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct history_mark {
	char word[16];		     /* "done", "cut", ... */
	char id[64];		     /* what follows it */
	unsigned long long first, n; /* chunks, of "done" */
};

/* META as it was after a write, until the next. */
struct history_point {
	uint8_t *image;	  /* @meta_bytes */
	size_t marks;	  /* true by then: so many of them */
	const char *name; /* of this state, or NULL */
	bool hidden;	  /* not of META's own making */
};

struct history {
	size_t meta_bytes;
	struct history_mark *mark;
	size_t marks;
	struct history_point *point; /* the first: META was all zeroes */
	size_t points;
};

/* Ends the program when there is no such log, or no sense in it. */
void history_read(struct history *h, const char *path, size_t meta_bytes);

/*
 * By mark @marks: was this cut asked to be the base? Was it taken at all? If
 * so, @ret_changed, a byte per chunk, gets what changed since.
 */
bool history_committed(const struct history *h, size_t marks, const char *id);
bool history_since(const struct history *h, size_t marks, const char *id,
		   uint8_t *ret_changed, size_t chunks);

/* For who has no better answer. */
__attribute__((noreturn, format(printf, 1, 2))) void die(const char *fmt, ...);

#endif
