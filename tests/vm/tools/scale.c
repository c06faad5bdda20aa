// SPDX-License-Identifier: MIT
/*
 * scale - do two writers on one device gain what they do on another?
 *
 *   scale ROUNDS WRITES BASE DEVICE
 *
 * In every round one writer, then two on halves of their own and processors of
 * their own, send WRITES writes of 4 KiB each, to BASE and to DEVICE. A round
 * takes some milliseconds, so that what disturbs the machine disturbs both, and
 * the order changes from round to round. Prints the medians over all rounds:
 *
 *	BASE1 BASE2 DEVICE1 DEVICE2	writes a second, of one and of two
 *	RATIO		(DEVICE2 / DEVICE1) / (BASE2 / BASE1) of each round
 */
#include "lib/io.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BYTES	4096
#define CASES	4		/* BASE1 BASE2 DEVICE1 DEVICE2 */

struct writer {
	pthread_t thread;
	unsigned int number;
	uint64_t at;
	double rate;		/* of its last turn */
};

static struct writer writers[2];
static pthread_barrier_t begin, end;
static uint64_t half, writes;
static unsigned int turn_writers;	/* 0: it is over */
static int turn_fd;

static void die(const char *what, int err)
{
	fprintf(stderr, "scale: cannot %s: %s\n", what, strerror(err));
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void write_turn(struct writer *w, const void *buf)
{
	double start = now();
	uint64_t i;

	for (i = 0; i < writes; i++) {
		int r = io_put(turn_fd, buf, BYTES, w->number * half + w->at);

		if (r)
			die("write", -r);
		w->at = (w->at + BYTES) % half;
	}
	w->rate = writes / (now() - start);
}

static void *writer_main(void *arg)
{
	struct writer *w = arg;
	void *buf = io_buffer(BYTES);
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(w->number, &cpus);
	if (pthread_setaffinity_np(pthread_self(), sizeof(cpus), &cpus))
		die("have a processor of its own", EINVAL);
	io_pattern(buf, BYTES, w->number);
	for (;;) {
		pthread_barrier_wait(&begin);
		if (!turn_writers)
			break;
		if (w->number < turn_writers)
			write_turn(w, buf);
		pthread_barrier_wait(&end);
	}
	free(buf);
	return NULL;
}

static double turn(int fd, unsigned int nr)
{
	turn_fd = fd;
	turn_writers = nr;
	pthread_barrier_wait(&begin);
	pthread_barrier_wait(&end);
	return nr == 1 ? writers[0].rate : writers[0].rate + writers[1].rate;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(double *v, unsigned int n)
{
	qsort(v, n, sizeof(*v), compare);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

int main(int argc, char **argv)
{
	unsigned int rounds, i, j;
	double *rate[CASES], *ratio;
	int fd[2];

	if (argc != 5)
		die("run without its four arguments", EINVAL);
	rounds = strtoul(argv[1], NULL, 10);
	writes = strtoul(argv[2], NULL, 10);
	if (!rounds || !writes)
		die("measure nothing", EINVAL);
	for (i = 0; i < 2; i++)
		fd[i] = io_open(argv[3 + i], O_RDWR);
	half = io_size(fd[0]) / 2;
	ratio = calloc(rounds, sizeof(*ratio));
	for (i = 0; i < CASES; i++)
		rate[i] = calloc(rounds, sizeof(*ratio));
	pthread_barrier_init(&begin, NULL, 3);
	pthread_barrier_init(&end, NULL, 3);
	for (i = 0; i < 2; i++) {
		writers[i].number = i;
		if (pthread_create(&writers[i].thread, NULL, writer_main,
				   &writers[i]))
			die("make a thread", EAGAIN);
	}

	for (i = 0; i < rounds; i++) {
		for (j = 0; j < CASES; j++) {
			/* forth and back, beginning with each in turn */
			unsigned int k = (i % 2 ? CASES - 1 - j : j) + i / 2;

			k %= CASES;
			rate[k][i] = turn(fd[k / 2], k % 2 + 1);
		}
		ratio[i] = rate[3][i] / rate[2][i] /
			   (rate[1][i] / rate[0][i]);
	}
	turn_writers = 0;
	pthread_barrier_wait(&begin);
	for (i = 0; i < 2; i++)
		pthread_join(writers[i].thread, NULL);

	for (i = 0; i < CASES; i++)
		printf("%.0f%c", median(rate[i], rounds),
		       i < CASES - 1 ? ' ' : '\n');
	printf("%.4f\n", median(ratio, rounds));
	return 0;
}
