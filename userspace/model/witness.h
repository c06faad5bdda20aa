/* SPDX-License-Identifier: MIT */
/*
 * witness.h - what a machine remembers of the last point of one of its disks
 *
 * STATE/roots/ITEM.DISK.json: what the vault cannot take back. A vault in which
 * that point is not, or is another, is not what it was.
 */
#ifndef TIDEMARK_MODEL_WITNESS_H
#define TIDEMARK_MODEL_WITNESS_H

#include "model/error.h"
#include "model/names.h"
#include "model/root.h"

struct tm_witness {
	struct tm_id vault, item;
	char disk[TM_NAME_SIZE];
	char point[TM_RUN_NAME_SIZE];	/* "": nothing is known */
	char root[TM_DIGEST_SIZE];
	/* Of the blob of the hash table, as the point left it. */
	char etag[128];
};

/* As in point.h: the disk inside must be @disk. *@ret is overwritten. */
int tm_witness_parse(const void *text, size_t len, const char *disk,
		     struct tm_witness *ret, struct tm_error *err);
int tm_witness_text(const struct tm_witness *w, char **ret);

#endif
