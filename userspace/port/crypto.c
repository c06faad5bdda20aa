// SPDX-License-Identifier: MIT
#include "port/crypto.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

int crypto_random(void *data, size_t len)
{
	if (len > INT_MAX || RAND_bytes(data, (int)len) != 1)
		return -EIO;
	return 0;
}

int crypto_uuid(char ret[CRYPTO_UUID_SIZE])
{
	unsigned char b[16];
	char hex[33];

	if (crypto_random(b, sizeof(b)))
		return -EIO;
	b[6] = (b[6] & 0x0f) | 0x40;
	b[8] = (b[8] & 0x3f) | 0x80;
	crypto_hex(b, sizeof(b), hex);
	snprintf(ret, CRYPTO_UUID_SIZE, "%.8s-%.4s-%.4s-%.4s-%.12s", hex,
		 hex + 8, hex + 12, hex + 16, hex + 20);
	return 0;
}

int crypto_md5(const void *data, size_t len,
	       unsigned char ret[CRYPTO_MD5_SIZE])
{
	return EVP_Q_digest(NULL, "MD5", NULL, data, len, ret, NULL) ? 0 : -EIO;
}

int crypto_sha256(const void *data, size_t len,
		  unsigned char ret[CRYPTO_SHA256_SIZE])
{
	return EVP_Q_digest(NULL, "SHA256", NULL, data, len, ret, NULL) ? 0 :
									  -EIO;
}

int crypto_hmac_sha256(const void *key, size_t key_len, const void *data,
		       size_t len, unsigned char ret[CRYPTO_SHA256_SIZE])
{
	size_t out_len;

	return EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, key, key_len, data,
			 len, ret, CRYPTO_SHA256_SIZE, &out_len) ? 0 : -EIO;
}

char *crypto_base64(const void *data, size_t len)
{
	char *text;

	if (len > INT_MAX / 2)
		return NULL;
	text = malloc((len + 2) / 3 * 4 + 1);
	if (text)
		EVP_EncodeBlock((unsigned char *)text, data, (int)len);
	return text;
}

int crypto_unbase64(const char *text, unsigned char **ret, size_t *ret_len)
{
	size_t len = strlen(text), pad = 0;
	unsigned char *data;
	int n;

	if (!len || len % 4 || len > INT_MAX)
		return -EINVAL;
	/* OpenSSL would skip blanks, and take '=' anywhere in a group. */
	while (pad < 2 && text[len - 1 - pad] == '=')
		pad++;
	if (strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		   "0123456789+/") != len - pad)
		return -EINVAL;
	data = malloc(len / 4 * 3 + 1);
	if (!data)
		return -ENOMEM;
	n = EVP_DecodeBlock(data, (const unsigned char *)text, (int)len);
	if (n < 0 || (size_t)n < pad) {
		secret_wipe(data, len / 4 * 3);
		free(data);
		return -EINVAL;
	}
	*ret = data;
	*ret_len = (size_t)n - pad;	/* it counts the padding as data */
	return 0;
}

void crypto_hex(const void *data, size_t len, char *ret)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *b = data;
	size_t i;

	for (i = 0; i < len; i++) {
		ret[2 * i] = digits[b[i] >> 4];
		ret[2 * i + 1] = digits[b[i] & 15];
	}
	ret[2 * len] = '\0';
}

void secret_wipe(void *data, size_t len)
{
	OPENSSL_cleanse(data, len);
}

void secret_free(char *secret)
{
	if (!secret)
		return;
	secret_wipe(secret, strlen(secret));
	free(secret);
}
