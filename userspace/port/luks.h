/* SPDX-License-Identifier: MIT */
/*
 * luks.h - LUKS2 headers, made and read by libcryptsetup, in memory
 *
 * A header is LUKS_HEADER_SIZE bytes: two copies of the metadata, then room for
 * the key slots. The encrypted disk begins LUKS_DATA_OFFSET bytes after the
 * header's start and goes on to the end of the device; what lies between is not
 * used. The cipher is aes-xts-plain64 with a key of 512 bits, on sectors of 512
 * bytes: a VHD ends with a footer of 512 bytes, and cryptsetup opens no device
 * that is not made of whole sectors.
 *
 * What a slot is for is kept in a token of the header, which others leave alone.
 */
#ifndef TIDEMARK_PORT_LUKS_H
#define TIDEMARK_PORT_LUKS_H

#include <stddef.h>
#include <stdint.h>

#include "format.h"
#include "model/xts.h"

#define LUKS_HEADER_SIZE	(UINT32_C(4) << 20)
#define LUKS_METADATA_SIZE	(UINT32_C(32) << 10)	/* both copies */
#define LUKS_DATA_OFFSET	(UINT64_C(16) << 20)
#define LUKS_SLOTS_MAX		16

enum luks_kind {
	LUKS_PASSPHRASE,
	LUKS_KEY_FILE,
	LUKS_RECOVERY,	/* random enough to need no slow derivation */
	LUKS_ESCROW,	/* likewise; sealed for somebody */
	LUKS_OTHER,	/* in no slot of ours */
};

/* What opens a slot. */
struct luks_secret {
	enum luks_kind kind;
	const void *data;
	size_t len;
	const char *sealed;	/* of an escrow: base64, kept with the slot */
};

struct luks_slot {
	int number;
	enum luks_kind kind;
};

struct luks;

/*
 * A header whose UUID is @id, with a random volume key (returned in @key) and no
 * slot yet. 0, -ENOMEM, -EIO or -errno.
 */
int luks_new(const struct tm_id *id, uint8_t key[TM_XTS_KEY_SIZE],
	     struct luks **ret);

/*
 * A header from its bytes. -EBADMSG: it is none, it is damaged (of two copies of
 * the metadata one is enough), or none of this form.
 */
int luks_read(const void *bytes, size_t len, struct luks **ret);
void luks_free(struct luks *l);

/*
 * Puts what @old, another header of the same key, holds for key slots into @l,
 * of those slots that both describe alike: they are of one secret, and differ
 * only where one is damaged, for nothing in a header tells. Slots that were added,
 * changed or removed since stay as @l has them. Returns how many differed, or
 * -errno.
 */
int luks_mend(struct luks *l, const struct luks *old);

/* Its bytes, LUKS_HEADER_SIZE of them. 0 or -errno. */
int luks_bytes(const struct luks *l, void *ret);

/* The UUID that it was made with. */
void luks_id(const struct luks *l, struct tm_id *ret);

/*
 * Tries the secret on all slots. *@ret_slot is the one that it opens; may be
 * NULL. -EACCES: none; -ENOMEM: not enough memory to derive a key.
 */
int luks_open(struct luks *l, const struct luks_secret *secret,
	      uint8_t key[TM_XTS_KEY_SIZE], int *ret_slot);

/*
 * Gives the secret a slot of its own. A key is derived from it by Argon2id with
 * @memory bytes (from what is random by PBKDF2). -ENOSPC: no slot is free.
 */
int luks_add(struct luks *l, const uint8_t key[TM_XTS_KEY_SIZE],
	     const struct luks_secret *secret, uint64_t memory, int *ret_slot);

/* Wipes a slot. -ENOENT: it is not in use. */
int luks_remove(struct luks *l, int slot);

/* The slots in use, LUKS_SLOTS_MAX at most; returns how many. */
unsigned int luks_slots(const struct luks *l,
			struct luks_slot ret[LUKS_SLOTS_MAX]);

#endif
