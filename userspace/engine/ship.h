/* SPDX-License-Identifier: MIT */
/*
 * ship.h - from a disk at its cut into its page blobs
 */
#ifndef TIDEMARK_ENGINE_SHIP_H
#define TIDEMARK_ENGINE_SHIP_H

#include "engine/report.h"
#include "engine/target.h"

/* Bytes of disk that are under way at once, in how many windows at most. */
#define SHIP_BYTES (64u << 20)
#define SHIP_WINDOWS 8u

/* Tells how much there is to do, and that none of it is done. */
void ship_report(const struct target *t, const struct report *rep);

/*
 * Reads the target's ship set, compares it with the hash table, sends what
 * differs, and releases what is in the vault.
 */
int ship_disk(struct target *t, const struct report *rep, struct tm_error *err);

#endif
