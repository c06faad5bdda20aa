// SPDX-License-Identifier: MIT
#include "fire.h"

#include "clock.h"
#include "io.h"
#include "stamp.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LARGEST = 1 << 20 };

#define GET(x)	  __atomic_load_n(&(x), __ATOMIC_SEQ_CST)
#define PUT(x, v) __atomic_store_n(&(x), v, __ATOMIC_SEQ_CST)
#define ADD(x, v) __atomic_fetch_add(&(x), v, __ATOMIC_SEQ_CST)

/* A write in flight. */
struct shot {
	void *buf;
	uint64_t at, begun_ns;
	uint32_t len;
	bool busy;
};

static void failed(struct fire *f, int r)
{
	int none = 0;

	__atomic_compare_exchange_n(&f->error, &none, r, false,
				    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static unsigned int below(struct fire_writer *w, uint64_t n)
{
	return rand_r(&w->seed) % n;
}

static uint32_t some_length(struct fire_writer *w, enum fire_kind kind)
{
	uint32_t most;

	switch (kind) {
	case FIRE_SMALL:
		most = 8192;
		break;
	case FIRE_LARGE:
		most = 65536 << below(w, 5);
		break;
	default:
		most = below(w, 8) ? 16384 : LARGEST;
	}
	if (most < w->fire->block)
		most = w->fire->block;
	return (1 + below(w, most / w->fire->block)) * w->fire->block;
}

/* Where the next write goes: within the aim, but for its end. */
static void take_aim(struct fire_writer *w, uint64_t *ret_at, uint32_t *ret_len)
{
	struct fire *f = w->fire;
	uint32_t len = some_length(w, GET(f->kind));
	uint64_t aim = GET(f->aim), at;
	uint32_t first = aim >> 32, end = aim;

	/* Often the last block, which need not be whole. */
	at = below(w, 64) ? first + below(w, end - first) : end - 1;
	at *= f->block;
	if (len > f->size - at)
		len = f->size - at;
	*ret_at = at;
	*ret_len = len;
}

static void count_time(struct fire *f, uint64_t ns)
{
	uint64_t slowest = GET(f->slowest_ns);

	while (ns > slowest &&
	       !__atomic_compare_exchange_n(&f->slowest_ns, &slowest, ns, false,
					    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
}

static void prepare(struct fire_writer *w, struct shot *s)
{
	struct stamp stamp = { .writer = w->number };

	take_aim(w, &s->at, &s->len);
	s->begun_ns = clock_ns();
	stamp.sequence = ADD(w->fire->sequence, 1);
	stamp.time_ns = s->begun_ns;
	stamp.start = s->at / STAMP_SECTOR;
	stamp_fill(s->buf, s->len, &stamp);
	s->busy = true;
}

/* Not through the ring: kernels of today can, older ones cannot. */
static void forget_some(struct fire_writer *w)
{
	struct fire *f = w->fire;
	bool discard = below(w, 2);
	uint64_t at, begun = clock_ns();
	uint32_t len;
	int r;

	take_aim(w, &at, &len);
	r = discard ? io_discard(w->fd, at, len) : io_zero(w->fd, at, len);
	if (r && r != -EOPNOTSUPP)
		failed(f, r);
	count_time(f, clock_ns() - begun);
	if (discard)
		ADD(f->discards, 1);
	else
		ADD(f->zeroes, 1);
}

static void completed(struct fire *f, struct io_uring_cqe *cqe)
{
	struct shot *s = io_uring_cqe_get_data(cqe);

	if (cqe->res != (int)s->len)
		failed(f, cqe->res < 0 ? cqe->res : -EIO);
	count_time(f, clock_ns() - s->begun_ns);
	s->busy = false;
	ADD(f->writes, 1);
	ADD(f->bytes, s->len);
}

static void submit_all(struct fire_writer *w, struct io_uring *ring,
		       struct shot *shots)
{
	struct io_uring_sqe *sqe;
	unsigned int i;
	int r;

	for (i = 0; i < FIRE_DEPTH; i++) {
		struct shot *s = &shots[i];

		if (s->busy)
			continue;
		prepare(w, s);
		sqe = io_uring_get_sqe(ring);
		io_uring_prep_write(sqe, w->fd, s->buf, s->len, s->at);
		io_uring_sqe_set_data(sqe, s);
	}
	do
		r = io_uring_submit(ring);
	while (r == -EAGAIN || r == -EINTR);
	if (r < 0)
		tap_bail("cannot submit writes: %s", strerror(-r));
}

static bool collect(struct fire *f, struct io_uring *ring)
{
	struct io_uring_cqe *cqe;
	int r = io_uring_wait_cqe(ring, &cqe);

	if (r && r != -EINTR)
		tap_bail("cannot wait for a write: %s", strerror(-r));
	if (r)
		return false;
	do {
		completed(f, cqe);
		io_uring_cqe_seen(ring, cqe);
	} while (!io_uring_peek_cqe(ring, &cqe));
	return true;
}

static bool any_busy(const struct shot *shots)
{
	unsigned int i;

	for (i = 0; i < FIRE_DEPTH; i++)
		if (shots[i].busy)
			return true;
	return false;
}

static void *writer_main(void *arg)
{
	struct fire_writer *w = arg;
	struct shot shots[FIRE_DEPTH];
	struct io_uring ring;
	unsigned int i;
	int r;

	r = io_uring_queue_init(FIRE_DEPTH, &ring, 0);
	if (r)
		tap_bail("cannot make a ring: %s", strerror(-r));
	for (i = 0; i < FIRE_DEPTH; i++)
		shots[i] = (struct shot){ .buf = io_buffer(LARGEST) };
	while (!GET(w->fire->end)) {
		submit_all(w, &ring, shots);
		if (!below(w, 16))
			forget_some(w);
		collect(w->fire, &ring);
	}
	while (any_busy(shots))
		collect(w->fire, &ring);
	for (i = 0; i < FIRE_DEPTH; i++)
		free(shots[i].buf);
	io_uring_queue_exit(&ring);
	close(w->fd);
	return NULL;
}

void fire_start(struct fire *f, const char *path, unsigned int seed)
{
	unsigned int i;

	memset(f, 0, sizeof(*f));
	for (i = 0; i < FIRE_WRITERS; i++)
		f->writer[i] = (struct fire_writer){
			.fire = f,
			.seed = seed + i,
			.number = i,
			.fd = io_open(path, O_RDWR),
		};
	f->size = io_size(f->writer[0].fd);
	f->block = io_block_size(f->writer[0].fd);
	fire_aim(f, 0, f->size, FIRE_MIXED);
	for (i = 0; i < FIRE_WRITERS; i++)
		if (pthread_create(&f->writer[i].thread, NULL, writer_main,
				   &f->writer[i]))
			tap_bail("cannot start a thread");
}

void fire_stop(struct fire *f)
{
	unsigned int i;

	PUT(f->end, true);
	for (i = 0; i < FIRE_WRITERS; i++)
		pthread_join(f->writer[i].thread, NULL);
}

void fire_aim(struct fire *f, uint64_t from, uint64_t to, enum fire_kind kind)
{
	PUT(f->aim, from / f->block << 32 | to / f->block);
	PUT(f->kind, kind);
}

void fire_wait(struct fire *f, uint64_t bytes, uint64_t writes)
{
	uint64_t had_bytes = GET(f->bytes), had_writes = GET(f->writes);

	while (GET(f->bytes) - had_bytes < bytes &&
	       GET(f->writes) - had_writes < writes)
		clock_pause_ms(2);
}
