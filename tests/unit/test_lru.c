// SPDX-License-Identifier: MIT
#include "unit.h"

#include "model/lru.h"

static void put(struct tm_lru *l, uint64_t key, uint64_t value)
{
	uint64_t *at = tm_lru_insert(l, key);

	assert_non_null(at);
	*at = value;
}

/* The value under @key, or 0. */
static uint64_t get(struct tm_lru *l, uint64_t key)
{
	const uint64_t *at = tm_lru_find(l, key);

	return at ? *at : 0;
}

static void the_least_recent_leaves(void **state)
{
	struct tm_lru *l;

	(void)state;
	assert_int_equal(tm_lru_new(3, sizeof(uint64_t), &l), 0);
	assert_null(tm_lru_find(l, 0));
	put(l, 1, 11);
	put(l, 2, 12);
	put(l, 3, 13);
	assert_int_equal(get(l, 1), 11);	/* 2 is the oldest now */
	put(l, 4, 14);
	assert_int_equal(get(l, 2), 0);
	assert_int_equal(get(l, 1), 11);
	assert_int_equal(get(l, 3), 13);
	assert_int_equal(get(l, 4), 14);
	tm_lru_free(l);
}

static void a_key_is_there_once(void **state)
{
	struct tm_lru *l;

	(void)state;
	assert_int_equal(tm_lru_new(2, sizeof(uint64_t), &l), 0);
	put(l, 7, 1);
	put(l, 9, 2);
	put(l, 7, 3);	/* in place, and the most recent */
	assert_int_equal(get(l, 7), 3);
	assert_int_equal(get(l, 9), 2);
	put(l, 7, 4);
	put(l, 5, 5);
	assert_int_equal(get(l, 9), 0);
	assert_int_equal(get(l, 7), 4);
	tm_lru_free(l);
}

static void one_slot_is_enough(void **state)
{
	struct tm_lru *l;
	uint64_t i;

	(void)state;
	assert_int_equal(tm_lru_new(1, sizeof(uint64_t), &l), 0);
	for (i = 1; i < 100; i++) {
		put(l, i, i);
		assert_int_equal(get(l, i), i);
		assert_int_equal(get(l, i - 1), 0);
	}
	tm_lru_free(l);
	tm_lru_free(NULL);
}

#define SLOTS 8
#define KEYS 24

/* Against an array in order of use, the latest first. */
static void as_a_list_would(void **state)
{
	uint64_t seed = 4711, order[SLOTS], key, i, n = 0, round;
	struct tm_lru *l;

	(void)state;
	assert_int_equal(tm_lru_new(SLOTS, sizeof(uint64_t), &l), 0);
	for (round = 0; round < 20000; round++) {
		key = unit_random(&seed) % KEYS;
		for (i = 0; i < n && order[i] != key; i++)
			;
		assert_int_equal(get(l, key), i < n ? key + 100 : 0);
		if (i == n)
			put(l, key, key + 100);
		if (i == n && n < SLOTS)
			n++;
		if (i == SLOTS)
			i--;
		memmove(order + 1, order, i * sizeof(order[0]));
		order[0] = key;
	}
	tm_lru_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_least_recent_leaves),
		cmocka_unit_test(a_key_is_there_once),
		cmocka_unit_test(one_slot_is_enough),
		cmocka_unit_test(as_a_list_would),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
