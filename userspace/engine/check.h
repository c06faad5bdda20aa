/* SPDX-License-Identifier: MIT */
/*
 * check.h - checks/NAME: what verify found, beside the point
 */
#ifndef TIDEMARK_ENGINE_CHECK_H
#define TIDEMARK_ENGINE_CHECK_H

#include "engine/vault.h"
#include "model/checkdoc.h"

/* Names of the points that were checked; see document_names(). */
int check_names(struct vault *v, const char *container, char ***ret,
		size_t *ret_n, struct tm_error *err);

/* Reads one; time is 0 if the point was never checked. */
int check_read(struct vault *v, const char *container, const char *name,
	       struct tm_check *ret, struct tm_error *err);

/*
 * The same for those to whom it does not matter so much: one that is damaged says
 * nothing, and the report of @v warns of it.
 */
int check_look(struct vault *v, const char *container, const char *name,
	       struct tm_check *ret, struct tm_error *err);

/*
 * Records @check, after what earlier ones still say has been taken into it
 * (tm_check_follow()).
 */
int check_record(struct vault *v, const char *container,
		 struct tm_check *check, struct tm_error *err);

/*
 * Records how the machine started from point @name, just now: its time is set.
 * What was found by reading stays as it is.
 */
int check_record_boot(struct vault *v, const char *container, const char *name,
		      struct tm_check_boot *boot, struct tm_error *err);

/* Warns, by the report of @v, if the last check of a point was not good. */
int check_warn(struct vault *v, const char *container, const char *name,
	       struct tm_error *err);

#endif
