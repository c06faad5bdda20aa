// SPDX-License-Identifier: MIT
#include "unit.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include <openssl/hmac.h>

#include "model/hashtable.h"

/*
 * The library's HMAC against RFC 4231, test cases 1 and 2, so that the entries
 * below, computed with it, rest on published values.
 */
static void library_agrees_with_rfc_4231(void **state)
{
	static const uint8_t want1[] = {
		0xb0, 0x34, 0x4c, 0x61, 0xd8, 0xdb, 0x38, 0x53,
		0x5c, 0xa8, 0xaf, 0xce, 0xaf, 0x0b, 0xf1, 0x2b,
		0x88, 0x1d, 0xc2, 0x00, 0xc9, 0x83, 0x3d, 0xa7,
		0x26, 0xe9, 0x37, 0x6c, 0x2e, 0x32, 0xcf, 0xf7,
	};
	static const uint8_t want2[] = {
		0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e,
		0x6a, 0x04, 0x24, 0x26, 0x08, 0x95, 0x75, 0xc7,
		0x5a, 0x00, 0x3f, 0x08, 0x9d, 0x27, 0x39, 0x83,
		0x9d, 0xec, 0x58, 0xb9, 0x64, 0xec, 0x38, 0x43,
	};
	uint8_t key[20], got[32];
	unsigned int len = sizeof(got);

	(void)state;
	memset(key, 0x0b, sizeof(key));
	assert_non_null(HMAC(EVP_sha256(), key, 20,
			     (const uint8_t *)"Hi There", 8, got, &len));
	assert_memory_equal(got, want1, sizeof(want1));
	assert_non_null(HMAC(EVP_sha256(), "Jefe", 4,
			     (const uint8_t *)"what do ya want for nothing?",
			     28, got, &len));
	assert_memory_equal(got, want2, sizeof(want2));
}

/*
 * RFC 4231, test case 1, through the hasher: its key is 20 bytes, which HMAC
 * pads with zeroes, so 32 bytes with zeroes behind are the same key; and its
 * eight bytes of data are a chunk index with no data.
 */
static void entry_is_truncated_hmac(void **state)
{
	static const uint8_t want[TM_HASH_SIZE] = {
		0xb0, 0x34, 0x4c, 0x61, 0xd8, 0xdb, 0x38, 0x53,
		0x5c, 0xa8, 0xaf, 0xce, 0xaf, 0x0b, 0xf1, 0x2b,
	};
	uint8_t key[TM_HASH_KEY_SIZE] = { 0 };
	uint64_t off = 0;
	struct tm_hasher *h;
	struct tm_hash got;
	int i;

	(void)state;
	memset(key, 0x0b, 20);
	for (i = 7; i >= 0; i--)
		off = off << 8 | (uint8_t)"Hi There"[i];
	assert_int_equal(tm_hasher_new(key, &h), 0);
	for (i = 0; i < 3; i++) {
		assert_int_equal(tm_hasher_chunk(h, off, "", 0, &got), 0);
		assert_memory_equal(got.b, want, sizeof(want));
	}
	tm_hasher_free(h);
	tm_hasher_free(NULL);
}

static void offset_key_length_and_data_count(void **state)
{
	uint8_t key[TM_HASH_KEY_SIZE] = { 1 }, data[8192] = { 0 }, full[32];
	uint8_t message[8 + sizeof(data)] = { 0x02, 0x01 };
	uint8_t zeroes[16] = { 0x02, 0x01, [9] = 0x20 };	/* 8192 of them */
	struct tm_hasher *h, *other;
	struct tm_hash a, b;
	unsigned int len;

	(void)state;
	assert_int_equal(tm_hasher_new(key, &h), 0);
	data[4096] = message[8 + 4096] = 1;
	assert_int_equal(tm_hasher_chunk(h, 0x102, data, sizeof(data), &a), 0);
	assert_non_null(HMAC(EVP_sha256(), key, sizeof(key), message,
			     sizeof(message), full, &len));
	assert_memory_equal(a.b, full, TM_HASH_SIZE);
	assert_false(tm_hash_is_zero(&a));
	data[4096] = 0;
	assert_int_equal(tm_hasher_chunk(h, 0x102, data, sizeof(data), &a), 0);
	assert_non_null(HMAC(EVP_sha256(), key, sizeof(key), zeroes,
			     sizeof(zeroes), full, &len));
	assert_memory_equal(a.b, full, TM_HASH_SIZE);

	assert_int_equal(tm_hasher_chunk(h, 0x103, data, sizeof(data), &b), 0);
	assert_false(tm_hash_equal(&a, &b));
	assert_int_equal(tm_hasher_chunk(h, 0x102, data, 4096, &b), 0);
	assert_false(tm_hash_equal(&a, &b));
	data[8191] = 1;
	assert_int_equal(tm_hasher_chunk(h, 0x102, data, sizeof(data), &b), 0);
	assert_false(tm_hash_equal(&a, &b));
	data[8191] = 0;
	key[31] = 1;
	assert_int_equal(tm_hasher_new(key, &other), 0);
	assert_int_equal(tm_hasher_chunk(other, 0x102, data, sizeof(data), &b),
			 0);
	assert_false(tm_hash_equal(&a, &b));
	tm_hasher_free(h);
	tm_hasher_free(other);
}

