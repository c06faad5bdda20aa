/* SPDX-License-Identifier: MIT */
/*
 * ship.h - from a disk at its cut into its page blobs
 */
#ifndef TIDEMARK_ENGINE_SHIP_H
#define TIDEMARK_ENGINE_SHIP_H

#include "engine/report.h"
#include "engine/target.h"

/* Windows under way at once, and bytes of disk that each holds. */
#define SHIP_WINDOWS 4u
#define SHIP_WINDOW_BYTES (16u << 20)

/* Tells that @chunks of the target's ship set are done with. */
void ship_report(const struct target *t, const struct report *rep,
		 uint64_t chunks);

/*
 * Reads the target's ship set, compares it with the hash table, sends what
 * differs, and releases what is in the vault.
 */
int ship_disk(struct target *t, const struct report *rep, struct tm_error *err);

#endif
