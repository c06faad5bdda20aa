/* SPDX-License-Identifier: MIT */
/*
 * xts.h - AES-256-XTS of a disk's sectors, as LUKS2 and dm-crypt have it
 *
 * "aes-xts-plain64": each sector of 512 bytes is a data unit of its own, whose
 * number, 64 bits little endian, is the tweak. Sectors count from the start of
 * what is encrypted. Source: IEEE 1619-2007; the kernel's dm-crypt.
 */
#ifndef TIDEMARK_MODEL_XTS_H
#define TIDEMARK_MODEL_XTS_H

#include <stddef.h>
#include <stdint.h>

#define TM_XTS_KEY_SIZE		64	/* data key, then tweak key */
#define TM_XTS_SECTOR		512

/* Not to be shared between threads. The key is copied, and wiped when freed. */
struct tm_xts;

/* 0, -ENOMEM, or -EIO if the crypto library refuses: the halves are equal. */
int tm_xts_new(const uint8_t key[TM_XTS_KEY_SIZE], struct tm_xts **ret);
void tm_xts_free(struct tm_xts *x);

/* Another under the same key. */
int tm_xts_clone(const struct tm_xts *x, struct tm_xts **ret);

/* In place; offset and length are multiples of a sector. 0 or -EIO. */
int tm_xts_encrypt(struct tm_xts *x, uint64_t off, void *data, size_t len);
int tm_xts_decrypt(struct tm_xts *x, uint64_t off, void *data, size_t len);

#endif
