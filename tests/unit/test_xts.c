// SPDX-License-Identifier: MIT
#include "unit.h"

#include <openssl/evp.h>

#include "model/xts.h"

/* IEEE 1619-2007, annex B, vector 10: XTS-AES-256, data unit 0xff */
static const uint8_t key[TM_XTS_KEY_SIZE] = {
	0x27, 0x18, 0x28, 0x18, 0x28, 0x45, 0x90, 0x45, 0x23, 0x53, 0x60, 0x28,
	0x74, 0x71, 0x35, 0x26, 0x62, 0x49, 0x77, 0x57, 0x24, 0x70, 0x93, 0x69,
	0x99, 0x59, 0x57, 0x49, 0x66, 0x96, 0x76, 0x27, 0x31, 0x41, 0x59, 0x26,
	0x53, 0x58, 0x97, 0x93, 0x23, 0x84, 0x62, 0x64, 0x33, 0x83, 0x27, 0x95,
	0x02, 0x88, 0x41, 0x97, 0x16, 0x93, 0x99, 0x37, 0x51, 0x05, 0x82, 0x09,
	0x74, 0x94, 0x45, 0x92,
};
static const uint8_t begins[] = {
	0x1c, 0x3b, 0x3a, 0x10, 0x2f, 0x77, 0x03, 0x86, 0xe4, 0x83, 0x6c, 0x99,
	0xe3, 0x70, 0xcf, 0x9b, 0xea, 0x00, 0x80, 0x3f, 0x5e, 0x48, 0x23, 0x57,
	0xa4, 0xae, 0x12, 0xd4, 0x14, 0xa3, 0xe6, 0x3b,
};

static void standard_vector(void **state)
{
	uint8_t data[TM_XTS_SECTOR];
	struct tm_xts *x;
	int i;

	(void)state;
	for (i = 0; i < TM_XTS_SECTOR; i++)
		data[i] = (uint8_t)i;
	assert_int_equal(tm_xts_new(key, &x), 0);
	assert_int_equal(tm_xts_encrypt(x, 0xff * TM_XTS_SECTOR, data,
					sizeof(data)), 0);
	assert_memory_equal(data, begins, sizeof(begins));
	assert_int_equal(tm_xts_decrypt(x, 0xff * TM_XTS_SECTOR, data,
					sizeof(data)), 0);
	for (i = 0; i < TM_XTS_SECTOR; i++)
		assert_int_equal(data[i], (uint8_t)i);
	tm_xts_free(x);
	tm_xts_free(NULL);
}

static void ecb(const uint8_t *half, const uint8_t from[16], uint8_t to[16])
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int len;

	assert_true(EVP_EncryptInit_ex(ctx, EVP_aes_256_ecb(), NULL, half,
				       NULL));
	EVP_CIPHER_CTX_set_padding(ctx, 0);
	assert_true(EVP_EncryptUpdate(ctx, to, &len, from, 16));
	EVP_CIPHER_CTX_free(ctx);
}

/* The standard's own terms: AES of single blocks, and the tweak times alpha. */
static void by_definition(uint64_t sector, uint8_t data[TM_XTS_SECTOR])
{
	uint8_t tweak[16] = { 0 };
	int i, b, carry;

	for (i = 0; i < 8; i++)
		tweak[i] = (uint8_t)(sector >> (8 * i));
	ecb(key + 32, tweak, tweak);
	for (b = 0; b < TM_XTS_SECTOR; b += 16) {
		for (i = 0; i < 16; i++)
			data[b + i] ^= tweak[i];
		ecb(key, data + b, data + b);
		for (i = 0; i < 16; i++)
			data[b + i] ^= tweak[i];
		for (i = 0, carry = 0; i < 16; i++) {
			int next = tweak[i] >> 7;

			tweak[i] = (uint8_t)(tweak[i] << 1 | carry);
			carry = next;
		}
		if (carry)
			tweak[0] ^= 0x87;
	}
}

/* Far out too, where a sector's number has more than 32 bits. */
static void sectors_have_their_own_numbers(void **state)
{
	static const uint64_t offs[] = {
		0, 512, UINT64_C(3) << 20, (UINT64_C(8) << 40) - 4096,
	};
	uint8_t data[4096], want[4096];
	uint64_t seed = 1;
	struct tm_xts *x, *other;
	size_t i, s;

	(void)state;
	assert_int_equal(tm_xts_new(key, &x), 0);
	assert_int_equal(tm_xts_clone(x, &other), 0);
	for (i = 0; i < ARRAY_SIZE(offs); i++) {
		for (s = 0; s < sizeof(data); s++)
			data[s] = want[s] = (uint8_t)unit_random(&seed);
		for (s = 0; s < sizeof(want); s += TM_XTS_SECTOR)
			by_definition((offs[i] + s) / TM_XTS_SECTOR, want + s);
		assert_int_equal(tm_xts_encrypt(other, offs[i], data,
						sizeof(data)), 0);
		assert_memory_equal(data, want, sizeof(data));
	}
	tm_xts_free(other);
	tm_xts_free(x);
}

/* A key whose halves are equal is none: XTS is not safe with it. */
static void equal_halves_are_refused(void **state)
{
	static const uint8_t same[TM_XTS_KEY_SIZE];
	struct tm_xts *x;

	(void)state;
	assert_int_not_equal(tm_xts_new(same, &x), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(standard_vector),
		cmocka_unit_test(sectors_have_their_own_numbers),
		cmocka_unit_test(equal_halves_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