static void arithmetic(void **state)
{
	const uint64_t mib = 1 << 20;
	uint64_t first, count;

	(void)state;
	assert_true(tm_chunk_size_valid(4096));
	assert_true(tm_chunk_size_valid(65536));
	assert_true(tm_chunk_size_valid(4 << 20));
	assert_false(tm_chunk_size_valid(0));
	assert_false(tm_chunk_size_valid(2048));
	assert_false(tm_chunk_size_valid(65537));
	assert_false(tm_chunk_size_valid(8 << 20));
	assert_false(tm_chunk_size_valid(UINT64_C(1) << 32));

	/* 101 MiB and a sector: a VHD of 102, in chunks of 4 MiB: 25.5 */
	assert_int_equal(tm_chunk_count(101 * mib + 512, 4 << 20), 26);
	assert_int_equal(tm_chunk_len(101 * mib + 512, 4 << 20, 24), 4 * mib);
	assert_int_equal(tm_chunk_len(101 * mib + 512, 4 << 20, 25), 2 * mib);
	assert_int_equal(tm_chunk_len(101 * mib + 512, 4 << 20, 26), 0);
	assert_int_equal(tm_hash_table_size(101 * mib + 512, 4 << 20), 512);
	/* Chunks that are all padding count. */
	assert_int_equal(tm_chunk_count(512, 65536), 16);
	assert_int_equal(tm_chunk_len(512, 65536, 15), 65536);

	assert_int_equal(tm_hash_table_size(32 * 65536, 65536), 512);
	assert_int_equal(tm_hash_table_size(3 * mib, 65536), 1024);
	/* 8 TiB less 1 MiB in the smallest chunks */
	assert_int_equal(tm_hash_table_size((UINT64_C(8) << 40) - mib, 4096),
			 (UINT64_C(1) << 35) - 4096);

	assert_int_equal(tm_hash_pages(0), 0);
	assert_int_equal(tm_hash_pages(32), 1);
	assert_int_equal(tm_hash_pages(33), 2);
	assert_int_equal(tm_hash_page_of(32), 1);
	assert_int_equal(tm_hash_page_first(2), 64);
	tm_hash_window(70, 64, 1000, &first, &count);
	assert_int_equal(first, 64);
	assert_int_equal(count, 64);
	tm_hash_window(999, 64, 1000, &first, &count);
	assert_int_equal(first, 960);
	assert_int_equal(count, 40);
	tm_hash_window(1024, 64, 1000, &first, &count);
	assert_int_equal(count, 0);
}

#define CHUNKS	10007	/* not whole hash pages, several blocks of memory */
#define PAGES	((CHUNKS + 31) / 32)

static struct tm_hash hash_of(uint64_t n)
{
	struct tm_hash h = { .b = { 0 } };

	memcpy(h.b, &n, sizeof(n));
	return h;
}

