/* SPDX-License-Identifier: MIT */
/*
 * points.h - the recovery points of a machine
 */
#ifndef TIDEMARK_ENGINE_POINTS_H
#define TIDEMARK_ENGINE_POINTS_H

#include "engine/vault.h"
#include "model/point.h"

/*
 * Names of points, oldest first; tombstones are among them that a list does not
 * tell from points. See document_names().
 */
int points_names(struct vault *v, const char *container, char ***ret,
		 size_t *ret_n, struct tm_error *err);

/* Likewise, of all tombstones too. */
int points_names_all(struct vault *v, const char *container, char ***ret,
		     size_t *ret_n, struct tm_error *err);

/* Reads points/NAME, which may be a tombstone. Free with tm_point_done(). */
int points_read(struct vault *v, const char *container, const char *name,
		struct tm_point *ret, struct tm_error *err);

/*
 * The point of machine @id that @which means: a NAME, the beginning of one that
 * fits no other, or "latest", which is none that is marked for deletion. Never
 * a tombstone. -ENOENT; -ENOTUNIQ: it is the beginning of several.
 */
int points_find(struct vault *v, const char *container, const struct tm_id *id,
		const char *which, struct tm_point *ret, struct tm_error *err);

/*
 * The newest of @names (as points_names() gives) that is no tombstone;
 * ret->name is "" if there is none.
 */
int points_newest(struct vault *v, const char *container, char *const *names,
		  size_t n, struct tm_point *ret, struct tm_error *err);

/*
 * The newest of @names that holds @disk; as points_newest() otherwise.
 */
int points_newest_with(struct vault *v, const char *container,
		       char *const *names, size_t n, const char *disk,
		       struct tm_point *ret, struct tm_error *err);

#endif
