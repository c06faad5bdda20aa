/* SPDX-License-Identifier: MIT */
/*
 * diskdoc.h - what this machine knows of a protected disk
 *
 * /var/lib/tidemark/disks/NAME.json, written by protect and attach: which vault
 * and machine the disk belongs to, where it is, how it is tracked.
 */
#ifndef TIDEMARK_MODEL_DISKDOC_H
#define TIDEMARK_MODEL_DISKDOC_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "model/address.h"
#include "model/encryption.h"
#include "model/error.h"
#include "model/names.h"
#include "model/segment.h"

/* A device under tracking, as attach made it and makes it again at boot. */
struct tm_tracked {
	char device[TM_NAME_SIZE];	/* device-mapper name of the target */
	char origin[TM_DEVICE_SIZE];	/* stable path, as under /dev/disk/ */
	char meta[TM_DEVICE_SIZE];	/* metadata device or file; "-": none */
	char store[TM_DEVICE_SIZE];	/* snapshot store; "-": none */
	struct tm_id set;		/* SETID of the metadata; zero: unknown */
};

struct tm_disk {
	char name[TM_NAME_SIZE];
	char vault[TM_URL_SIZE];	/* URL */
	struct tm_id vault_id;		/* zero: not recorded */
	struct tm_id item;
	char item_name[TM_NAME_SIZE];
	char container[TM_CONTAINER_SIZE];
	char path[TM_DEVICE_SIZE];	/* the whole disk, or the image file */
	uint32_t chunk_size;
	struct tm_encryption encryption;	/* what the vault said then */
	/* Empty: one scan segment over @path, as large as it is. */
	struct tm_segments segments;
	struct tm_tracked *tracked;	/* owned */
	size_t n_tracked;
	json_t *rest;
};

/* As in point.h: the name inside must be @name, *@ret is overwritten. */
int tm_disk_parse(const void *text, size_t len, const char *name,
		  struct tm_disk *ret, struct tm_error *err);
int tm_disk_text(const struct tm_disk *d, char **ret);
void tm_disk_done(struct tm_disk *d);

/* Appends a copy. 0 or -ENOMEM. */
int tm_disk_add_tracked(struct tm_disk *d, const struct tm_tracked *t);
/* By device-mapper name; NULL if there is none. */
const struct tm_tracked *tm_disk_find_tracked(const struct tm_disk *d,
					      const char *device);

#endif
