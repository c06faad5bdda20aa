/* SPDX-License-Identifier: MIT */
/*
 * pointinfo.h - what stands beside a point: what verify found, what is to
 * become of it
 */
#ifndef TIDEMARK_CLI_POINTINFO_H
#define TIDEMARK_CLI_POINTINFO_H

#include "cli/settings.h"
#include "model/markdoc.h"
#include "model/point.h"
#include "model/checkdoc.h"

/* Which points have anything beside them; marks may be closed to us. */
struct pointinfos {
	char **checks, **marks;
	size_t n_checks, n_marks;
};

int pointinfos_load(struct place *place, struct pointinfos *ret,
		    struct tm_error *err);
void pointinfos_done(struct pointinfos *infos);

struct pointinfo {
	struct tm_check check;	/* time 0: never checked */
	struct tm_mark mark;
};

int pointinfo_read(struct place *place, const struct pointinfos *infos,
		   const char *name, struct pointinfo *ret,
		   struct tm_error *err);
void pointinfo_done(struct pointinfo *info);

/*
 * Adds "verified", "booted", "keep_until", "expires" and "deleted" to a point's
 * JSON; steals nothing.
 */
void pointinfo_json(const struct pointinfo *info, json_t *point);

/* "good 2026-01-31", "NOT WHOLE", "not verified"; into @buf, returned. */
const char *pointinfo_verified(const struct pointinfo *info, char *buf,
			       size_t size);

/* "booted 2026-01-31", "DID NOT BOOT 2026-01-31", ""; likewise. */
const char *pointinfo_booted(const struct pointinfo *info, char *buf,
			     size_t size);

/* "kept forever", "kept until ...", "goes after ...", ""; likewise. */
const char *pointinfo_fate(const struct pointinfo *info, char *buf,
			   size_t size);

#endif
