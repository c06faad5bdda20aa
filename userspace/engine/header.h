/* SPDX-License-Identifier: MIT */
/*
 * header.h - keys/ID.luks, the LUKS2 header of a volume key
 *
 * It is kept there by itself, as it is now, and opens every point under its key;
 * a copy as it was then is in the VHD of each point, where cryptsetup looks for
 * it. It holds the volume key, once for each passphrase: without one of them, or
 * without a header, what is under the key is lost.
 */
#ifndef TIDEMARK_ENGINE_HEADER_H
#define TIDEMARK_ENGINE_HEADER_H

#include "engine/vault.h"
#include "model/point.h"
#include "port/luks.h"

/* -EEXIST: there is one of that id. */
int header_create(struct vault *v, const char *container,
		  const struct luks *header, struct tm_error *err);

/*
 * Puts a changed header in place of the one of which @etag was told. -EBUSY:
 * another is there by now.
 */
int header_replace(struct vault *v, const char *container,
		   const struct luks *header, const char *etag,
		   struct tm_error *err);

/*
 * -ENOENT: it is not there; -EBADMSG: it is cut short, altered, or that of
 * another key (TM_EXIT_INTEGRITY).
 */
int header_get(struct vault *v, const char *container, const struct tm_id *id,
	       struct luks **ret, struct tm_error *err);
/* The same, and its ETag. */
int header_get_current(struct vault *v, const char *container,
		       const struct tm_id *id, struct luks **ret,
		       char etag[BLOB_ETAG_SIZE], struct tm_error *err);

/*
 * The volume key, by the passphrase that is known or can be found; a person may
 * try three times. @disk is named in messages. *@ret_slot is the slot that it
 * opens; may be NULL. -EACCES: it opens none.
 */
int header_open(struct vault *v, struct luks *header, const char *disk,
		uint8_t key[TM_XTS_KEY_SIZE], int *ret_slot,
		struct tm_error *err);

/* As a digest of all of it, which a point keeps. 0 or -EIO. */
int header_digest(const void *bytes, char ret[TM_DIGEST_SIZE]);

/* Says that what was read @where is none; -EBADMSG. */
int header_damaged(const char *where, struct tm_error *err);

#endif
