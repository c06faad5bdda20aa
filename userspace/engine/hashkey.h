/* SPDX-License-Identifier: MIT */
/*
 * hashkey.h - disks/DISK.key, the secret key of a disk's hash table
 *
 * A document: {"format":1,"kind":"plain","key":BASE64 of 32 bytes}. It is made
 * once, when the disk is protected, and stays for as long as its points: a
 * point cannot be proved without it.
 */
#ifndef TIDEMARK_ENGINE_HASHKEY_H
#define TIDEMARK_ENGINE_HASHKEY_H

#include "engine/vault.h"
#include "model/hashtable.h"

/* Makes a random key. -EEXIST: there is one. */
int hashkey_create(struct vault *v, const char *container, const char *disk,
		   struct tm_error *err);

/* A hasher under the key. -ENOENT: the key is gone. */
int hashkey_load(struct vault *v, const char *container, const char *disk,
		 struct tm_hasher **ret, struct tm_error *err);

#endif
