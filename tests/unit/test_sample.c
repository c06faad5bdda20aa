// SPDX-License-Identifier: MIT
#include "unit.h"

#include <errno.h>
#include <stdlib.h>

#include "engine/sample.h"

#define CHUNK	4096u
#define CHUNKS	24u
#define SIZE	((uint64_t)CHUNKS * CHUNK)

/* A live disk in memory, and the entries that it should have. */
struct bench {
	struct source source;
	unsigned char data[CHUNKS * CHUNK];
	struct tm_hash entries[CHUNKS];
	struct tm_hasher *hasher;
	struct tm_extents marked;
	struct tm_config config;
	struct sampling sampling;
	bool moves;		/* what is read is marked by then */
	unsigned int loads, drops;
};

static int read_chunk(struct source *s, uint64_t chunk, void *buf,
		      bool *ret_counts, struct tm_error *err)
{
	const struct bench *b = (const struct bench *)s;

	(void)err;
	assert_true(chunk < CHUNKS);
	assert_false(tm_extents_contains(&b->marked, chunk, 1));
	memcpy(buf, b->data + chunk * CHUNK, CHUNK);
	*ret_counts = !b->moves;
	return 0;
}

static const struct source_ops ops = { .sample = read_chunk };

static int load(void *arg, uint64_t first, uint64_t count, struct tm_error *err)
{
	struct bench *b = arg;

	(void)err;
	assert_int_equal(first, 0);
	assert_int_equal(count, b->sampling.chunks);
	b->loads++;
	return 0;
}

static struct tm_hash entry(void *arg, uint64_t chunk)
{
	const struct bench *b = arg;

	assert_int_equal(b->loads, b->drops + 1);
	return b->entries[chunk];
}

static void drop(void *arg, uint64_t first, uint64_t count)
{
	struct bench *b = arg;

	(void)first;
	(void)count;
	b->drops++;
}

static int set_up(void **state)
{
	static const uint8_t key[TM_HASH_KEY_SIZE] = { 9 };
	struct bench *b = calloc(1, sizeof(*b));
	uint64_t seed = 1;

	*state = b;
	b->source.ops = &ops;
	for (size_t i = 0; i < SIZE; i++)
		b->data[i] = (unsigned char)unit_random(&seed);
	if (tm_hasher_new(key, &b->hasher))
		return -1;
	for (size_t i = 0; i < CHUNKS; i++)
		if (tm_hasher_chunk(b->hasher, i * CHUNK, b->data + i * CHUNK,
				    CHUNK, &b->entries[i]))
			return -1;
	tm_config_init(&b->config);
	b->sampling = (struct sampling){
		.disk = "a", .source = &b->source, .hasher = b->hasher,
		.size = SIZE, .chunks = CHUNKS, .chunk_size = CHUNK,
		.marked = &b->marked, .load = load, .entry = entry,
		.drop = drop, .arg = b,
	};
	return 0;
}

static int tear_down(void **state)
{
	struct bench *b = *state;

	tm_hasher_free(b->hasher);
	tm_extents_done(&b->marked);
	free(b);
	return 0;
}

static bool bypassed(struct bench *b)
{
	struct tm_error err = TM_ERROR_INIT;
	bool ret = true;

	assert_int_equal(sample_run(&b->sampling, &b->config, &ret, &err), 0);
	assert_int_equal(b->loads, b->drops);
	return ret;
}

static void what_is_right_is_believed(void **state)
{
	struct bench *b = *state;

	assert_false(bypassed(b));
	assert_int_equal(b->loads, 1);
	assert_int_equal(b->sampling.sampled, 16);
}

static void what_was_written_past_the_marks_is_seen(void **state)
{
	struct bench *b = *state;

	for (size_t i = 0; i < CHUNKS; i++)
		b->data[i * CHUNK] ^= 1;
	assert_true(bypassed(b));
	assert_int_equal(b->sampling.sampled, 1);
}

static void what_is_marked_is_not_looked_at(void **state)
{
	struct bench *b = *state;

	for (size_t i = 4; i < CHUNKS; i++)
		b->data[i * CHUNK] ^= 1;
	assert_int_equal(tm_extents_add(&b->marked, 4, CHUNKS - 4), 0);
	assert_false(bypassed(b));
}

static void what_is_marked_meanwhile_does_not_count(void **state)
{
	struct bench *b = *state;

	b->moves = true;
	for (size_t i = 0; i < CHUNKS; i++)
		b->data[i * CHUNK] ^= 1;
	assert_false(bypassed(b));
	assert_int_equal(b->sampling.sampled, 0);
}

static void only_the_first_chunks_are_if_so_wanted(void **state)
{
	struct bench *b = *state;

	for (size_t i = 3; i < CHUNKS; i++)
		b->data[i * CHUNK] ^= 1;
	b->sampling.chunks = 3;
	assert_false(bypassed(b));
	b->sampling.chunks = 0;
	assert_false(bypassed(b));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_is_right_is_believed),
		TEST(what_was_written_past_the_marks_is_seen),
		TEST(what_is_marked_is_not_looked_at),
		TEST(what_is_marked_meanwhile_does_not_count),
		TEST(only_the_first_chunks_are_if_so_wanted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
