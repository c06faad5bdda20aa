/* SPDX-License-Identifier: MIT */
/*
 * item.h - a protected machine: what it remembers of itself, what the vault
 * says of it
 */
#ifndef TIDEMARK_ENGINE_ITEM_H
#define TIDEMARK_ENGINE_ITEM_H

#include "engine/vault.h"
#include "model/diskdoc.h"

/* The protected disks of this machine, sorted by name. */
struct item_disks {
	struct tm_disk *v;	/* owned */
	size_t n;
};

void item_disks_done(struct item_disks *disks);

/*
 * Reads STATE/disks/NAME.json, all of them. None is no error: then n is 0.
 * @config->state is the directory.
 */
int item_disks_load(const struct tm_config *config, struct item_disks *ret,
		    struct tm_error *err);

/* Keeps only @names (all of which must be there); NULL or empty keeps all. */
int item_disks_select(struct item_disks *disks, const char *const *names,
		      struct tm_error *err);

/* Writes one of them, durably. */
int item_disk_save(const struct tm_config *config, const struct tm_disk *disk,
		   struct tm_error *err);

/*
 * Finds a machine in the vault by name or id: the way back when the machine
 * itself is gone. -ENOENT: none; -EEXIST: two of that name, use the id.
 * *ret is to be freed with tm_item_done().
 */
int item_find(struct vault *v, const char *name_or_id, struct tm_item *ret,
	      struct tm_error *err);

#endif
