/* SPDX-License-Identifier: MIT */
/*
 * witness.h - STATE/roots/: what this machine keeps of its disks' last points
 *
 *	ITEM.DISK.json	which point it was, and its root (model/witness.h)
 *	ITEM.DISK.tree	"tidemark tree ROOT\n" and the hashes of its leaves; can be
 *			deleted at any time, to be made anew from the vault
 */
#ifndef TIDEMARK_ENGINE_WITNESS_H
#define TIDEMARK_ENGINE_WITNESS_H

#include "model/config.h"
#include "model/tree.h"
#include "model/witness.h"

/* Nothing kept is no error: then ret->point is "". */
int witness_load(const struct tm_config *config, const struct tm_id *item,
		 const char *disk, struct tm_witness *ret,
		 struct tm_error *err);

/* Keeps both, durably. */
int witness_save(const struct tm_config *config, const struct tm_witness *w,
		 const struct tm_tree *tree, struct tm_error *err);

/* Fills @tree with the leaves kept for @w. -ENOENT: they are not there. */
int witness_tree(const struct tm_config *config, const struct tm_witness *w,
		 struct tm_tree *tree);

#endif