/* The table against a plain array, with what is dirty. */
static void table_equals_naive_array(void **state)
{
	static struct tm_hash naive[PAGES * 32];
	static uint8_t bytes[PAGES * 512];
	static bool dirty[PAGES];
	uint64_t seed = 7, step, i, page, pages;
	struct tm_hashtable *t;
	struct tm_hash h;

	(void)state;
	assert_int_equal(tm_hashtable_new(CHUNKS, &t), 0);
	assert_int_equal(tm_hashtable_chunks(t), CHUNKS);
	for (step = 0; step < 30000; step++) {
		i = unit_random(&seed) % CHUNKS;
		page = i / 32;
		pages = 1 + unit_random(&seed) % 40;
		if (pages > PAGES - page)
			pages = PAGES - page;
		h = hash_of(unit_random(&seed) % 4);
		switch (unit_random(&seed) % 64) {
		case 0:		/* what the blob holds */
			tm_hashtable_copy(t, page, pages, bytes);
			for (i = 0; i < pages * 512; i++)
				bytes[i] ^= (uint8_t)(i % 3);
			assert_int_equal(tm_hashtable_load(t, page, pages,
							   bytes), 0);
			memcpy(naive + page * 32, bytes, pages * 512);
			memset(naive + CHUNKS, 0,
			       sizeof(naive) - CHUNKS * sizeof(naive[0]));
			memset(dirty + page, 0, pages);
			break;
		case 1:
			tm_hashtable_clean(t, page, pages);
			memset(dirty + page, 0, pages);
			break;
		case 2:
			tm_hashtable_drop(t, page, pages);
			for (i = page; i < page + pages; i++)
				if (!dirty[i])
					memset(naive + i * 32, 0, 512);
			break;
		case 3:
			h = hash_of(0);
			assert_int_equal(tm_hashtable_clear(t, i), 0);
			dirty[page] |= !tm_hash_is_zero(&naive[i]);
			naive[i] = h;
			break;
		default:
			assert_int_equal(tm_hashtable_set(t, i, &h), 0);
			dirty[page] |= !tm_hash_equal(&naive[i], &h);
			naive[i] = h;
		}
		i = unit_random(&seed) % CHUNKS;
		h = tm_hashtable_get(t, i);
		assert_true(tm_hash_equal(&h, &naive[i]));
		if (step % 64)
			continue;
		assert_int_equal(tm_hashtable_copy(t, 0, PAGES, bytes), 0);
		assert_memory_equal(bytes, naive, sizeof(bytes));
		for (i = 0; i < PAGES; i += pages) {
			uint64_t first, n = 0;

			for (first = i; first < PAGES && !dirty[first]; first++)
				;
			while (n < 5 && first + n < PAGES && dirty[first + n])
				n++;
			assert_int_equal(tm_hashtable_dirty(t, i, 5, &page,
							    &pages), n > 0);
			if (!n)
				break;
			assert_int_equal(page, first);
			assert_int_equal(pages, n);
			i = first;
		}
	}
	tm_hashtable_free(t);
}

static void limits_are_kept(void **state)
{
	struct tm_hash h = hash_of(1), got;
	uint8_t page[512] = { 0 };
	struct tm_hashtable *t;
	uint64_t first, n;

	(void)state;
	/* 8 TiB in the smallest chunks takes little until it is filled. */
	assert_int_equal(tm_hashtable_new(UINT64_C(1) << 31, &t), 0);
	assert_int_equal(tm_hashtable_set(t, (UINT64_C(1) << 31) - 1, &h), 0);
	assert_true(tm_hashtable_dirty(t, 0, UINT64_MAX, &first, &n));
	assert_int_equal(first, (UINT64_C(1) << 26) - 1);
	assert_int_equal(n, 1);
	tm_hashtable_free(t);

	assert_int_equal(tm_hashtable_new(33, &t), 0);
	assert_int_equal(tm_hashtable_set(t, 33, &h), -ERANGE);
	got = tm_hashtable_get(t, UINT64_MAX);
	assert_true(tm_hash_is_zero(&got));
	assert_int_equal(tm_hashtable_load(t, 1, 2, page), -ERANGE);
	assert_int_equal(tm_hashtable_load(t, UINT64_MAX, 2, page), -ERANGE);
	assert_int_equal(tm_hashtable_copy(t, 2, 1, page), -ERANGE);
	assert_int_equal(tm_hashtable_copy(t, 2, 0, page), 0);
	/* What stands behind the last entry does not come back out. */
	memset(page, 0xff, sizeof(page));
	assert_int_equal(tm_hashtable_load(t, 1, 1, page), 0);
	assert_int_equal(tm_hashtable_copy(t, 1, 1, page), 0);
	assert_int_equal(page[15], 0xff);
	assert_int_equal(page[16], 0);
	tm_hashtable_free(t);
	tm_hashtable_free(NULL);
	/* So many that counting their pages would begin again at 0. */
	assert_int_equal(tm_hashtable_new(UINT64_MAX, &t), -ENOMEM);
	assert_int_equal(tm_hashtable_new(UINT64_MAX - 31, &t), -ENOMEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(library_agrees_with_rfc_4231),
		cmocka_unit_test(entry_is_truncated_hmac),
		cmocka_unit_test(offset_key_length_and_data_count),
		cmocka_unit_test(arithmetic),
		cmocka_unit_test(table_equals_naive_array),
		cmocka_unit_test(limits_are_kept),
	};

	return cmocka_run_group_tests_name("hashtable", tests, NULL, NULL);
}
