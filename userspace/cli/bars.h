/* SPDX-License-Identifier: MIT */
/*
 * bars.h - lines on a terminal that say how far things are, drawn in place
 *
 * A frame is written at once, over the one before it: nothing flickers. The
 * lines are as wide as the terminal is at that moment. They stand at the end of
 * standard error until bars_clear(); nothing else may be printed meanwhile.
 */
#ifndef TIDEMARK_CLI_BARS_H
#define TIDEMARK_CLI_BARS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bar {
	const char *name;	/* of a disk, or NULL */
	const char *stage;
	uint64_t done, total;	/* bytes; total 0: not known */
	uint64_t moved;		/* bytes sent or received */
	bool download;		/* received, that is */
	double per_s;		/* bytes of done */
	bool left_known;
	uint64_t left_s;
};

/* How many lines there is room for: at least 1. */
size_t bars_room(void);

/* Draws @n lines, in place of those that stand there. At least 1. */
void bars_draw(const struct bar *v, size_t n);

/* Takes them off the terminal, if there are any. */
void bars_clear(void);

#endif
