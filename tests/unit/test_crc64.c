// SPDX-License-Identifier: MIT
/*
 * CRC-64/NVME against values that others have published, and both ways to it
 * against one that goes bit by bit.
 */
#include "unit.h"

#include <stdlib.h>

#include "model/crc64.h"

typedef uint64_t (*crc_fn)(uint64_t crc, const void *data, size_t len);

static const crc_fn ways[] = { tm_crc64, tm_crc64_by_tables };

static uint64_t bit_by_bit(uint64_t crc, const uint8_t *p, size_t len)
{
	int i;

	crc = ~crc;
	for (; len; p++, len--) {
		crc ^= *p;
		for (i = 0; i < 8; i++)
			crc = crc >> 1 ^
			      (crc & 1 ? UINT64_C(0x9a6c9329ac4bc9b5) : 0);
	}
	return ~crc;
}

#define HELLO "Hello World!"
#define LONGER								\
	"This is a test where the data is longer than 64 characters so that " \
	"we can test that code path."

/*
 * Sources: NVM Express NVM Command Set Specification 1.0, 64b CRC test cases;
 * RevEng's catalogue of CRC algorithms, CRC-64/NVME, its check value; tests of
 * azure-storage-extensions, from Azure's SDK for Python.
 */
static void published(void **state)
{
	static uint8_t zeroes[4096], ones[4096], up[4096], down[4096];
	const struct {
		uint64_t before;
		const void *data;
		size_t len;
		uint64_t crc;
	} cases[] = {
		{ 0, zeroes, 4096, UINT64_C(0x6482d367eb22b64e) },
		{ 0, ones, 4096, UINT64_C(0xc0ddba7302eca3ac) },
		{ 0, up, 4096, UINT64_C(0x3e729f5f6750449c) },
		{ 0, down, 4096, UINT64_C(0x9a2df64b8e9e517e) },
		{ 0, "123456789", 9, UINT64_C(0xae8b14860a799888) },
		{ 0, "", 0, 0 },
		{ 0, HELLO, strlen(HELLO), UINT64_C(208604604655264165) },
		{ 0, LONGER, strlen(LONGER), UINT64_C(2736107658526394369) },
		{ UINT64_C(208604604655264165), LONGER, strlen(LONGER),
		  UINT64_C(13786689105496759098) },
		{ 12345, LONGER, strlen(LONGER),
		  UINT64_C(16182239408178475978) },
	};
	size_t i, w;

	(void)state;
	for (i = 0; i < sizeof(up); i++) {
		ones[i] = 0xff;
		up[i] = (uint8_t)i;
		down[i] = (uint8_t)~i;
	}
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		for (w = 0; w < ARRAY_SIZE(ways); w++)
			assert_int_equal(ways[w](cases[i].before,
						 cases[i].data, cases[i].len),
					 cases[i].crc);
}

/* Each in a buffer of its own size, so that what is read beyond is caught. */
static void every_length(void **state)
{
	uint64_t seed = 1, crc, want;
	uint8_t *exact;
	size_t len, at, i, w;

	(void)state;
	for (len = 0; len < 400; len++) {
		at = unit_random(&seed) % 16;
		exact = malloc(at + len + 1);
		assert_non_null(exact);
		for (i = 0; i <= at + len; i++)
			exact[i] = (uint8_t)unit_random(&seed);
		crc = unit_random(&seed);
		want = bit_by_bit(crc, exact + at + 1, len);
		for (w = 0; w < ARRAY_SIZE(ways); w++)
			assert_int_equal(ways[w](crc, exact + at + 1, len),
					 want);
		free(exact);
	}
}

/* Random lengths at any alignment; in one go, and cut into pieces. */
static void agree(void **state)
{
	enum { SIZE = 1 << 17 };
	uint8_t *data = malloc(SIZE);
	uint64_t seed = 2, whole, pieces;
	size_t at, len, done, some;
	int n;

	(void)state;
	assert_non_null(data);
	for (at = 0; at < SIZE; at++)
		data[at] = (uint8_t)unit_random(&seed);
	for (n = 0; n < 300; n++) {
		at = unit_random(&seed) % (SIZE / 2);
		len = unit_random(&seed) % (SIZE >> unit_random(&seed) % 12);
		if (len > SIZE - at)
			len = SIZE - at;
		whole = tm_crc64(0, data + at, len);
		assert_int_equal(tm_crc64_by_tables(0, data + at, len), whole);
		pieces = 0;
		for (done = 0; done < len; done += some) {
			some = 1 + unit_random(&seed) % (len - done);
			pieces = ways[unit_random(&seed) % 2](
				pieces, data + at + done, some);
		}
		assert_int_equal(pieces, whole);
		if (len)
			data[at + unit_random(&seed) % len] ^=
				(uint8_t)(1 << unit_random(&seed) % 8);
		if (len)
			assert_int_not_equal(tm_crc64(0, data + at, len),
					     whole);
	}
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published),
		cmocka_unit_test(every_length),
		cmocka_unit_test(agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
