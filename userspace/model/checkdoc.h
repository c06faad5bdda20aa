/* SPDX-License-Identifier: MIT */
/*
 * checkdoc.h - checks/NAME in a machine's container
 *
 * What verify found about the point of that name, beside it: the point is never
 * changed.
 */
#ifndef TIDEMARK_MODEL_CHECKDOC_H
#define TIDEMARK_MODEL_CHECKDOC_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "model/error.h"
#include "model/extent.h"
#include "model/names.h"

struct tm_check_disk {
	char name[TM_NAME_SIZE];
	uint64_t chunks_checked;
	uint64_t chunks_unproved;	/* whose entry was zero: nothing to check */
	struct tm_extents bad_chunks;
	bool header_bad;		/* of what is encrypted */
	bool footer_bad;		/* of its VHD */
};

/* How much of the point was read. */
enum tm_check_how {
	TM_CHECK_WHOLE,
	TM_CHECK_SAMPLE,
};

#define TM_SIGN_SIZE 128

/* What became of the machine when it was started from the point. */
struct tm_check_boot {
	int64_t time;			/* server's; 0: never tried */
	bool good;			/* it showed the sign */
	uint64_t milliseconds;		/* until it did, or was given up */
	char sign[TM_SIGN_SIZE];	/* that was waited for */
};

struct tm_check {
	char name[TM_RUN_NAME_SIZE];	/* of the point */
	int64_t time;			/* of the last check; 0: never read */
	int64_t whole;			/* of the last whole one; 0: none */
	enum tm_check_how how;		/* the last one */
	bool good;			/* nothing wrong is known */
	struct tm_check_boot boot;	/* the last one */
	struct tm_check_disk *disks;	/* owned */
	size_t n_disks;
	json_t *rest;
};

/* As in point.h: the name inside must be @name, *@ret is overwritten. */
int tm_check_parse(const void *text, size_t len, const char *name,
		   struct tm_check *ret, struct tm_error *err);
int tm_check_text(const struct tm_check *check, char **ret);
void tm_check_done(struct tm_check *check);
/* Appends an empty disk and returns it; NULL when out of memory. */
struct tm_check_disk *tm_check_add_disk(struct tm_check *check,
					const char *name);

/*
 * Takes into @check, a new one, what an earlier one of the same point still
 * says: a whole check replaces all; a sample leaves the time of the last whole
 * one, and what was found bad stays so. Either leaves the last boot, unless it is
 * one itself. 0 or -ENOMEM.
 */
int tm_check_follow(struct tm_check *check, const struct tm_check *earlier);

/* "whole" or "sample" */
const char *tm_check_how_name(enum tm_check_how how);

#endif
