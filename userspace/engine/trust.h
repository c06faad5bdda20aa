/* SPDX-License-Identifier: MIT */
/*
 * trust.h - may a device's metadata be believed, before it is attached?
 *
 * They may not when the loss of their set is recorded (loss.h), nor when the
 * device was written to without them (seal.h). What is not believed is made
 * anew: a new set has no base, so the next backup compares everything.
 */
#ifndef TIDEMARK_ENGINE_TRUST_H
#define TIDEMARK_ENGINE_TRUST_H

#include "model/attachdoc.h"
#include "model/error.h"

#define TRUST_REASON_SIZE	512

/*
 * @meta is the node of the metadata, "" for none. In words why they were not
 * believed in @ret, "" if they are, or there are none. Nothing is attached.
 * 0 or -errno with @err set: then the device may not be attached.
 */
int trust_check(const struct tm_attached *a, const char *meta,
		const char *state, char ret[TRUST_REASON_SIZE],
		struct tm_error *err);

#endif
