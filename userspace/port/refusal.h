/* SPDX-License-Identifier: MIT */
/*
 * refusal.h - why the service refused a request, as far as it can be told here
 *
 * The service says little ("not authorized to perform this operation"); what is
 * missing can be read from the credentials, the request and the clocks.
 */
#ifndef TIDEMARK_PORT_REFUSAL_H
#define TIDEMARK_PORT_REFUSAL_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "port/blob.h"

/* From here on a clock is wrong enough to be told. */
#define REFUSAL_SKEW_S 300

/* The request; all strings are borrowed. */
struct refusal {
	const struct azauth *auth;
	const char *method;
	const char *container;		/* NULL: the account */
	const char *name;		/* NULL: the container */
	const struct fields *query;
	bool https;
	time_t server;			/* its Date; 0: none */
	const char *detail;		/* what the service adds; "": nothing */
	int64_t skew_s;			/* how far we are ahead of that */
};

/*
 * Puts what is known into @e's cause and action, if its status is 401 or 403, or
 * it is about the key that a blob is under; else, and if nothing is known, leaves
 * them as the service gave them.
 */
void refusal_explain(const struct refusal *what, struct blob_error *e);

/* "9 minutes ahead of"; for @skew_s beyond REFUSAL_SKEW_S. */
void refusal_skew_text(int64_t skew_s, char *ret, size_t size);

#endif
