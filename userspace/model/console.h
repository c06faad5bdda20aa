/* SPDX-License-Identifier: MIT */
/*
 * console.h - what a machine says on its console, and whether it says a sign
 *
 * Of all that comes only the end is kept, so that no machine can say too much.
 * What is for terminals (colours, the cursor's ways, other control characters)
 * is left out before the sign is looked for: people see none of it either.
 * Source of the sequences: ECMA-48, 5.4 and 8.
 */
#ifndef TIDEMARK_MODEL_CONSOLE_H
#define TIDEMARK_MODEL_CONSOLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define TM_CONSOLE_KEPT 8192u	/* bytes */

struct tm_console {
	char text[TM_CONSOLE_KEPT];	/* the end, without a NUL */
	size_t len;
	unsigned int state;		/* within a sequence; console.c */
};

/* Takes more; true if @sign (not "", shorter than half of what is kept) came. */
bool tm_console_take(struct tm_console *c, const char *bytes, size_t len,
		     const char *sign);

/*
 * The last lines, @most at most, none of them empty: an array of strings, of which
 * what is not UTF-8, or a control character in it, has become '?'. A new reference; NULL when out of memory.
 */
json_t *tm_console_lines(const struct tm_console *c, size_t most);

#endif
