// SPDX-License-Identifier: MIT
/*
 * By libgcrypt, where all else is OpenSSL's: each sector is a data unit of its
 * own, and to begin one costs OpenSSL as much as to encrypt it.
 */
#include "model/xts.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <gcrypt.h>
#include <openssl/crypto.h>

#define HALF	(TM_XTS_KEY_SIZE / 2)

struct tm_xts {
	gcry_cipher_hd_t cipher;
	uint8_t key[TM_XTS_KEY_SIZE];
};

typedef gcry_error_t work_fn(gcry_cipher_hd_t, void *, size_t, const void *,
			     size_t);

/* Others in this process may use the library, and have begun before us. */
static void begin(void)
{
	if (gcry_control(GCRYCTL_INITIALIZATION_FINISHED_P))
		return;
	gcry_check_version(NULL);
	gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
	gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
}

int tm_xts_new(const uint8_t key[TM_XTS_KEY_SIZE], struct tm_xts **ret)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct tm_xts *x;

	/* The library would take them, unless it is in its FIPS mode. */
	if (!CRYPTO_memcmp(key, key + HALF, HALF))
		return -EIO;
	if (pthread_once(&once, begin))
		return -EIO;
	x = calloc(1, sizeof(*x));
	if (!x)
		return -ENOMEM;
	memcpy(x->key, key, sizeof(x->key));
	if (gcry_cipher_open(&x->cipher, GCRY_CIPHER_AES256,
			     GCRY_CIPHER_MODE_XTS, 0) ||
	    gcry_cipher_setkey(x->cipher, key, TM_XTS_KEY_SIZE)) {
		tm_xts_free(x);
		return -EIO;
	}
	*ret = x;
	return 0;
}

/* The library wipes what it had made of the key. */
void tm_xts_free(struct tm_xts *x)
{
	if (!x)
		return;
	gcry_cipher_close(x->cipher);
	OPENSSL_cleanse(x->key, sizeof(x->key));
	free(x);
}

int tm_xts_clone(const struct tm_xts *x, struct tm_xts **ret)
{
	return tm_xts_new(x->key, ret);
}

static int run(work_fn *work, struct tm_xts *x, uint64_t off, uint8_t *data,
	       size_t len)
{
	uint64_t sector = off / TM_XTS_SECTOR;
	uint8_t tweak[16] = { 0 };
	int n;

	for (; len; len -= TM_XTS_SECTOR, data += TM_XTS_SECTOR, sector++) {
		for (n = 0; n < 8; n++)
			tweak[n] = (uint8_t)(sector >> (8 * n));
		if (gcry_cipher_setiv(x->cipher, tweak, sizeof(tweak)) ||
		    work(x->cipher, data, TM_XTS_SECTOR, NULL, 0))
			return -EIO;
	}
	return 0;
}

int tm_xts_encrypt(struct tm_xts *x, uint64_t off, void *data, size_t len)
{
	return run(gcry_cipher_encrypt, x, off, data, len);
}

int tm_xts_decrypt(struct tm_xts *x, uint64_t off, void *data, size_t len)
{
	return run(gcry_cipher_decrypt, x, off, data, len);
}
