// SPDX-License-Identifier: MIT
#include "unit.h"
#include "scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "port/cachedir.h"

#define BYTES 4096u
#define FILES_OF_SHARE 8u
#define LIMIT (CACHEDIR_SHARDS * FILES_OF_SHARE * BYTES)

static char dir[128];

static int make_dir(void **state)
{
	(void)state;
	return scratch_make(dir, sizeof(dir), "cachedir");
}

static int remove_dir(void **state)
{
	(void)state;
	return scratch_remove(dir);
}

/* Key @n of shard @shard, and what is under it. */
static void fill(uint8_t key[CACHEDIR_KEY_SIZE], uint8_t data[BYTES],
		 unsigned int shard, unsigned int n)
{
	memset(key, 0, CACHEDIR_KEY_SIZE);
	key[0] = (uint8_t)(shard << 4);
	memcpy(key + 1, &n, sizeof(n));
	memset(data, (int)(n % 251 + shard), BYTES);
}

static void put(struct cachedir *c, unsigned int shard, unsigned int n)
{
	uint8_t key[CACHEDIR_KEY_SIZE], data[BYTES];

	fill(key, data, shard, n);
	assert_int_equal(cachedir_put(c, key, data, BYTES), 0);
}

/* Is it there, and right? */
static bool has(struct cachedir *c, unsigned int shard, unsigned int n)
{
	uint8_t key[CACHEDIR_KEY_SIZE], data[BYTES], got[BYTES];
	int r;

	fill(key, data, shard, n);
	r = cachedir_get(c, key, got, BYTES);
	if (r)
		assert_int_equal(r, -ENOENT);
	else
		assert_memory_equal(got, data, BYTES);
	return !r;
}

static char *path_of(unsigned int shard, unsigned int n)
{
	uint8_t key[CACHEDIR_KEY_SIZE], data[BYTES];
	static char path[256];
	size_t len;

	fill(key, data, shard, n);
	len = (size_t)snprintf(path, sizeof(path), "%s/%x/", dir, shard);
	for (int i = 0; i < CACHEDIR_KEY_SIZE; i++)
		len += (size_t)snprintf(path + len, sizeof(path) - len, "%02x",
					key[i]);
	return path;
}

/* As if last used so many seconds ago. */
static void age(unsigned int shard, unsigned int n, time_t seconds)
{
	struct timespec when[2];

	clock_gettime(CLOCK_REALTIME, &when[0]);
	when[0].tv_sec -= seconds;
	when[1] = when[0];
	assert_int_equal(utimensat(AT_FDCWD, path_of(shard, n), when, 0), 0);
}

static unsigned int count(unsigned int shard)
{
	unsigned int n = 0;
	struct dirent *d;
	char path[160];
	DIR *list;

	snprintf(path, sizeof(path), "%s/%x", dir, shard);
	list = opendir(path);
	assert_non_null(list);
	while ((d = readdir(list)))
		n += d->d_name[0] != '.' || strlen(d->d_name) > 2;
	closedir(list);
	return n;
}

static struct cachedir *cache(uint64_t limit)
{
	struct cachedir *c;

	assert_int_equal(cachedir_open(dir, limit, &c), 0);
	return c;
}

static void keeps_what_it_is_given(void **state)
{
	uint8_t key[CACHEDIR_KEY_SIZE], data[BYTES];
	struct cachedir *c = cache(LIMIT);

	(void)state;
	assert_false(has(c, 3, 1));
	put(c, 3, 1);
	put(c, 15, 2);
	assert_true(has(c, 3, 1));
	assert_false(has(c, 3, 2));
	cachedir_free(c);
	c = cache(LIMIT);
	assert_true(has(c, 3, 1));
	assert_true(has(c, 15, 2));
	/* Another length is another thing; what is cut short is not it. */
	fill(key, data, 3, 1);
	assert_int_equal(cachedir_get(c, key, data, BYTES - 1), -ENOENT);
	assert_int_equal(truncate(path_of(3, 1), BYTES - 1), 0);
	assert_false(has(c, 3, 1));
	cachedir_drop(c, key);
	cachedir_drop(c, key);
	assert_int_equal(access(path_of(3, 1), F_OK), -1);
	put(c, 3, 1);
	assert_true(has(c, 3, 1));
	cachedir_free(c);
}

static void the_least_recent_goes(void **state)
{
	struct cachedir *c = cache(LIMIT);
	unsigned int n;

	(void)state;
	for (n = 0; n < FILES_OF_SHARE; n++) {
		put(c, 5, n);
		age(5, n, 10000 - n);
	}
	assert_int_equal(count(5), FILES_OF_SHARE);
	assert_true(has(c, 5, 0));	/* that notes a use */
	put(c, 5, 100);
	put(c, 5, 101);
	assert_true(count(5) <= FILES_OF_SHARE);
	assert_true(has(c, 5, 0));
	assert_false(has(c, 5, 1));
	assert_true(has(c, 5, 101));
	cachedir_free(c);
}

static void stays_within_its_limit(void **state)
{
	struct cachedir *c = cache(LIMIT);
	unsigned int n, shard;

	(void)state;
	for (n = 0; n < 40 * FILES_OF_SHARE; n++) {
		put(c, n % CACHEDIR_SHARDS, n);
		shard = n % CACHEDIR_SHARDS;
		assert_true(count(shard) <= FILES_OF_SHARE + 2);
	}
	cachedir_free(c);
	/* A smaller one thins out what is there when it writes. */
	c = cache(LIMIT / 4);
	put(c, 1, 1000);
	put(c, 1, 1001);
	assert_true(count(1) <= FILES_OF_SHARE / 4 + 2);
	/* What is larger than a share is not kept at all. */
	cachedir_free(c);
	c = cache(CACHEDIR_SHARDS * (BYTES - 1));
	put(c, 2, 2000);
	assert_false(has(c, 2, 2000));
	cachedir_free(c);
}

static void leftovers_go(void **state)
{
	struct cachedir *c = cache(LIMIT);
	struct timespec when[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
	char path[160];
	int fd;

	(void)state;
	put(c, 4, 1);
	snprintf(path, sizeof(path), "%s/4/.1.2", dir);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(utimensat(AT_FDCWD, path, when, 0), 0);
	put(c, 4, 2);
	put(c, 4, 3);
	assert_int_equal(access(path, F_OK), -1);
	cachedir_free(c);
}

static void others_may_not_write(void **state)
{
	struct cachedir *c;

	(void)state;
	assert_int_equal(chmod(dir, 0777), 0);
	assert_int_equal(cachedir_open(dir, LIMIT, &c), -EPERM);
	assert_int_equal(chmod(dir, 0700), 0);
	assert_int_equal(cachedir_open("/dev/null/x", LIMIT, &c), -ENOTDIR);
}

static void *hammer(void *arg)
{
	struct cachedir *c = arg;
	unsigned int n;

	for (n = 0; n < 400; n++) {
		put(c, n % 3, n % 50);
		has(c, n % 3, (n * 7) % 50);
	}
	return NULL;
}

static void threads_may_share_it(void **state)
{
	struct cachedir *c = cache(LIMIT);
	pthread_t threads[4];
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, hammer, c),
				 0);
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	cachedir_free(c);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(keeps_what_it_is_given),
		TEST(the_least_recent_goes),
		TEST(stays_within_its_limit),
		TEST(leftovers_go),
		TEST(others_may_not_write),
		TEST(threads_may_share_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
