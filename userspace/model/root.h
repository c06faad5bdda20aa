/* SPDX-License-Identifier: MIT */
/*
 * root.h - what binds the hash table of a disk to the point it belongs to
 *
 * Every disk of a point has, in points/NAME, "table_sha256": the hash of the
 * tree over its table (tree.h); "root": a digest, under a key, of that and of
 * what it is to be the table of; and "previous_root": the root of the disk's
 * point before, if there was one. With K the key of the disk's hash table:
 *
 *	key  = HMAC-SHA-256(K, "tidemark root")
 *	root = HMAC-SHA-256(key, text)
 *
 * and the text is these lines, each with a newline, words apart by one space:
 *
 *	tidemark root 1
 *	vault ID		of vault.json
 *	item ID
 *	disk NAME
 *	point NAME
 *	cut ID			zeroes if it was not tracked
 *	size BYTES		of the disk
 *	chunk BYTES
 *	key ID			of the volume key; zeroes if it is not encrypted
 *	header DIGEST		SHA-256 of the LUKS header; or -
 *	hash SNAPSHOT		x-ms-snapshot of the table's blob
 *	vhd SNAPSHOT		and of the disk's
 *	previous ROOT		or -
 *	table DIGEST
 *
 * IDs and digests in lower-case hexadecimal, numbers in decimal. The key is
 * none that an entry is made under, and 13 bytes are no message of an entry.
 */
#ifndef TIDEMARK_MODEL_ROOT_H
#define TIDEMARK_MODEL_ROOT_H

#include <stdint.h>

#include "model/hashtable.h"
#include "model/json.h"
#include "model/tree.h"

#define TM_DIGEST_SIZE	65	/* SHA-256 in hexadecimal, and a NUL */

/* All "" for a point made before there were roots. */
struct tm_root {
	char table[TM_DIGEST_SIZE];
	char root[TM_DIGEST_SIZE];
	char previous[TM_DIGEST_SIZE];	/* "": there was no point before */
};

struct tm_point_disk;

/* Reads and writes the members of @obj. As those of json.h. */
void tm_root_parse(struct tm_json *j, const json_t *obj, struct tm_root *ret);
void tm_root_put(int *r, json_t *obj, const struct tm_root *root);

/* The same for one digest: a name for it, or nothing. */
void tm_digest_parse(struct tm_json *j, const json_t *obj, const char *key,
		     enum tm_json_need need, char ret[TM_DIGEST_SIZE]);
void tm_digest_format(char ret[TM_DIGEST_SIZE],
		      const uint8_t digest[TM_DIGEST_BYTES]);

/*
 * The root of @d by what it says of itself, root.table and root.previous
 * included, in @vault. 0, -ENOMEM or -EIO.
 */
int tm_root_make(struct tm_hasher *hasher, const struct tm_id *vault,
		 const struct tm_point_disk *d, char ret[TM_DIGEST_SIZE]);

#endif
