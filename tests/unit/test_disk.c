// SPDX-License-Identifier: MIT
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "port/disk.h"
#include "port/diskout.h"
#include "port/file.h"
#include "port/readq.h"

#define CHUNK 65536u
#define CHUNKS 40u
#define TAIL 1000u	/* a last part of no particular size */
#define SIZE (CHUNKS * CHUNK + TAIL)

/* A directory with `disk`, an image full of random bytes; /tmp or /var/tmp,
 * whichever: one knows O_DIRECT and the other may not.
 */
struct bench {
	char dir[64];
	char path[80];
	unsigned char *data;
};

static int set_up_in(struct bench *b, const char *where)
{
	uint64_t seed = 0x7469646d61726bu, *word;
	size_t i;

	snprintf(b->dir, sizeof(b->dir), "%s/tidemark-unit.XXXXXX", where);
	if (!mkdtemp(b->dir))
		return -1;
	snprintf(b->path, sizeof(b->path), "%s/disk", b->dir);
	b->data = malloc(SIZE + 8);
	word = (uint64_t *)(void *)b->data;
	for (i = 0; i <= SIZE / 8; i++)
		word[i] = unit_random(&seed);
	return file_write(b->path, 0600, b->data, SIZE);
}

static int set_up(void **state)
{
	*state = calloc(1, sizeof(struct bench));
	return set_up_in(*state, "/var/tmp");
}

static int set_up_shm(void **state)
{
	*state = calloc(1, sizeof(struct bench));
	return set_up_in(*state, "/dev/shm");
}

static int tear_down(void **state)
{
	struct bench *b = *state;

	unlink(b->path);
	rmdir(b->dir);
	free(b->data);
	free(b);
	return 0;
}

/* What the disk holds at @off, zero past its end. */
static void check(const struct bench *b, uint64_t off, const void *got,
		  size_t len)
{
	size_t have = off < SIZE ? SIZE - off : 0;
	size_t i;

	if (have > len)
		have = len;
	assert_memory_equal(got, b->data + off, have);
	for (i = have; i < len; i++)
		assert_int_equal(((const unsigned char *)got)[i], 0);
}

static void one(void **state)
{
	static const struct {
		uint64_t off;
		size_t len;
	} cases[] = {
		{ 0, CHUNK }, { CHUNK, 4096 }, { 512, 512 }, { 1, 1 },
		{ 4095, 8192 }, { 100, 700000 }, { SIZE - TAIL, CHUNK },
		{ SIZE - 1, 1 }, { SIZE - 1, 2 }, { SIZE, 4096 },
		{ SIZE + CHUNK, CHUNK }, { SIZE - 5000, 10000 },
	};
	const struct bench *b = *state;
	struct disk *disk;
	char *data;
	size_t i;

	assert_int_equal(disk_open(b->path, &disk), 0);
	assert_int_equal(disk_size(disk), SIZE);
	assert_false(disk_is_device(disk));
	data = disk_buffer_new(1 << 20);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		memset(data, 0xee, 1 << 20);
		assert_int_equal(disk_read_one(disk, cases[i].off, data,
					       cases[i].len), 0);
		check(b, cases[i].off, data, cases[i].len);
		assert_int_equal((unsigned char)data[cases[i].len], 0xee);
	}
	disk_buffer_free(data);
	disk_close(disk);
}

struct seen {
	const struct bench *bench;
	size_t count;
	int result;		/* the last that is not 0 */
};

static void on_done(struct readq_read *read)
{
	struct seen *s = read->arg;

	s->count++;
	if (read->result)
		s->result = read->result;
	else
		check(s->bench, read->off, read->data, read->len);
}

static void turn_until_idle(struct readq *q)
{
	while (readq_busy(q)) {
		struct pollfd fd = { .fd = readq_fd(q), .events = POLLIN };

		assert_int_equal(poll(&fd, 1, 10000), 1);
		readq_turn(q);
	}
}

/* More reads than fit the queue, some of which must take the slow way. */
static void queued(const struct bench *b, bool registered)
{
	struct readq_read reads[CHUNKS + 3];
	char *data = disk_buffer_new((CHUNKS + 3) * CHUNK);
	struct seen seen = { .bench = b };
	void *const buffers[] = { data };
	struct readq *q;
	struct disk *disk;
	size_t i;

	assert_int_equal(disk_open(b->path, &disk), 0);
	assert_int_equal(readq_new(4, buffers, registered ? 1 : 0,
				   (CHUNKS + 1) * CHUNK, &q), 0);
	for (i = 0; i < ARRAY_SIZE(reads); i++) {
		reads[i] = (struct readq_read){
			.disk = disk, .off = i * CHUNK + (i == 7 ? 3 : 0),
			.len = CHUNK, .data = data + i * CHUNK,
			.done = on_done, .arg = &seen,
		};
		readq_start(q, &reads[i]);
	}
	assert_int_equal(seen.count, 0);
	turn_until_idle(q);
	assert_int_equal(seen.count, ARRAY_SIZE(reads));
	assert_int_equal(seen.result, 0);
	readq_free(q);
	disk_close(disk);
	disk_buffer_free(data);
}

