/* SPDX-License-Identifier: MIT */
/*
 * hold.h - a recovery point is being read: its storage is not to be deleted
 *
 *	r = hold_take(v, container, &point, "restore", &hold, err);
 *	...
 *	hold_release(hold);
 *
 * A hold is a document, holds/NAME/ID, with a time until which it counts; a
 * thread with a connection of its own renews it. Whoever dies leaves one that
 * runs out. Points are marked a day before their storage goes, so this is for
 * those that read for longer, as a mount does, or that begin at the very end.
 *
 * Nothing slips through between the two: whoever deletes a point seizes it
 * (seize.h), then looks for holds, then replaces it by a tombstone under that
 * lease. Whoever holds writes the hold, then waits while the point is seized,
 * then looks whether it is a point still.
 */
#ifndef TIDEMARK_ENGINE_HOLD_H
#define TIDEMARK_ENGINE_HOLD_H

#include "engine/vault.h"
#include "model/holddoc.h"
#include "model/point.h"

struct hold;

/*
 * Holds @point until hold_release(); @why is "restore", "verify", "mount" or
 * the like. Warns if it is marked for deletion. *ret is NULL, with 0, if these
 * credentials cannot write: then it is safe for what is left of the day. @v is
 * not used after return. -ENOENT: it has been deleted. -EBUSY: that is being
 * decided, for longer than it should.
 */
int hold_take(struct vault *v, const char *container,
	      const struct tm_point *point, const char *why, struct hold **ret,
	      struct tm_error *err);

/* NULL is accepted. */
void hold_release(struct hold *h);

/*
 * Finds one that counts at @now. *ret_held tells whether there is one; *ret is
 * to be freed with tm_hold_done() then. -EBUSY: one makes no sense.
 */
int hold_find(struct vault *v, const char *container, const char *name,
	      int64_t now, bool *ret_held, struct tm_hold *ret,
	      struct tm_error *err);

#endif
