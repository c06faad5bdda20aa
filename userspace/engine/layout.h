/* SPDX-License-Identifier: MIT */
/*
 * layout.h - which parts of a disk are tracked, as the kernel has it now
 */
#ifndef TIDEMARK_ENGINE_LAYOUT_H
#define TIDEMARK_ENGINE_LAYOUT_H

#include <stdint.h>

#include "model/error.h"
#include "model/segment.h"

/*
 * Replaces @ret with the segments of the disk, device or file at @path: what
 * is tracked is @path itself, a mapping over all of it, or mappings over its
 * partitions; the rest is scanned. 0 or -errno.
 */
int layout_find(const char *path, struct tm_segments *ret, uint64_t *ret_size,
		struct tm_error *err);

/*
 * The name of the tracked device that @path is, or that tracks the device
 * @path. -ENOENT if there is none.
 */
int layout_tracked(const char *path, char ret_name[128], struct tm_error *err);

#endif
