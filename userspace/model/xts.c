// SPDX-License-Identifier: MIT
#include "model/xts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

struct tm_xts {
	EVP_CIPHER_CTX *encrypt, *decrypt;
	uint8_t key[TM_XTS_KEY_SIZE];
};

static EVP_CIPHER_CTX *make(const EVP_CIPHER *cipher, const uint8_t *key,
			    int encrypt)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

	if (ctx && EVP_CipherInit_ex2(ctx, cipher, key, NULL, encrypt, NULL))
		return ctx;
	EVP_CIPHER_CTX_free(ctx);
	return NULL;
}

int tm_xts_new(const uint8_t key[TM_XTS_KEY_SIZE], struct tm_xts **ret)
{
	struct tm_xts *x = calloc(1, sizeof(*x));
	EVP_CIPHER *cipher;

	if (!x)
		return -ENOMEM;
	memcpy(x->key, key, sizeof(x->key));
	cipher = EVP_CIPHER_fetch(NULL, "AES-256-XTS", NULL);
	if (cipher) {
		x->encrypt = make(cipher, key, 1);
		x->decrypt = make(cipher, key, 0);
	}
	EVP_CIPHER_free(cipher);
	if (!x->encrypt || !x->decrypt) {
		tm_xts_free(x);
		return -EIO;
	}
	*ret = x;
	return 0;
}

void tm_xts_free(struct tm_xts *x)
{
	if (!x)
		return;
	EVP_CIPHER_CTX_free(x->encrypt);
	EVP_CIPHER_CTX_free(x->decrypt);
	OPENSSL_cleanse(x->key, sizeof(x->key));
	free(x);
}

int tm_xts_clone(const struct tm_xts *x, struct tm_xts **ret)
{
	return tm_xts_new(x->key, ret);
}

/* The context has its key and its direction: only the tweak is new. */
static int run(EVP_CIPHER_CTX *ctx, uint64_t off, uint8_t *data, size_t len)
{
	uint64_t sector = off / TM_XTS_SECTOR;
	uint8_t tweak[16] = { 0 };
	int n, out;

	for (; len; len -= TM_XTS_SECTOR, data += TM_XTS_SECTOR, sector++) {
		for (n = 0; n < 8; n++)
			tweak[n] = (uint8_t)(sector >> (8 * n));
		if (!EVP_CipherInit_ex2(ctx, NULL, NULL, tweak, -1, NULL) ||
		    !EVP_CipherUpdate(ctx, data, &out, data, TM_XTS_SECTOR))
			return -EIO;
	}
	return 0;
}

int tm_xts_encrypt(struct tm_xts *x, uint64_t off, void *data, size_t len)
{
	return run(x->encrypt, off, data, len);
}

int tm_xts_decrypt(struct tm_xts *x, uint64_t off, void *data, size_t len)
{
	return run(x->decrypt, off, data, len);
}
