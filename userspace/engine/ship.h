/* SPDX-License-Identifier: MIT */
/*
 * ship.h - from a disk at its cut into its page blobs
 */
#ifndef TIDEMARK_ENGINE_SHIP_H
#define TIDEMARK_ENGINE_SHIP_H

#include "engine/report.h"
#include "engine/target.h"

/* Bytes of disk read and held at once. */
#define SHIP_WINDOW_BYTES (32u << 20)

/*
 * Reads the target's ship set, compares it with the hash table, sends what
 * differs, and releases what is in the vault. @base and @total are for the
 * progress of the whole run, in bytes.
 */
int ship_disk(struct target *t, const struct report *rep, uint64_t base,
	      uint64_t total, struct tm_error *err);

/*
 * Reads up to @count chunks at random that are not in the ship set, from the
 * live disk, and compares them with the hash table. *@ret_bypassed says that
 * one differs: it was written without being marked.
 */
int ship_sample(struct target *t, unsigned int count, bool *ret_bypassed,
		struct tm_error *err);

#endif
