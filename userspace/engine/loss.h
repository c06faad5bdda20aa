/* SPDX-License-Identifier: MIT */
/*
 * loss.h - this machine's records of lost tracking, STATE/lost/
 *
 * When metadata fail, the module holds the writes that need them until the loss
 * is recorded where a reboot finds it. Metadata that fail cannot hold that
 * record, and may read as if nothing had happened when they come back.
 *
 * @state is the state directory. All return 0 or -errno with @err set.
 */
#ifndef TIDEMARK_ENGINE_LOSS_H
#define TIDEMARK_ENGINE_LOSS_H

#include <stdbool.h>

#include "model/error.h"
#include "model/lossdoc.h"
#include "port/dm.h"

/* Is the loss of this set recorded? */
int loss_is_recorded(const char *state, const struct tm_id *set, bool *ret,
		     struct tm_error *err);

/*
 * If the tracking of mapping @device is lost, makes that durable and tells the
 * module, which lets go of what waits for it. *@ret_new: it was not recorded
 * before.
 */
int loss_record(const char *state, const char *device, bool *ret_new,
		struct tm_error *err);

/* Is tracking lost, by what the module says or by what is recorded? */
int loss_of(const char *state, const struct tracked_status *st, bool *ret,
	    struct tm_error *err);

/*
 * A backup of mapping @device has been committed: all that was lost before is
 * in the vault. If it is tracked, what is recorded of earlier sets of its is
 * forgotten.
 */
int loss_settle(const char *state, const char *device, struct tm_error *err);

#endif
