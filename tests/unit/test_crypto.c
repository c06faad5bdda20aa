// SPDX-License-Identifier: MIT
#include "unit.h"

#include <errno.h>
#include <stdlib.h>

#include "port/crypto.h"

static void check_hex(const unsigned char *data, size_t len, const char *want)
{
	char hex[2 * CRYPTO_SHA256_SIZE + 1];

	crypto_hex(data, len, hex);
	assert_string_equal(hex, want);
}

/* RFC 1321, A.5; FIPS 180-4's example; RFC 4231, test case 2 */
static void digests(void **state)
{
	unsigned char out[CRYPTO_SHA256_SIZE];
	const char *question = "what do ya want for nothing?";

	(void)state;
	assert_int_equal(crypto_md5("abc", 3, out), 0);
	check_hex(out, CRYPTO_MD5_SIZE, "900150983cd24fb0d6963f7d28e17f72");
	assert_int_equal(crypto_sha256("abc", 3, out), 0);
	check_hex(out, CRYPTO_SHA256_SIZE,
		  "ba7816bf8f01cfea414140de5dae2223"
		  "b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(crypto_hmac_sha256("Jefe", 4, question,
					    strlen(question), out), 0);
	check_hex(out, CRYPTO_SHA256_SIZE,
		  "5bdcc146bf60754e6a042426089575c7"
		  "5a003f089d2739839dec58b964ec3843");
}

/* RFC 4648, section 10 */
static void base64(void **state)
{
	static const char *const pairs[][2] = {
		{ "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" },
	};
	unsigned char *data;
	size_t i, len;
	char *text;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(pairs); i++) {
		text = crypto_base64(pairs[i][0], strlen(pairs[i][0]));
		assert_string_equal(text, pairs[i][1]);
		assert_int_equal(crypto_unbase64(text, &data, &len), 0);
		assert_int_equal(len, strlen(pairs[i][0]));
		assert_memory_equal(data, pairs[i][0], len);
		free(data);
		free(text);
	}
}

static void not_base64(void **state)
{
	static const char *const texts[] = {
		"", "Z", "Zg", "Zg=", "Zg=g", "====", "Zm9v\n", " Zm9", "Zm-_",
		"Z===",
	};
	unsigned char *data = NULL;
	size_t i, len;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(texts); i++)
		assert_int_equal(crypto_unbase64(texts[i], &data, &len),
				 -EINVAL);
	assert_null(data);
}

static void uuid(void **state)
{
	char a[CRYPTO_UUID_SIZE], b[CRYPTO_UUID_SIZE];

	(void)state;
	assert_int_equal(crypto_uuid(a), 0);
	assert_int_equal(crypto_uuid(b), 0);
	assert_int_equal(strlen(a), 36);
	assert_int_equal(strspn(a, "0123456789abcdef-"), 36);
	assert_int_equal(a[14], '4');
	assert_non_null(strchr("89ab", a[19]));
	assert_string_not_equal(a, b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digests),
		cmocka_unit_test(base64),
		cmocka_unit_test(not_base64),
		cmocka_unit_test(uuid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
