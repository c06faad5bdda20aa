// SPDX-License-Identifier: MIT
#include "unit.h"

#include <errno.h>
#include <stdlib.h>

#include "engine/held.h"

#define CHUNK	4096u
#define CHUNKS	8u
#define TAIL	1024u		/* of the last chunk the disk has no more */
#define SIZE	((CHUNKS - 1) * CHUNK + TAIL)

/* A target in memory that counts what is read of it. */
struct memory {
	struct sink sink;
	unsigned char data[CHUNKS * CHUNK];
	uint64_t bytes_read;
};

static int memory_read(struct sink *s, uint64_t off, void *data, uint64_t len,
		       struct tm_error *err)
{
	struct memory *m = (struct memory *)s;

	(void)err;
	assert_true(off + len <= s->size);
	memcpy(data, m->data + off, len);
	m->bytes_read += len;
	return 0;
}

static const struct sink_ops memory_ops = { .read = memory_read };

struct bench {
	struct memory target;
	unsigned char scratch[CHUNKS * CHUNK];
	struct tm_hash want[CHUNKS], then[CHUNKS];
	struct tm_hasher *hasher;
	struct tm_extents changed;
	struct tm_point_disk disk;
	struct held_base base;
	struct held held;
	bool is_held[CHUNKS];
};

/* The target is what is wanted; what was there then is the same. */
static int set_up(void **state)
{
	static const uint8_t key[TM_HASH_KEY_SIZE] = { 7 };
	struct bench *b = calloc(1, sizeof(*b));
	uint64_t seed = 1;

	*state = b;
	b->target.sink.ops = &memory_ops;
	b->target.sink.size = SIZE;
	for (size_t i = 0; i < SIZE; i++)
		b->target.data[i] = (unsigned char)unit_random(&seed);
	if (tm_hasher_new(key, &b->hasher))
		return -1;
	for (size_t i = 0; i < CHUNKS; i++)
		if (tm_hasher_chunk(b->hasher, i * CHUNK,
				    b->target.data + i * CHUNK, CHUNK,
				    &b->want[i]))
			return -1;
	memcpy(b->then, b->want, sizeof(b->then));
	b->disk = (struct tm_point_disk){ .size = SIZE, .chunk_size = CHUNK };
	b->base = (struct held_base){
		.disk = &b->disk, .changed = &b->changed,
	};
	b->held.sink = &b->target.sink;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *b = *state;

	tm_hasher_free(b->hasher);
	tm_extents_done(&b->changed);
	free(b);
	return 0;
}

/* From here on it is known what the target was. */
static void know(struct bench *b)
{
	b->held.base = &b->base;
	b->held.table = b->then;
	b->held.n = CHUNKS;
}

/* @wanted: a letter for each chunk, h if it is held */
static void look(struct bench *b, const char *wanted)
{
	const struct reader_piece piece = {
		.len = CHUNKS * CHUNK, .n = CHUNKS, .chunk = CHUNK,
		.want = b->want, .hasher = b->hasher, .scratch = b->scratch,
		.held = b->is_held,
	};

	b->target.bytes_read = b->held.hashed = 0;
	memset(b->is_held, 0x55, sizeof(b->is_held));
	assert_int_equal(held_look(&b->held, &piece, NULL), 0);
	for (size_t i = 0; i < CHUNKS; i++)
		if (b->is_held[i] != (wanted[i] == 'h'))
			fail_msg("chunk %zu: %d", i, b->is_held[i]);
}

static void what_is_not_known_is_read(void **state)
{
	struct bench *b = *state;

	look(b, "hhhhhhhh");
	assert_int_equal(b->held.hashed, CHUNKS);
	assert_int_equal(b->target.bytes_read, SIZE);
	b->target.data[3 * CHUNK + 17] ^= 1;
	b->target.data[SIZE - 1] ^= 1;
	look(b, "hhh-hhh-");
	/* What cannot be proved has to come, whatever the target holds. */
	memset(&b->want[5], 0, sizeof(b->want[5]));
	look(b, "hhh-h-h-");
	assert_int_equal(b->held.hashed, CHUNKS - 1);
}

static void what_is_known_is_not_read(void **state)
{
	struct bench *b = *state;

	know(b);
	look(b, "hhhhhhhh");
	assert_int_equal(b->target.bytes_read, 0);
	/* It was something else then, and has not changed since. */
	b->then[2].b[0] ^= 1;
	look(b, "hh-hhhhh");
	assert_int_equal(b->target.bytes_read, 0);
	/* It has: only reading tells, either way. */
	assert_int_equal(tm_extents_add(&b->changed, 2, 2), 0);
	b->target.data[3 * CHUNK] ^= 1;
	look(b, "hhh-hhhh");
	assert_int_equal(b->held.hashed, 2);
	assert_int_equal(b->target.bytes_read, 2 * CHUNK);
	/* No entry vouches for it. */
	memset(&b->then[6], 0, sizeof(b->then[6]));
	look(b, "hhh-hhhh");
	assert_int_equal(b->held.hashed, 3);
}

static void what_was_smaller_then(void **state)
{
	struct bench *b = *state;

	know(b);
	b->held.n = 4;
	look(b, "hhhhhhhh");
	assert_int_equal(b->held.hashed, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_not_known_is_read,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_known_is_not_read,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_was_smaller_then, set_up,
						tear_down),
	};

	return cmocka_run_group_tests_name("held", tests, NULL, NULL);
}
