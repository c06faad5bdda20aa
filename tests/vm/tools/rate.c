// SPDX-License-Identifier: MIT
/*
 * rate - how many requests a device takes in a second
 *
 *   rate uring|aio read|write BYTES STRIDE DEPTH COUNT random|ordered DEVICE
 *	[PLACES [FIRST]]
 *
 * Sends exactly COUNT requests of BYTES, each at another multiple of STRIDE for
 * as long as there are any left, DEPTH of them in flight, each with a call of
 * its own, as fio does. PLACES limits it to the device's first so many; FIRST is
 * where in the sequence to begin, to go on where an earlier run has ended. The clock is read around them and printed to the last
 * digit, which fio's milliseconds do not have: "COUNT NANOSECONDS RATE".
 */
#include "lib/io.h"

#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <linux/aio_abi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct plan {
	bool write, random;
	size_t bytes;
	uint64_t stride, first, count, places;
	unsigned int depth;
	int fd;
	char *buf;		/* @depth times @bytes */
};

static void die(const char *what, int err)
{
	fprintf(stderr, "rate: cannot %s: %s\n", what, strerror(err));
	exit(1);
}

/* The @i-th offset. Scattered: one to one, over a power of two of places. */
static uint64_t offset(const struct plan *p, uint64_t i)
{
	uint64_t mask = p->places - 1, x = i & mask;
	unsigned int half = __builtin_popcountll(mask) / 2 + 1, round;

	for (round = 0; p->random && round < 3; round++) {
		x = (x * 0x9e3779b97f4a7c15) & mask;
		x ^= x >> half;
	}
	return x * p->stride;
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static void check(const struct plan *p, long long res)
{
	if (res != (long long)p->bytes)
		die("transfer", res < 0 ? -res : EIO);
}

/* Both engines: @slot's buffer is free, and is used for the @i-th request. */
struct engine {
	void (*init)(const struct plan *p);
	void (*send)(const struct plan *p, unsigned int slot, uint64_t i);
	/* Waits for one at least; the slots that are free again. */
	unsigned int (*reap)(const struct plan *p, unsigned int *ret_slots);
};

static struct io_uring ring;

static void uring_init(const struct plan *p)
{
	int r = io_uring_queue_init(p->depth, &ring, 0);

	if (r)
		die("make a ring", -r);
}

static void uring_send(const struct plan *p, unsigned int slot, uint64_t i)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);
	char *buf = p->buf + slot * p->bytes;
	int r;

	if (p->write)
		io_uring_prep_write(sqe, p->fd, buf, p->bytes, offset(p, i));
	else
		io_uring_prep_read(sqe, p->fd, buf, p->bytes, offset(p, i));
	io_uring_sqe_set_data(sqe, (void *)(uintptr_t)slot);
	r = io_uring_submit(&ring);
	if (r != 1)
		die("submit", r < 0 ? -r : EIO);
}

static unsigned int uring_reap(const struct plan *p, unsigned int *ret_slots)
{
	struct io_uring_cqe *cqe;
	unsigned int n = 0;
	int r = io_uring_wait_cqe(&ring, &cqe);

	if (r)
		die("wait", -r);
	while (!io_uring_peek_cqe(&ring, &cqe)) {
		check(p, cqe->res);
		ret_slots[n++] = (uintptr_t)io_uring_cqe_get_data(cqe);
		io_uring_cqe_seen(&ring, cqe);
	}
	return n;
}

static aio_context_t aio;
static struct iocb *iocbs;
static struct io_event *events;

static void aio_init(const struct plan *p)
{
	if (syscall(SYS_io_setup, p->depth, &aio))
		die("set libaio up", errno);
	iocbs = calloc(p->depth, sizeof(*iocbs));
	events = calloc(p->depth, sizeof(*events));
	if (!iocbs || !events)
		die("allocate", ENOMEM);
}

static void aio_send(const struct plan *p, unsigned int slot, uint64_t i)
{
	struct iocb *cb = &iocbs[slot];

	*cb = (struct iocb){
		.aio_data = slot,
		.aio_lio_opcode = p->write ? IOCB_CMD_PWRITE : IOCB_CMD_PREAD,
		.aio_fildes = p->fd,
		.aio_buf = (uintptr_t)(p->buf + slot * p->bytes),
		.aio_nbytes = p->bytes,
		.aio_offset = offset(p, i),
	};
	if (syscall(SYS_io_submit, aio, 1, &cb) != 1)
		die("submit", errno);
}

static unsigned int aio_reap(const struct plan *p, unsigned int *ret_slots)
{
	long i, n = syscall(SYS_io_getevents, aio, 1, p->depth, events, NULL);

	if (n < 1)
		die("wait", errno);
	for (i = 0; i < n; i++) {
		check(p, events[i].res);
		ret_slots[i] = events[i].data;
	}
	return n;
}

static const struct engine engines[] = {
	{ uring_init, uring_send, uring_reap },
	{ aio_init, aio_send, aio_reap },
};

static uint64_t run(const struct plan *p, const struct engine *engine)
{
	unsigned int *slot = calloc(p->depth, sizeof(*slot));
	unsigned int nr = p->depth, i;
	uint64_t sent = 0, done = 0, start, end;

	if (!slot)
		die("allocate", ENOMEM);

	for (i = 0; i < nr; i++)
		slot[i] = i;
	engine->init(p);
	start = now();
	while (done < p->count) {
		for (i = 0; i < nr && sent < p->count; i++)
			engine->send(p, slot[i], p->first + sent++);
		nr = engine->reap(p, slot);
		done += nr;
	}
	end = now();
	return end - start;
}

static uint64_t number(const char *text)
{
	char *end;
	uint64_t n = strtoull(text, &end, 10);

	if (*end || !n)
		die(text, EINVAL);
	return n;
}

int main(int argc, char **argv)
{
	struct plan p = {};
	uint64_t ns, places;

	if (argc < 9 || argc > 11)
		die("run without its arguments", EINVAL);
	p.write = !strcmp(argv[2], "write");
	p.bytes = number(argv[3]);
	p.stride = number(argv[4]);
	p.depth = number(argv[5]);
	p.count = number(argv[6]);
	p.first = argc > 10 ? number(argv[10]) : 0;
	p.random = !strcmp(argv[7], "random");
	p.fd = io_open(argv[8], p.write ? O_RDWR : O_RDONLY);
	places = io_size(p.fd) / p.stride;
	p.places = argc > 9 ? number(argv[9]) : places;
	if (!p.places || p.places > places || p.places & (p.places - 1))
		die("scatter over what is not a power of two", EINVAL);
	p.buf = io_buffer(p.depth * p.bytes);
	io_pattern(p.buf, p.depth * p.bytes, 1);

	ns = run(&p, &engines[!strcmp(argv[1], "aio")]);
	printf("%llu %llu %.3f\n", (unsigned long long)p.count,
	       (unsigned long long)ns, p.count * 1e9 / ns);
	return 0;
}
