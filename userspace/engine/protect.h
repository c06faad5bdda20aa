/* SPDX-License-Identifier: MIT */
/*
 * protect.h - registering this machine and a disk of it in a vault
 */
#ifndef TIDEMARK_ENGINE_PROTECT_H
#define TIDEMARK_ENGINE_PROTECT_H

#include "engine/diskkey.h"
#include "engine/item.h"
#include "engine/vault.h"

struct protect_options {
	const char *path;	/* block device or image file */
	const char *disk;	/* its name in the vault; NULL: from the path */
	const char *item;	/* the machine's; NULL: configured, host name */
	uint32_t chunk_size;	/* bytes; 0: configured */
};

/*
 * Makes what a machine needs in the vault if it is its first disk: its
 * container with the lock, items/ID.json; and for the disk its hash table's
 * key. Then writes STATE/disks/DISK.json. All that can be refused is refused
 * before anything is written.
 * -EEXIST: the disk, or one of its name, is protected already. -EACCES: a try
 * that got no further has made a key for it, which the passphrase does not open.
 * @recovery is as of diskkey_create(); "" too if a try before got that far.
 * *ret is to be freed with tm_disk_done().
 */
int protect_disk(struct vault *v, const struct protect_options *how,
		 struct tm_disk *ret, char recovery[DISKKEY_RECOVERY_SIZE],
		 struct tm_error *err);

#endif
