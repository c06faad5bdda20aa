// SPDX-License-Identifier: MIT
#include "model/hashtable.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#define HMAC_SIZE 32

struct tm_hasher {
	EVP_MAC_CTX *ctx;	/* has the key, for as long as it lives */
};

int tm_hasher_new(const uint8_t key[TM_HASH_KEY_SIZE], struct tm_hasher **ret)
{
	char digest[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest,
						 0),
		OSSL_PARAM_construct_end(),
	};
	struct tm_hasher *h;
	EVP_MAC *mac;

	h = calloc(1, sizeof(*h));
	if (!h)
		return -ENOMEM;
	mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	if (mac)
		h->ctx = EVP_MAC_CTX_new(mac);
	EVP_MAC_free(mac);
	if (!h->ctx ||
	    !EVP_MAC_init(h->ctx, key, TM_HASH_KEY_SIZE, params)) {
		tm_hasher_free(h);
		return -EIO;
	}
	*ret = h;
	return 0;
}

void tm_hasher_free(struct tm_hasher *h)
{
	if (!h)
		return;
	EVP_MAC_CTX_free(h->ctx);
	free(h);
}

int tm_hasher_clone(const struct tm_hasher *h, struct tm_hasher **ret)
{
	struct tm_hasher *copy = calloc(1, sizeof(*copy));

	if (!copy)
		return -ENOMEM;
	copy->ctx = EVP_MAC_CTX_dup(h->ctx);
	if (!copy->ctx) {
		free(copy);
		return -ENOMEM;
	}
	*ret = copy;
	return 0;
}

static bool all_zero(const uint8_t *data, size_t len)
{
	return len && !data[0] && !memcmp(data, data + 1, len - 1);
}

static void put_le64(uint8_t *to, uint64_t value)
{
	int n;

	for (n = 0; n < 8; n++)
		to[n] = (uint8_t)(value >> (8 * n));
}

static int mac(struct tm_hasher *h, const void *a, size_t a_len, const void *b,
	       size_t b_len, uint8_t ret[HMAC_SIZE])
{
	size_t len;

	/* Without a key, init starts again under the key it has. */
	if (!EVP_MAC_init(h->ctx, NULL, 0, NULL) ||
	    !EVP_MAC_update(h->ctx, a, a_len) ||
	    !EVP_MAC_update(h->ctx, b, b_len) ||
	    !EVP_MAC_final(h->ctx, ret, &len, HMAC_SIZE) || len != HMAC_SIZE)
		return -EIO;
	return 0;
}

int tm_hasher_mac(struct tm_hasher *h, const void *data, size_t len,
		  uint8_t ret[TM_HASH_KEY_SIZE])
{
	return mac(h, NULL, 0, data, len, ret);
}

static int finish(struct tm_hasher *h, uint64_t off, const void *data,
		  size_t len, struct tm_hash *ret)
{
	uint8_t where[8], full[HMAC_SIZE];
	int r;

	put_le64(where, off);
	r = mac(h, where, sizeof(where), data, len, full);
	if (r)
		return r;
	memcpy(ret->b, full, TM_HASH_SIZE);
	if (tm_hash_is_zero(ret))
		ret->b[TM_HASH_SIZE - 1] = 1;
	return 0;
}

int tm_hasher_zeroes(struct tm_hasher *h, uint64_t off, size_t len,
		     struct tm_hash *ret)
{
	uint8_t zeroes[8];

	/* The length still counts: a chunk grows with its disk. */
	put_le64(zeroes, len);
	return finish(h, off, zeroes, sizeof(zeroes), ret);
}

int tm_hasher_chunk(struct tm_hasher *h, uint64_t off, const void *data,
		    size_t len, struct tm_hash *ret)
{
	if (all_zero(data, len))
		return tm_hasher_zeroes(h, off, len, ret);
	return finish(h, off, data, len, ret);
}
