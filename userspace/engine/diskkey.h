/* SPDX-License-Identifier: MIT */
/*
 * diskkey.h - disks/DISK.key, and the keys that a disk is hashed and encrypted
 * under
 *
 * A document, made when the disk is protected. Not encrypted:
 *	{"format":1,"kind":"plain","key":BASE64 of 32 bytes}
 * the hash table's key, which stays for as long as its points: a point cannot be
 * proved without it. Encrypted:
 *	{"format":1,"kind":"luks","id":KEY,"zeroes":"encrypted"|"sparse"}
 * the id of the volume key, which keys/KEY.luks holds. The hash table's key is
 * then made from the volume key. Encrypted by the service (engine/servicekey.h):
 *	{"format":1,"kind":"service","key":BASE64 of 32 bytes,"sha256":BASE64}
 * with a hash table's key as the first, and the SHA-256 of the service's key.
 *
 * The table tells of what was on the disk, not of what it looks like encrypted.
 * So what has not changed need not be encrypted to be seen to be the same; and a
 * proof is one of what is brought back, its decryption included. In return a
 * point can be verified only by who can also read it: were the table's key known
 * to others, those who write the vault could forge the table.
 */
#ifndef TIDEMARK_ENGINE_DISKKEY_H
#define TIDEMARK_ENGINE_DISKKEY_H

#include "engine/vault.h"
#include "model/hashtable.h"
#include "model/point.h"
#include "model/xts.h"
#include "port/luks.h"

struct diskkey {
	struct tm_cipher cipher;	/* of points to come */
	uint64_t data;			/* bytes of the VHD before the disk */
	struct tm_hasher *hasher;	/* NULL until it is opened, */
	struct tm_xts *xts;		/* NULL too if it is not encrypted, */
	void *header;			/* likewise: LUKS_HEADER_SIZE bytes */
	char service[BLOB_KEY_SIZE];	/* SHA-256 of the service's key; "" */
	const struct blob_key *under;	/* the key itself, the vault's; NULL */
};

/* What the document calls how a disk is encrypted. */
enum diskkey_kind { DISKKEY_PLAIN, DISKKEY_LUKS, DISKKEY_SERVICE };
extern const char *const diskkey_kinds[3];

/* Of a recovery key as text, with its NUL: eight groups of eight digits. */
#define DISKKEY_RECOVERY_SIZE 72

/* A random recovery key. 0 or -EIO. */
int diskkey_recovery(char ret[DISKKEY_RECOVERY_SIZE], struct tm_error *err);

/*
 * Makes the document, if there is none (-EEXIST). If it is to be encrypted,
 * as @how says, the volume key comes first: under the passphrase that is found, and
 * under a recovery key, *@recovery ("" if it does not encrypt), which is nowhere
 * else.
 */
int diskkey_create(struct vault *v, const struct tm_encryption *how,
		   const char *container, const char *disk,
		   char recovery[DISKKEY_RECOVERY_SIZE], struct tm_error *err);

/*
 * Makes another volume key, likewise, for what is to come: the next backup sends
 * everything. Points there are stay under theirs. -EOPNOTSUPP: the disk is not
 * encrypted.
 */
int diskkey_renew(struct vault *v, const char *container, const char *disk,
		  char recovery[DISKKEY_RECOVERY_SIZE], struct tm_error *err);

/*
 * Finds the service's key, if the document that was looked at says that there is
 * one: servicekey_find().
 */
int diskkey_service(struct vault *v, const char *disk, struct diskkey *k,
		    struct tm_error *err);

/* What it says of the disk; a look is enough. */
struct tm_encryption diskkey_encryption(const struct diskkey *k);

/*
 * What the document says; no passphrase is needed, nor the service's key.
 * -ENOENT: it is gone.
 */
int diskkey_look(struct vault *v, const char *container, const char *disk,
		 struct diskkey *ret, struct tm_error *err);

/*
 * The same and the keys themselves, for which a passphrase is found if need be, or
 * the service's key.
 * *@ret is to be freed with diskkey_done(), which fits a zeroed one too, and one
 * that was only looked at.
 */
int diskkey_open(struct vault *v, const char *container, const char *disk,
		 struct diskkey *ret, struct tm_error *err);

/* Likewise, from a header that is in hand, of the key that @cipher says. */
int diskkey_open_from(struct vault *v, const char *disk,
		      const struct tm_cipher *cipher, struct luks *header,
		      struct diskkey *ret, struct tm_error *err);

/*
 * The keys of a point's disk, encrypted as @cipher says, from a header of its
 * volume key.
 */
int diskkey_open_with(struct vault *v, const char *disk,
		      const struct tm_cipher *cipher, struct luks *header,
		      struct diskkey *ret, struct tm_error *err);

void diskkey_done(struct diskkey *k);

#endif
