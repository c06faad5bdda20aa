/* SPDX-License-Identifier: MIT */
/*
 * markdoc.h - marks/ID/NAME, in the vault's container: what is to become of a
 * recovery point
 *
 * The point itself is never changed. Administrators write marks, machines read
 * them if they may; none is as good as an empty one.
 */
#ifndef TIDEMARK_MODEL_MARKDOC_H
#define TIDEMARK_MODEL_MARKDOC_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/error.h"
#include "model/names.h"

#define TM_KEEP_FOREVER	INT64_MAX

/* How long a point that is marked for deletion can be had back. */
#define TM_MARK_GRACE_S	86400

struct tm_mark {
	char name[TM_RUN_NAME_SIZE];	/* of the point */
	int64_t keep_until;	/* server's time; 0: no wish; TM_KEEP_FOREVER */
	int64_t deleted;	/* when it was marked for deletion; 0: it is not */
	char host[TM_NAME_SIZE];	/* who did it, for people */
	json_t *rest;
};

/*
 * As in point.h: the name inside must be @name, *@ret is overwritten.
 * 0, -ENOMEM, -EBADMSG, -EPROTONOSUPPORT.
 */
int tm_mark_parse(const void *text, size_t len, const char *name,
		  struct tm_mark *ret, struct tm_error *err);
int tm_mark_text(const struct tm_mark *mark, char **ret);
void tm_mark_done(struct tm_mark *mark);

/* Is the point to be kept, at @now, whatever else would remove it? */
bool tm_mark_keeps(const struct tm_mark *mark, int64_t now);

/* When its storage may go; only if it is marked for deletion. */
int64_t tm_mark_due(const struct tm_mark *mark);

/*
 * "forever", "none" (0), a day (2026-01-31: to its end, UTC) or a time
 * (2026-01-31T12:00:00Z). 0 or -EINVAL (TM_EXIT_USAGE).
 */
int tm_keep_parse(const char *s, int64_t *ret, struct tm_error *err);

#endif
