/* SPDX-License-Identifier: MIT */
/*
 * estimate.h - what the next backup of a disk will take
 *
 * Nothing is changed, in the vault or in the kernel: no lease is taken, nothing
 * is cut or settled.
 */
#ifndef TIDEMARK_ENGINE_ESTIMATE_H
#define TIDEMARK_ENGINE_ESTIMATE_H

#include "engine/vault.h"
#include "model/diskdoc.h"
#include "model/estimate.h"
#include "model/point.h"

struct estimate {
	uint64_t size_bytes;	/* of the disk */
	bool tracked;
	bool snapshot;		/* one made by hand must be removed first */
	enum tm_ship_mode mode;
	const char *why;	/* of the mode, in words; a constant */
	uint64_t bytes_ahead;	/* of bytes_read, that need not wait for a cut */
	struct tm_estimate n;
};

/* @v is the disk's vault, opened. */
int estimate_disk(struct vault *v, const struct tm_disk *disk,
		  struct estimate *ret, struct tm_error *err);

#endif
