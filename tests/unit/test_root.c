// SPDX-License-Identifier: MIT
/*
 * The digests are those of tests/lib/root.py, which computes them recursively
 * and shares no code with what is tested.
 */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>

#include "model/point.h"
#include "model/tree.h"
#include "model/witness.h"

#define LEAF_BYTES ((size_t)TM_TREE_LEAF_CHUNKS * TM_HASH_SIZE)

static const char root_text[] =
	"ad9d2158ea27413677398e4638d244cd321344d6cfc6cf7a67bebd44f598a162";
static const char encrypted_root_text[] =
	"5618971c60642396dad76010a2e2255dad456071c9cd04c088bec55cf06b726d";
static const char table_text[] =
	"c63854688a4cda082295bb8408661f609cd5f65d661d228f43a31ad5e65b10d4";

static uint8_t *make_table(uint64_t chunks)
{
	uint8_t *table = calloc(chunks + TM_TREE_LEAF_CHUNKS, TM_HASH_SIZE);
	uint64_t i, j;

	for (i = 0; i < chunks; i++)
		for (j = 0; j < TM_HASH_SIZE; j++)
			table[i * TM_HASH_SIZE + j] =
				(uint8_t)(i * 7 + j * 3 + (i >> 8));
	return table;
}

static struct tm_tree *make_tree(const uint8_t *table, uint64_t chunks)
{
	struct tm_tree *t;
	uint64_t i;

	assert_int_equal(tm_tree_new(chunks, &t), 0);
	for (i = 0; i < tm_tree_leaves(t); i++)
		assert_int_equal(tm_tree_set(t, i, table + i * LEAF_BYTES), 0);
	return t;
}

static void hash_of(struct tm_tree *t, char text[TM_DIGEST_SIZE])
{
	uint8_t digest[TM_DIGEST_BYTES];

	assert_int_equal(tm_tree_hash(t, digest), 0);
	tm_digest_format(text, digest);
}