static void all(void **state)
{
	queued(*state, false);
}

static void all_registered(void **state)
{
	queued(*state, true);
}

/* Freed while reads are in flight: their memory is the caller's again. */
static void given_up(void **state)
{
	const struct bench *b = *state;
	char *data = disk_buffer_new(CHUNK);
	struct seen seen = { .bench = b };
	struct readq_read read = {
		.len = CHUNK, .data = data, .done = on_done, .arg = &seen,
	};
	struct readq *q;

	assert_int_equal(disk_open(b->path, &read.disk), 0);
	assert_int_equal(readq_new(4, NULL, 0, 0, &q), 0);
	readq_start(q, &read);
	readq_free(q);
	assert_int_equal(seen.count, 0);
	disk_close(read.disk);
	disk_buffer_free(data);
}

/* A disk that has become shorter is an error, not zeroes. */
static void shrunk(void **state)
{
	const struct bench *b = *state;
	struct seen seen = { .bench = b };
	struct readq_read read = {
		.off = 8 * CHUNK, .len = CHUNK, .done = on_done, .arg = &seen,
	};
	struct readq *q;

	assert_int_equal(disk_open(b->path, &read.disk), 0);
	assert_int_equal(truncate(b->path, 8 * CHUNK + 4096), 0);
	read.data = disk_buffer_new(CHUNK);
	assert_int_equal(disk_read_one(read.disk, read.off, read.data, CHUNK),
			 -EIO);
	assert_int_equal(readq_new(4, NULL, 0, 0, &q), 0);
	readq_start(q, &read);
	turn_until_idle(q);
	assert_int_equal(seen.result, -EIO);
	readq_free(q);
	disk_buffer_free(read.data);
	disk_close(read.disk);
}

static void no_disk(void **state)
{
	const struct bench *b = *state;
	struct disk *disk = NULL;

	assert_int_equal(disk_open("/nowhere/disk", &disk), -ENOENT);
	assert_int_equal(disk_open("/dev/null", &disk), -ENOTBLK);
	assert_int_equal(disk_open(b->dir, &disk), -ENOTBLK);
	assert_null(disk);
	assert_int_equal(disk_same(b->path, b->path), 1);
	assert_int_equal(disk_same(b->path, b->dir), 0);
	assert_int_equal(disk_same(b->path, "/nowhere/disk"), -ENOENT);
}

static void restored(void **state)
{
	const struct bench *b = *state;
	struct diskout *out;
	struct stat st;
	char path[100], *data;
	size_t len;

	snprintf(path, sizeof(path), "%s.out", b->path);
	assert_int_equal(diskout_create(path, SIZE, &out), 0);
	assert_true(diskout_is_zero(out));
	assert_int_equal(diskout_write(out, CHUNK, b->data + CHUNK, CHUNK), 0);
	assert_int_equal(diskout_write(out, 8 * CHUNK, b->data, CHUNK), 0);
	assert_int_equal(diskout_zero(out, 8 * CHUNK, CHUNK), 0);
	assert_int_equal(diskout_write(out, SIZE - 1, "x", 1), 0);
	assert_int_equal(diskout_write(out, SIZE - 1, "xy", 2), -EINVAL);
	assert_int_equal(diskout_zero(out, SIZE, 1), -EINVAL);
	assert_int_equal(diskout_finish(out), 0);
	diskout_free(out);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, SIZE);
	assert_true((uint64_t)st.st_blocks * 512 < 4 * CHUNK);
	assert_int_equal(file_read(path, SIZE, &data, &len), 0);
	assert_memory_equal(data + CHUNK, b->data + CHUNK, CHUNK);
	assert_int_equal(data[0] | data[8 * CHUNK] | data[9 * CHUNK - 1], 0);
	assert_int_equal(data[SIZE - 1], 'x');
	free(data);
	/* What is there is not overwritten, nor removed. */
	assert_int_equal(diskout_create(path, SIZE, &out), -EEXIST);
	assert_int_equal(access(path, F_OK), 0);
	unlink(path);
	/* What was not finished does not stay. */
	assert_int_equal(diskout_create(path, SIZE, &out), 0);
	diskout_free(out);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(diskout_open_device(b->path, SIZE, &out), -ENOTBLK);
}

/* Aligned as O_DIRECT wants it, and then not. */
static void assert_holds(const struct bench *b, struct diskout *out,
			 uint64_t off, size_t len)
{
	unsigned char *got = disk_buffer_new(2 * CHUNK);

	assert_non_null(got);
	assert_int_equal(diskout_read(out, off, got, len), 0);
	assert_memory_equal(got, b->data + off, len);
	assert_int_equal(diskout_read(out, off, got + 1, len), 0);
	assert_memory_equal(got + 1, b->data + off, len);
	disk_buffer_free(got);
}

