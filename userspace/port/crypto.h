/* SPDX-License-Identifier: MIT */
/*
 * crypto.h - random bytes, digests, base64 and the wiping of secrets (OpenSSL)
 */
#ifndef TIDEMARK_PORT_CRYPTO_H
#define TIDEMARK_PORT_CRYPTO_H

#include <stddef.h>

#define CRYPTO_MD5_SIZE 16
#define CRYPTO_SHA256_SIZE 32
#define CRYPTO_UUID_SIZE 37

/* Fills @data from OpenSSL's generator. 0 or -EIO. */
int crypto_random(void *data, size_t len);

/* A random (version 4) UUID in lower case, as a lease id. 0 or -EIO. */
int crypto_uuid(char ret[CRYPTO_UUID_SIZE]);

/* 0 or -EIO. */
int crypto_md5(const void *data, size_t len,
	       unsigned char ret[CRYPTO_MD5_SIZE]);
int crypto_sha256(const void *data, size_t len,
		  unsigned char ret[CRYPTO_SHA256_SIZE]);
int crypto_hmac_sha256(const void *key, size_t key_len, const void *data,
		       size_t len, unsigned char ret[CRYPTO_SHA256_SIZE]);

/* Standard alphabet, padded, no line breaks. NULL: no memory. free() it. */
char *crypto_base64(const void *data, size_t len);

/* *ret is the caller's to free. 0, -EINVAL: not base64, -ENOMEM. */
int crypto_unbase64(const char *text, unsigned char **ret, size_t *ret_len);

/* @len bytes as 2 * @len lower-case digits and a NUL, into @ret. */
void crypto_hex(const void *data, size_t len, char *ret);

/* Overwrites @len bytes in a way that is not optimised away. */
void secret_wipe(void *data, size_t len);

/* Wipes a string and frees it. NULL is accepted. */
void secret_free(char *secret);

#endif