static void trees_of_all_shapes(void **state)
{
	static const struct {
		uint64_t chunks;
		const char *digest;
	} is[] = {
		{ 1, "2e1b115d76f828f8839bc6ef54327861802dd96232c9c5bb45164e8a76d888c3" },
		{ 255, "82fa74b559155728b1a8cdf3efe0b3d90c902384c33c02b2b8264fc947d289e4" },
		{ 256, "a0fe2903ba1f32f2584aa7d4f8b7587b4734c0e644c5bf0732565f9bb5caa3c6" },
		{ 257, "77d81ff0f41d7017d242a6d86867ab99559afda5ff15db7402843927d65facda" },
		{ 768, "3044dfba1ab020263ec0adb9c0487907ae9a305df966fb2266607dcf3fff63ff" },
		{ 1793, "17e0074ecf92d2b5dbe5b91eefcbb53d484b8feb6475801b54898f34df3385a9" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(is); i++) {
		uint8_t *table = make_table(is[i].chunks);
		struct tm_tree *t = make_tree(table, is[i].chunks);
		char text[TM_DIGEST_SIZE];

		hash_of(t, text);
		assert_string_equal(text, is[i].digest);
		/* What lies behind the last entry does not count. */
		table[is[i].chunks * TM_HASH_SIZE] = 1;
		assert_int_equal(tm_tree_set(t, tm_tree_leaves(t) - 1, table +
			(tm_tree_leaves(t) - 1) * LEAF_BYTES), 0);
		hash_of(t, text);
		assert_string_equal(text, is[i].digest);
		tm_tree_free(t);
		free(table);
	}
}

static void a_leaf_is_changed(void **state)
{
	uint8_t *table = make_table(1793), digest[TM_DIGEST_BYTES];
	struct tm_tree *t = make_tree(table, 1793), *fresh;
	char was[TM_DIGEST_SIZE], is[TM_DIGEST_SIZE];
	bool differs;

	(void)state;
	hash_of(t, was);
	assert_int_equal(tm_tree_differs(t, 3, table + 3 * LEAF_BYTES,
					 &differs), 0);
	assert_false(differs);
	table[3 * LEAF_BYTES + 5] ^= 1;
	assert_int_equal(tm_tree_differs(t, 3, table + 3 * LEAF_BYTES,
					 &differs), 0);
	assert_true(differs);
	assert_int_equal(tm_tree_set(t, 3, table + 3 * LEAF_BYTES), 0);
	hash_of(t, is);
	assert_string_not_equal(is, was);

	/* Another tree, most of which is the same. */
	assert_int_equal(tm_tree_new(1800, &fresh), 0);
	tm_tree_take(fresh, t);
	assert_int_equal(tm_tree_hash(fresh, digest), -ENODATA);
	assert_int_equal(tm_tree_differs(fresh, 7, table, &differs), 0);
	assert_false(differs);
	tm_tree_free(fresh);
	tm_tree_free(t);
	t = make_tree(table, 1793);
	hash_of(t, was);
	assert_string_equal(is, was);
	tm_tree_free(t);
	free(table);
}

static void leaves_are_kept(void **state)
{
	uint8_t *table = make_table(1000);
	struct tm_tree *t = make_tree(table, 1000), *again;
	char was[TM_DIGEST_SIZE], is[TM_DIGEST_SIZE];
	const void *bytes;
	size_t len;

	(void)state;
	bytes = tm_tree_bytes(t, &len);
	assert_int_equal(len, 4 * TM_DIGEST_BYTES);
	assert_int_equal(tm_tree_new(1000, &again), 0);
	assert_int_equal(tm_tree_load(again, bytes, len - 1), -EBADMSG);
	assert_int_equal(tm_tree_load(again, bytes, len), 0);
	hash_of(t, was);
	hash_of(again, is);
	assert_string_equal(is, was);
	tm_tree_free(again);
	tm_tree_free(t);
	free(table);
}

static struct tm_point_disk disk_of_point(void)
{
	struct tm_point_disk d = {
		.name = "root", .size = 96 * 65536 - 512, .chunk_size = 65536,
		.point = "20261122T180507Z-00112233445566778899aabbccddeeff",
	};

	memset(d.item.b, 0x0f, sizeof(d.item.b));
	memset(d.cut.b, 0xc1, sizeof(d.cut.b));
	strcpy(d.hash_snapshot, "2026-11-22T18:05:08.1234567Z");
	strcpy(d.vhd_snapshot, "2026-11-22T18:05:09.7654321Z");
	strcpy(d.root.table, table_text);
	memset(d.root.previous, 0, sizeof(d.root.previous));
	return d;
}

static void repeat(char text[TM_DIGEST_SIZE], const char two[2])
{
	size_t i;

	for (i = 0; i < TM_DIGEST_SIZE - 1; i++)
		text[i] = two[i % 2];
	text[i] = '\0';
}

static void roots_bind(void **state)
{
	struct tm_point_disk d = disk_of_point();
	uint8_t key[TM_HASH_KEY_SIZE];
	char root[TM_DIGEST_SIZE];
	struct tm_hasher *h;
	struct tm_id vault;
	uint8_t i;

	(void)state;
	for (i = 0; i < sizeof(key); i++)
		key[i] = i;
	memset(vault.b, 0x1a, sizeof(vault.b));
	repeat(d.root.previous, "ab");
	assert_int_equal(tm_hasher_new(key, &h), 0);
	assert_int_equal(tm_root_make(h, &vault, &d, root), 0);
	assert_string_equal(root, root_text);
	d.point[0] = '3';
	assert_int_equal(tm_root_make(h, &vault, &d, root), 0);
	assert_string_not_equal(root, root_text);
	d.point[0] = '2';
	d.vhd_snapshot[0] = '1';
	assert_int_equal(tm_root_make(h, &vault, &d, root), 0);
	assert_string_not_equal(root, root_text);

	d = disk_of_point();
	memset(d.cut.b, 0, sizeof(d.cut.b));
	memset(d.cipher.key.b, 0x77, sizeof(d.cipher.key.b));
	repeat(d.cipher.header, "99");
	assert_int_equal(tm_root_make(h, &vault, &d, root), 0);
	assert_string_equal(root, encrypted_root_text);
	tm_hasher_free(h);
}

static void a_witness_is_kept(void **state)
{
	struct tm_witness w = {
		.disk = "root", .etag = "\"0x1\"",
		.point = "20261122T180507Z-00112233445566778899aabbccddeeff",
	}, again;
	struct tm_error err = TM_ERROR_INIT;
	char *text;

	(void)state;
	w.vault.b[0] = 1;
	w.item.b[1] = 2;
	strcpy(w.root, root_text);
	assert_int_equal(tm_witness_text(&w, &text), 0);
	assert_int_equal(tm_witness_parse(text, strlen(text), "root", &again,
					  &err), 0);
	assert_memory_equal(&again, &w, sizeof(w));
	assert_int_equal(tm_witness_parse(text, strlen(text), "data", &again,
					  &err), -EBADMSG);
	tm_error_clear(&err);
	*strstr(text, root_text) = 'x';
	assert_int_equal(tm_witness_parse(text, strlen(text), "root", &again,
					  &err), -EBADMSG);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trees_of_all_shapes),
		cmocka_unit_test(a_leaf_is_changed),
		cmocka_unit_test(leaves_are_kept),
		cmocka_unit_test(roots_bind),
		cmocka_unit_test(a_witness_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