/* By what is written far behind its end, with zeroes on both sides. */
static void grown(const struct bench *b)
{
	const uint64_t at = SIZE + CHUNK / 2;
	static const char zeroes[CHUNK];
	struct diskout *out;
	unsigned char *got = disk_buffer_new(CHUNK);

	assert_non_null(got);
	assert_int_equal(diskout_open_file(b->path, SIZE + CHUNK, &out), 0);
	assert_int_equal(diskout_zero(out, SIZE, CHUNK / 2), 0);
	assert_int_equal(diskout_write(out, at, b->data, CHUNK / 4), 0);
	assert_int_equal(diskout_zero(out, at + CHUNK / 4, CHUNK / 4), 0);
	assert_holds(b, out, SIZE - TAIL, TAIL);
	assert_int_equal(diskout_finish(out), 0);
	assert_int_equal(diskout_read(out, SIZE, got, CHUNK), 0);
	assert_memory_equal(got, zeroes, CHUNK / 2);
	assert_memory_equal(got + CHUNK / 2, b->data, CHUNK / 4);
	assert_memory_equal(got + CHUNK / 4 * 3, zeroes, CHUNK / 4);
	diskout_free(out);
	disk_buffer_free(got);
}

static void in_place(void **state)
{
	const struct bench *b = *state;
	struct diskout *out;
	struct stat st;
	char end[16];
	int fd;

	/* Who has it open may be using it. */
	fd = open(b->path, O_RDONLY);
	assert_int_equal(diskout_open_file(b->path, SIZE, &out), -EBUSY);
	close(fd);
	assert_int_equal(diskout_open_file(b->dir, SIZE, &out), -EISDIR);
	assert_int_equal(diskout_open_file("/nowhere/disk", SIZE, &out),
			 -ENOENT);
	/* Longer when all is well. */
	assert_int_equal(diskout_open_file(b->path, SIZE + CHUNK, &out), 0);
	assert_false(diskout_is_zero(out));
	assert_holds(b, out, CHUNK, CHUNK);
	assert_holds(b, out, SIZE - TAIL, TAIL);
	assert_int_equal(diskout_read(out, SIZE, end, sizeof(end)), 0);
	assert_int_equal(end[0] | end[sizeof(end) - 1], 0);
	assert_int_equal(diskout_read(out, SIZE + CHUNK, end, 1), -EINVAL);
	assert_int_equal(diskout_write(out, 0, b->data + CHUNK, CHUNK), 0);
	assert_int_equal(diskout_zero(out, SIZE, CHUNK), 0);
	diskout_free(out);
	assert_int_equal(stat(b->path, &st), 0);
	assert_int_equal(st.st_size, SIZE);
	grown(b);
	assert_int_equal(stat(b->path, &st), 0);
	assert_int_equal(st.st_size, SIZE + CHUNK);
	/* Shorter when all is well. */
	assert_int_equal(diskout_open_file(b->path, SIZE - TAIL, &out), 0);
	assert_int_equal(stat(b->path, &st), 0);
	assert_int_equal(st.st_size, SIZE + CHUNK);
	assert_int_equal(diskout_write(out, 0, b->data, CHUNK), 0);
	assert_int_equal(diskout_finish(out), 0);
	diskout_free(out);
	assert_int_equal(stat(b->path, &st), 0);
	assert_int_equal(st.st_size, SIZE - TAIL);
	/* Only looked at. */
	assert_int_equal(diskout_open_shared(b->path, SIZE - TAIL, true, &out),
			 0);
	assert_holds(b, out, 0, 2 * CHUNK - 1);
	assert_int_equal(diskout_write(out, 0, b->data, CHUNK), -EBADF);
	diskout_free(out);
	assert_int_equal(diskout_open_shared(b->path, SIZE, false, &out),
			 -ENOTBLK);
}

static void assert_not_own(const char *path, uint64_t size)
{
	struct diskout *out = NULL;
	struct stat st;

	assert_int_equal(diskout_open_own(path, 2 * SIZE, &out), -EMLINK);
	assert_null(out);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, size);
}

static void own(void **state)
{
	const struct bench *b = *state;
	char path[100];
	struct diskout *out;

	snprintf(path, sizeof(path), "%s.own", b->path);
	assert_int_equal(symlink(b->path, path), 0);
	assert_not_own(path, SIZE);
	unlink(path);
	assert_int_equal(link(b->path, path), 0);
	assert_not_own(path, SIZE);
	assert_not_own(b->path, SIZE);
	unlink(path);
	if (!geteuid()) {
		assert_int_equal(chown(b->path, 65534, (gid_t)-1), 0);
		assert_not_own(b->path, SIZE);
		assert_int_equal(chown(b->path, 0, (gid_t)-1), 0);
	}
	assert_int_equal(diskout_open_own(b->path, SIZE, &out), 0);
	diskout_free(out);
	/* Or made. */
	assert_int_equal(diskout_open_own(path, SIZE, &out), 0);
	diskout_free(out);
	unlink(path);
}

#define IN_BOTH(test)							\
	cmocka_unit_test_setup_teardown(test, set_up, tear_down),	\
	cmocka_unit_test_setup_teardown(test, set_up_shm, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_BOTH(one),
		IN_BOTH(all),
		IN_BOTH(all_registered),
		IN_BOTH(given_up),
		IN_BOTH(shrunk),
		IN_BOTH(no_disk),
		IN_BOTH(restored),
		IN_BOTH(in_place),
		IN_BOTH(own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
