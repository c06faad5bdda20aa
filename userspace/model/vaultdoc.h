/* SPDX-License-Identifier: MIT */
/*
 * vaultdoc.h - vault.json and items/ID.json, in the vault's container
 *
 * Administrators write them, machines read them. All strings are "" and times 0
 * when absent. `rest` keeps the fields that this version does not know.
 */
#ifndef TIDEMARK_MODEL_VAULTDOC_H
#define TIDEMARK_MODEL_VAULTDOC_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "model/encryption.h"
#include "model/error.h"
#include "model/names.h"

struct tm_vault {
	struct tm_id id;
	char name[TM_VAULT_NAME_SIZE];
	int64_t created;		/* server's time */
	struct tm_encryption encryption;	/* of its disks */
	json_t *rest;
};

struct tm_item {
	struct tm_id id;
	char name[TM_NAME_SIZE];	/* of the machine */
	char container[TM_CONTAINER_SIZE];	/* of its data */
	int64_t created;
	char (*disks)[TM_NAME_SIZE];	/* names, for people; owned */
	size_t n_disks;
	json_t *rest;
};

/*
 * Text to structure; @object names the blob for messages. The structure is
 * overwritten on success (no _done of an earlier content) and untouched on
 * failure. 0, -ENOMEM, -EBADMSG, -EPROTONOSUPPORT.
 */
int tm_vault_parse(const void *text, size_t len, const char *object,
		   struct tm_vault *ret, struct tm_error *err);
/* malloc()ed text. 0, -ENOMEM or -EINVAL. */
int tm_vault_text(const struct tm_vault *v, char **ret);
void tm_vault_done(struct tm_vault *v);

int tm_item_parse(const void *text, size_t len, const char *object,
		  struct tm_item *ret, struct tm_error *err);
int tm_item_text(const struct tm_item *item, char **ret);
void tm_item_done(struct tm_item *item);

/* Adds a disk's name if it is not there. 0, -ENOMEM, or -EINVAL (too long). */
int tm_item_add_disk(struct tm_item *item, const char *disk);

#endif
