/* SPDX-License-Identifier: MIT */
/*
 * verify.h - proving a recovery point from what the vault holds
 */
#ifndef TIDEMARK_ENGINE_VERIFY_H
#define TIDEMARK_ENGINE_VERIFY_H

#include "engine/vault.h"
#include "model/point.h"
#include "model/rundoc.h"

/*
 * Reads every disk of @point (or only @disk, if not NULL) from its snapshots
 * and compares each chunk with the hash table. The finding goes into *@ret
 * (free with tm_check_done()) and, for a whole point, into checks/NAME.
 * 0 even if the point is not good: look at ret->good.
 */
int verify_point(struct vault *v, const char *container,
		 const struct tm_point *point, const char *disk,
		 struct tm_check *ret, struct tm_error *err);

#endif
