/* SPDX-License-Identifier: MIT */
/*
 * seal.h - was a device used while nobody tracked it?
 *
 * Filesystems, volume managers and partition tables leave marks where they are
 * used (model/mark.h). It is a hint, not a proof: data alone can be written
 * without any.
 */
#ifndef TIDEMARK_ENGINE_SEAL_H
#define TIDEMARK_ENGINE_SEAL_H

#include "model/error.h"
#include "model/seal.h"

/*
 * Takes the seal of the block device @path, which nobody uses. What of it
 * cannot be read never compares equal. 0 or -errno with @err set; *@ret is then
 * untouched.
 */
int seal_take(const char *path, struct tm_seal *ret, struct tm_error *err);

/*
 * What of @seal has changed on @path, in words; "" for nothing. 0, or -errno
 * with @err set when that is not known.
 */
int seal_check(const char *path, const struct tm_seal *seal, char *ret,
	       size_t size, struct tm_error *err);

#endif
