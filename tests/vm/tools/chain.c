// SPDX-License-Identifier: MIT
/*
 * chain - writes that depend on each other, across several targets
 *
 *	chain write PROGRESS TARGET...	until SIGTERM
 *	chain wait PROGRESS N		until N more writes have been done
 *	chain check TARGET...		prints the last write
 *
 * Write n is complete, down to the disk, before n + 1 starts; they go round the
 * targets. So at any instant there are the first so many writes, and never n + 1
 * without n. `check` says so with its status: 0, or 3 when one is missing below
 * the last, the first of which it names.
 *
 * A target is a block device: each number stands in a block of its own, in turn
 * over the first SLOTS of them. Or it is a directory: each number is a file of its
 * own, written under another name, synced and renamed. So the last writes can all
 * be seen, not only the very last.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BLOCK		4096
#define MAGIC		UINT64_C(0x7470616972732121)
#define SLOTS		64
#define TARGETS_MAX	64

struct stamp {
	uint64_t magic;
	uint64_t number;
};

struct target {
	const char *path;
	bool directory;
	int fd;
};

static volatile sig_atomic_t stop;

static void on_term(int sig)
{
	(void)sig;
	stop = 1;
}

static void die(const char *what)
{
	fprintf(stderr, "chain: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void open_target(struct target *t, const char *path, int flags)
{
	struct stat st;

	t->path = path;
	if (stat(path, &st) < 0)
		die(path);
	t->directory = S_ISDIR(st.st_mode);
	t->fd = open(path, t->directory ? O_RDONLY | O_DIRECTORY : flags);
	if (t->fd < 0)
		die(path);
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

static void put_file(const struct target *t, unsigned int slot, const void *buf)
{
	char name[16];
	int fd = openat(t->fd, "new", O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, buf, BLOCK) != BLOCK || fsync(fd) < 0)
		die(t->path);
	close(fd);
	snprintf(name, sizeof(name), "%u", slot);
	if (renameat(t->fd, "new", t->fd, name) < 0 || fsync(t->fd) < 0)
		die(t->path);
}

static void put(const struct target *t, unsigned int slot, const void *buf)
{
	if (t->directory)
		put_file(t, slot, buf);
	else if (pwrite(t->fd, buf, BLOCK, slot * BLOCK) != BLOCK)
		die(t->path);
}

/* 0 when there is none. */
static uint64_t get(const struct target *t, unsigned int slot)
{
	struct stamp stamp = { 0 };
	char name[16];
	int fd = t->fd;

	if (t->directory) {
		snprintf(name, sizeof(name), "%u", slot);
		fd = openat(t->fd, name, O_RDONLY);
		if (fd < 0 && errno == ENOENT)
			return 0;
		if (fd < 0)
			die(t->path);
	}
	if (pread(fd, &stamp, sizeof(stamp), t->directory ? 0 : slot * BLOCK) <
	    0)
		die(t->path);
	if (t->directory)
		close(fd);
	return stamp.magic == MAGIC ? stamp.number : 0;
}

/* Where write @number goes, of @n targets. */
static unsigned int target_of(uint64_t number, unsigned int n)
{
	return (number - 1) % n;
}

static unsigned int slot_of(uint64_t number, unsigned int n)
{
	return (number - 1) / n % SLOTS;
}

/* Some time for what is tested, in an emulated machine. */
static const struct timespec pace = { .tv_nsec = 1000000 };

static int do_write(const char *progress, char **paths, unsigned int n)
{
	struct sigaction act = { .sa_handler = on_term };
	_Atomic uint64_t *done = map_progress(progress);
	struct target targets[TARGETS_MAX];
	struct stamp *stamp;
	void *buf;

	for (unsigned int i = 0; i < n; i++)
		open_target(&targets[i], paths[i],
			    O_WRONLY | O_DIRECT | O_DSYNC);
	if (posix_memalign(&buf, BLOCK, BLOCK))
		die("memory");
	memset(buf, 0, BLOCK);
	stamp = buf;
	stamp->magic = MAGIC;
	sigaction(SIGTERM, &act, NULL);
	for (uint64_t number = 1; !stop; number++) {
		unsigned int i = target_of(number, n);

		stamp->number = number;
		put(&targets[i], slot_of(number, n), buf);
		atomic_store(done, number);
		if (i == n - 1)
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

static int do_check(char **paths, unsigned int n)
{
	static uint64_t number[TARGETS_MAX][SLOTS];
	struct target targets[TARGETS_MAX];
	uint64_t last = 0, first, missing = 0;

	for (unsigned int i = 0; i < n; i++) {
		open_target(&targets[i], paths[i], O_RDONLY);
		for (unsigned int slot = 0; slot < SLOTS; slot++) {
			number[i][slot] = get(&targets[i], slot);
			if (number[i][slot] > last)
				last = number[i][slot];
		}
	}
	printf("%llu", (unsigned long long)last);
	/* One more than fits would be where the next one is being written. */
	first = last > (uint64_t)n * (SLOTS - 1) ? last - n * (SLOTS - 1) : 1;
	for (uint64_t i = first; i <= last; i++) {
		if (number[target_of(i, n)][slot_of(i, n)] == i)
			continue;
		if (!missing++)
			printf(" without %llu", (unsigned long long)i);
	}
	if (missing > 1)
		printf(" and %llu more", (unsigned long long)missing - 1);
	printf("\n");
	return missing ? 3 : 0;
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";
	int n = argc - (strcmp(verb, "check") ? 3 : 2);

	if (n > 0 && n <= TARGETS_MAX && !strcmp(verb, "write"))
		return do_write(argv[2], argv + 3, n);
	if (argc == 4 && !strcmp(verb, "wait"))
		return do_wait(argv[2], strtoull(argv[3], NULL, 10));
	if (n > 0 && n <= TARGETS_MAX && !strcmp(verb, "check"))
		return do_check(argv + 2, n);
	fprintf(stderr, "usage: chain write PROGRESS TARGET...\n"
			"       chain wait PROGRESS N\n"
			"       chain check TARGET...\n");
	return 2;
}
