/* SPDX-License-Identifier: MIT */
/*
 * restore.h - from a recovery point to a file or a device
 */
#ifndef TIDEMARK_ENGINE_RESTORE_H
#define TIDEMARK_ENGINE_RESTORE_H

#include "engine/vault.h"
#include "model/point.h"

enum restore_format {
	RESTORE_RAW,	/* the disk, its true size, sparse */
	RESTORE_VHD,	/* the fixed VHD as it is in the vault */
	RESTORE_DEVICE,	/* onto a block device at least as large */
};

struct restore_options {
	const char *path;
	enum restore_format format;
	bool overwrite;		/* a file of that name may be replaced */
};

struct restore_result {
	uint64_t bytes;		/* of the disk */
	uint64_t bytes_written;	/* the rest is zero */
	uint64_t chunks;	/* each checked */
};

/*
 * Restores @disk of a point. Every chunk is checked before it is written; a
 * chunk that cannot be proved ends it (TM_EXIT_INTEGRITY). A file appears under
 * its name only when it is whole; a device is left as far as it came.
 */
int restore_disk(struct vault *v, const char *container,
		 const struct tm_point_disk *disk,
		 const struct restore_options *how, struct restore_result *ret,
		 struct tm_error *err);

#endif
