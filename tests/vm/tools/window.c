// SPDX-License-Identifier: MIT
/*
 * window - how long writers wait while something goes on
 *
 *	window SPAN MS DISK... -- COMMAND [ARG...]
 *
 * A writer for each disk writes blocks of 4 KiB, one after the other, O_DIRECT,
 * over the first SPAN bytes in turn; the clock is read around each. They run for
 * MS, then while COMMAND does, then for MS again. Prints, in
 * microseconds, the longest write of each phase, then the writes that were made
 * while COMMAND ran: "BEFORE DURING AFTER WRITES". A write that begins in one
 * phase and ends in another counts for COMMAND. Exits as COMMAND does, 1 when a
 * write fails.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BLOCK		4096
#define WRITERS_MAX	64

enum phase { BEFORE, DURING, AFTER, OVER };

struct writer {
	const char *path;
	uint64_t longest_ns[OVER];
	uint64_t writes;		/* while COMMAND ran */
	pthread_t thread;
};

static atomic_int phase;
static uint64_t span;

static void die(const char *what)
{
	fprintf(stderr, "window: %s: %s\n", what, strerror(errno));
	_exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static void *writer_run(void *arg)
{
	struct writer *w = arg;
	uint64_t at = 0, began, took;
	int fd = open(w->path, O_WRONLY | O_DIRECT), first, last;
	void *buf;

	if (fd < 0 || posix_memalign(&buf, BLOCK, BLOCK))
		die(w->path);
	memset(buf, 0x5a, BLOCK);
	while ((first = atomic_load(&phase)) != OVER) {
		began = now_ns();
		if (pwrite(fd, buf, BLOCK, at) != BLOCK)
			die(w->path);
		took = now_ns() - began;
		last = atomic_load(&phase);
		if (first != last)
			first = DURING;
		if (took > w->longest_ns[first])
			w->longest_ns[first] = took;
		w->writes += first == DURING;
		at = (at + BLOCK) % span;
	}
	return NULL;
}

static int run(char **command)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		dup2(STDERR_FILENO, STDOUT_FILENO);
		execvp(command[0], command);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		die(command[0]);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static uint64_t longest_us(const struct writer *w, int n, enum phase in)
{
	uint64_t longest = 0;

	for (int i = 0; i < n; i++)
		if (w[i].longest_ns[in] > longest)
			longest = w[i].longest_ns[in];
	return longest / 1000;
}

int main(int argc, char **argv)
{
	static struct writer writers[WRITERS_MAX];
	uint64_t writes = 0;
	useconds_t us;
	int n = 0, status;

	while (n < WRITERS_MAX && n + 3 < argc && strcmp(argv[n + 3], "--")) {
		writers[n].path = argv[n + 3];
		n++;
	}
	if (!n || n + 4 >= argc || strcmp(argv[n + 3], "--")) {
		fprintf(stderr, "usage: window SPAN MS DISK... -- COMMAND "
			"[ARG...]\n");
		return 2;
	}
	span = strtoull(argv[1], NULL, 10);
	us = strtoul(argv[2], NULL, 10) * 1000;
	for (int i = 0; i < n; i++)
		if (pthread_create(&writers[i].thread, NULL, writer_run,
				   &writers[i]))
			die("thread");
	usleep(us);
	atomic_store(&phase, DURING);
	status = run(argv + n + 4);
	atomic_store(&phase, AFTER);
	usleep(us);
	atomic_store(&phase, OVER);
	for (int i = 0; i < n; i++) {
		pthread_join(writers[i].thread, NULL);
		writes += writers[i].writes;
	}
	printf("%llu %llu %llu %llu\n",
	       (unsigned long long)longest_us(writers, n, BEFORE),
	       (unsigned long long)longest_us(writers, n, DURING),
	       (unsigned long long)longest_us(writers, n, AFTER),
	       (unsigned long long)writes);
	return status;
}
