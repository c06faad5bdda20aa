// SPDX-License-Identifier: MIT
/*
 * churn - changes a disk at random, the same way for the same seed
 *
 *	churn files SEED DIR COUNT	file operations in DIR
 *	churn raw SEED DEVICE COUNT	writes, zeroes and discards on DEVICE
 *
 * COUNT operations; 0: until SIGTERM, which ends it well, and no more than 50
 * in a second, to leave an emulated machine some time for what is tested. Files
 * hold at most about 160 MiB together. A full filesystem is no failure, an I/O error is.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <linux/falloc.h>
#include <linux/fs.h>

#define FILES		160
#define FILE_MAX	(1u << 20)

static uint64_t seed;
static volatile sig_atomic_t stop;
static const struct timespec pace = { .tv_nsec = 20000000 };

static void on_term(int sig)
{
	(void)sig;
	stop = 1;
}

/* xorshift64*: Vigna, "An experimental exploration of Marsaglia's xorshift" */
static uint64_t any(void)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return seed * UINT64_C(2685821657736338717);
}

static uint64_t below(uint64_t limit)
{
	return (any() >> 11) % limit;
}

static void die(const char *what)
{
	fprintf(stderr, "churn: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* What a full disk or a file that is not there answers is fine. */
static void check(int r, const char *what)
{
	if (r < 0 && errno != ENOSPC && errno != ENOENT && errno != EOPNOTSUPP)
		die(what);
}

static void fill(unsigned char *buf, size_t len)
{
	uint64_t v;

	for (size_t i = 0; i + 8 <= len; i += 8) {
		v = any();
		memcpy(buf + i, &v, 8);
	}
}

static void name(char *s, size_t size)
{
	snprintf(s, size, "f%u", (unsigned int)below(FILES));
}

static void write_some(const char *path, unsigned char *buf, int flags)
{
	size_t len = 1 + below(1u << (4 + below(15)));
	int fd = open(path, O_WRONLY | O_CREAT | flags, 0644);

	if (fd < 0) {
		check(-1, "open");
		return;
	}
	fill(buf, len & ~7u);
	check(pwrite(fd, buf, len, below(FILE_MAX - len)) < 0 ? -1 : 0,
	      "pwrite");
	if (!below(8))
		check(fsync(fd), "fsync");
	close(fd);
}

static void punch(const char *path)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0)
		return;
	check(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			below(FILE_MAX), 1 + below(FILE_MAX / 4)), "fallocate");
	close(fd);
}

static void file_operation(unsigned char *buf)
{
	char one[16], two[16];

	name(one, sizeof(one));
	name(two, sizeof(two));
	switch (below(12)) {
	case 0:
		check(unlink(one), "unlink");
		break;
	case 1:
		check(rename(one, two), "rename");
		break;
	case 2:
		check(truncate(one, below(FILE_MAX)), "truncate");
		break;
	case 3:
		punch(one);
		break;
	case 4:
		write_some(one, buf, O_TRUNC);
		break;
	case 5:
		if (!below(8))
			sync();
		break;
	default:
		write_some(one, buf, 0);
	}
}

static void raw_operation(int fd, uint64_t size, unsigned char *buf)
{
	uint64_t block = 4096, blocks = size / block;
	uint64_t len = 1 + below(1u << below(8)), off;
	uint64_t range[2];

	if (len > blocks)
		len = blocks;
	off = below(blocks - len + 1);
	range[0] = off * block;
	range[1] = len * block;
	switch (below(8)) {
	case 0:
		check(ioctl(fd, BLKDISCARD, range), "BLKDISCARD");
		break;
	case 1:
		check(ioctl(fd, BLKZEROOUT, range), "BLKZEROOUT");
		break;
	default:
		fill(buf, range[1]);
		if (pwrite(fd, buf, range[1], range[0]) != (ssize_t)range[1])
			die("pwrite");
	}
}

int main(int argc, char **argv)
{
	struct sigaction act = { .sa_handler = on_term };
	unsigned long count;
	unsigned char *buf;
	uint64_t size = 0;
	int raw, fd = -1;

	if (argc != 5) {
		fprintf(stderr, "usage: churn files|raw SEED PATH COUNT\n");
		return 2;
	}
	raw = !strcmp(argv[1], "raw");
	seed = strtoull(argv[2], NULL, 0) * 2 + 1;
	count = strtoul(argv[4], NULL, 0);
	if (posix_memalign((void **)&buf, 4096, FILE_MAX))
		die("memory");
	sigaction(SIGTERM, &act, NULL);
	if (raw) {
		fd = open(argv[3], O_RDWR | O_DIRECT);
		if (fd < 0 || ioctl(fd, BLKGETSIZE64, &size) < 0)
			die(argv[3]);
	} else if (chdir(argv[3]) < 0) {
		die(argv[3]);
	}
	for (unsigned long i = 0; !stop && (!count || i < count); i++) {
		if (raw)
			raw_operation(fd, size, buf);
		else
			file_operation(buf);
		if (!count)
			nanosleep(&pace, NULL);
	}
	if (raw && fsync(fd) < 0)
		die("fsync");
	return 0;
}
