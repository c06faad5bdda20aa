/* SPDX-License-Identifier: MIT */
/*
 * mark.h - marks/ID/NAME: points to be kept, points to be deleted
 *
 * They stand in the vault's container, which administrators write. To delete a
 * point is first to mark it; its storage goes a day later (reap.h).
 */
#ifndef TIDEMARK_ENGINE_MARK_H
#define TIDEMARK_ENGINE_MARK_H

#include "engine/vault.h"
#include "model/markdoc.h"
#include "model/point.h"
#include "port/blob.h"

/* Names of the points that have marks; see document_names(). */
int mark_names(struct vault *v, const struct tm_id *item, char ***ret,
	       size_t *ret_n, struct tm_error *err);

/*
 * Reads a mark; *ret is an empty one (free it nevertheless) if there is none.
 * @ret_etag (BLOB_ETAG_SIZE bytes, "" then) may be NULL.
 */
int mark_read(struct vault *v, const struct tm_id *item, const char *name,
	      struct tm_mark *ret, char *ret_etag, struct tm_error *err);

/*
 * The same for those who only want to know: where the vault may not be read,
 * as by a machine whose signature is for its own container, there is none.
 */
int mark_look(struct vault *v, const struct tm_id *item, const char *name,
	      struct tm_mark *ret, struct tm_error *err);

/*
 * Replaces what mark_read() gave with @etag. -ESTALE: another was first, and
 * @err tells to try again.
 */
int mark_write(struct vault *v, const struct tm_id *item,
	       const struct tm_mark *mark, const char *etag,
	       struct tm_error *err);

/*
 * Keeps @point until @until (TM_KEEP_FOREVER; 0: no longer). A point that is
 * marked for deletion is had back, and *ret_back says so; with @until 0 it stays
 * marked. -EBUSY: its storage is being deleted.
 */
int mark_keep(struct vault *v, const char *container, const struct tm_id *item,
	      const char *name, int64_t until, bool *ret_back,
	      struct tm_error *err);

/*
 * Marks @point for deletion; *ret_mark says since when it is, which may be long
 * ago. Refused (TM_EXIT_REFUSED) for one that is kept, for the newest that was
 * verified, and without @force for one that the next backup of a disk builds
 * on.
 */
int mark_delete(struct vault *v, const char *container,
		const struct tm_id *item, const struct tm_point *point,
		bool force, struct tm_mark *ret_mark, struct tm_error *err);

/*
 * 0 if @name may be deleted as far as verification goes: it is not good and
 * whole, or there is a newer one that is. Else -EPERM (TM_EXIT_REFUSED).
 */
int mark_check_proved(struct vault *v, const char *container,
		      const struct tm_id *item, const char *name,
		      struct tm_error *err);

#endif
