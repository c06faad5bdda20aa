// SPDX-License-Identifier: MIT
/*
 * pairs - writes that depend on each other, across two disks
 *
 *	pairs write A B PROGRESS	until SIGTERM
 *	pairs wait PROGRESS N		until N more writes have been done
 *	pairs check A B			prints the last write on each
 *
 * Write n is complete, down to the disk, before n + 1 starts; odd ones go to A,
 * even ones to B. So at any instant at most one write exists without the one
 * before it, and never n + 1 without n: the last numbers on A and B differ by
 * one. `check` says so with its status: 0, or 3 when they do not.
 *
 * Each number stands in a block of its own, in turn over the disk, so that a
 * disk shows its history too: among the last blocks none may be missing.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define BLOCK	4096
#define MAGIC	UINT64_C(0x7470616972732121)

struct stamp {
	uint64_t magic;
	uint64_t number;
};

static volatile sig_atomic_t stop;

static void on_term(int sig)
{
	(void)sig;
	stop = 1;
}

static void die(const char *what)
{
	fprintf(stderr, "pairs: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int open_disk(const char *path, int flags, uint64_t *ret_blocks)
{
	int fd = open(path, flags);
	off_t size;

	if (fd < 0)
		die(path);
	size = lseek(fd, 0, SEEK_END);
	if (size < BLOCK)
		die(path);
	*ret_blocks = size / BLOCK;
	return fd;
}

static _Atomic uint64_t *map_progress(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT, 0600);
	void *p;

	if (fd < 0 || ftruncate(fd, BLOCK) < 0)
		die(path);
	p = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		die(path);
	close(fd);
	return p;
}

/* Some time for what is tested, in an emulated machine. */
static const struct timespec pace = { .tv_nsec = 1000000 };

static int do_write(const char *a, const char *b, const char *progress)
{
	struct sigaction act = { .sa_handler = on_term };
	_Atomic uint64_t *done = map_progress(progress);
	uint64_t blocks[2], n;
	struct stamp *stamp;
	void *buf;
	int fd[2];

	fd[0] = open_disk(a, O_WRONLY | O_DIRECT | O_DSYNC, &blocks[0]);
	fd[1] = open_disk(b, O_WRONLY | O_DIRECT | O_DSYNC, &blocks[1]);
	if (posix_memalign(&buf, BLOCK, BLOCK))
		die("memory");
	memset(buf, 0, BLOCK);
	stamp = buf;
	stamp->magic = MAGIC;
	sigaction(SIGTERM, &act, NULL);
	for (n = 1; !stop; n++) {
		unsigned int i = n % 2 ? 0 : 1;

		stamp->number = n;
		if (pwrite(fd[i], buf, BLOCK, n / 2 % blocks[i] * BLOCK) !=
		    BLOCK)
			die(i ? b : a);
		atomic_store(done, n);
		if (i)
			nanosleep(&pace, NULL);
	}
	return 0;
}

static int do_wait(const char *progress, uint64_t n)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	_Atomic uint64_t *done = map_progress(progress);
	uint64_t until = atomic_load(done) + n;

	while (atomic_load(done) < until)
		nanosleep(&pause, NULL);
	return 0;
}

/* The highest number on the disk; complains when one below it is missing. */
static uint64_t last_on(const char *path, uint64_t first, int *ret_gap)
{
	uint64_t blocks, *number, last = 0, n;
	int fd = open_disk(path, O_RDONLY, &blocks);
	struct stamp stamp;

	number = calloc(blocks, sizeof(*number));
	if (!number)
		die("memory");
	for (uint64_t i = 0; i < blocks; i++) {
		if (pread(fd, &stamp, sizeof(stamp), i * BLOCK) !=
		    sizeof(stamp))
			die(path);
		number[i] = stamp.magic == MAGIC ? stamp.number : 0;
		if (number[i] > last)
			last = number[i];
	}
	for (n = last; n >= first && n + 2 * (blocks - 1) > last; n -= 2) {
		if (number[n / 2 % blocks] != n)
			*ret_gap = 1;
		if (n < 2)
			break;
	}
	free(number);
	close(fd);
	return last;
}

static int do_check(const char *a, const char *b)
{
	int gap = 0;
	uint64_t on_a = last_on(a, 1, &gap), on_b = last_on(b, 2, &gap);

	printf("%llu %llu%s\n", (unsigned long long)on_a,
	       (unsigned long long)on_b, gap ? " with gaps" : "");
	if (gap)
		return 3;
	return on_a == on_b + 1 || on_b == on_a + 1 || !(on_a + on_b) ? 0 : 3;
}

int main(int argc, char **argv)
{
	if (argc == 5 && !strcmp(argv[1], "write"))
		return do_write(argv[2], argv[3], argv[4]);
	if (argc == 4 && !strcmp(argv[1], "wait"))
		return do_wait(argv[2], strtoull(argv[3], NULL, 10));
	if (argc == 4 && !strcmp(argv[1], "check"))
		return do_check(argv[2], argv[3]);
	fprintf(stderr, "usage: pairs write A B PROGRESS\n"
			"       pairs wait PROGRESS N\n"
			"       pairs check A B\n");
	return 2;
}
