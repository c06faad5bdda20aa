/* SPDX-License-Identifier: MIT */
/*
 * fields.h - an ordered list of names and values
 *
 * Serves as HTTP headers, as a URL's query and as a blob's metadata. Names
 * compare without regard to case. Strings are copied in and wiped when freed,
 * since a header may hold a signature.
 */
#ifndef TIDEMARK_PORT_FIELDS_H
#define TIDEMARK_PORT_FIELDS_H

#include <stddef.h>

struct field {
	char *name;
	char *value;
};

struct fields {
	struct field *item;	/* @count of them, in the order added */
	size_t count;
};

/* An empty list needs no call: struct fields f = { 0 }. */
void fields_done(struct fields *fields);

/* Appends a copy. 0 or -ENOMEM. */
int fields_add(struct fields *fields, const char *name, const char *value);

/* Replaces the value of the first field called @name, or appends it. */
int fields_set(struct fields *fields, const char *name, const char *value);

/* As fields_add() with a printf format for the value. */
int fields_addf(struct fields *fields, const char *name, const char *format,
		...) __attribute__((format(printf, 3, 4)));

/* The value of the first field called @name, or NULL. Valid until changed. */
const char *fields_get(const struct fields *fields, const char *name);

#endif
