/* SPDX-License-Identifier: MIT */
/*
 * grow.h - a tracked device follows its origin, which has become larger
 */
#ifndef TIDEMARK_ENGINE_GROW_H
#define TIDEMARK_ENGINE_GROW_H

#include <stdint.h>

#include "model/error.h"

struct grow_result {
	uint64_t was_bytes;
	uint64_t size_bytes;	/* the same, when there was nothing to do */
};

/*
 * Makes mapping @name as long as its origin while it is in use, and its record
 * with it. What is tracked stays; what was added counts as changed. A metadata
 * file is made larger if need be, a device that is too small is refused. 0 or
 * -errno with @err set: then the mapping goes on as it was.
 */
int grow(const char *name, const char *state, struct grow_result *ret,
	 struct tm_error *err);

#endif
