// SPDX-License-Identifier: MIT
#include "port/readq.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <liburing.h>

struct fifo {
	struct readq_read *first, **end;
};

struct readq {
	struct io_uring ring;
	bool have_ring;
	int event_fd;
	unsigned int depth, in_flight, busy;
	struct fifo waiting;	/* for room in the ring */
	struct fifo ended;	/* without the ring: told at the next turn */
	char *const *buffers;	/* registered; owned */
	unsigned int n_buffers;
	size_t buffer_len;
};

static void fifo_init(struct fifo *f)
{
	f->first = NULL;
	f->end = &f->first;
}

static void put(struct fifo *f, struct readq_read *read)
{
	read->next = NULL;
	*f->end = read;
	f->end = &read->next;
}

static struct readq_read *take(struct fifo *f)
{
	struct readq_read *read = f->first;

	if (read) {
		f->first = read->next;
		if (!f->first)
			f->end = &f->first;
	}
	return read;
}

/* Failing means only that every read maps its memory anew. */
static void register_buffers(struct readq *q, void *const *buffers,
			     unsigned int n, size_t len)
{
	struct iovec *v = calloc(n, sizeof(*v));
	char **copy = calloc(n, sizeof(*copy));
	unsigned int i;

	for (i = 0; v && copy && i < n; i++) {
		v[i] = (struct iovec){ .iov_base = buffers[i], .iov_len = len };
		copy[i] = buffers[i];
	}
	if (!v || !copy || io_uring_register_buffers(&q->ring, v, n)) {
		free(copy);
	} else {
		q->buffers = copy;
		q->n_buffers = n;
		q->buffer_len = len;
	}
	free(v);
}

int readq_new(unsigned int depth, void *const *buffers, unsigned int n,
	      size_t len, struct readq **ret)
{
	struct readq *q = calloc(1, sizeof(*q));

	if (!q)
		return -ENOMEM;
	q->depth = depth;
	fifo_init(&q->waiting);
	fifo_init(&q->ended);
	q->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (q->event_fd < 0) {
		int r = -errno;

		free(q);
		return r;
	}
	q->have_ring = !io_uring_queue_init(depth, &q->ring, 0);
	if (q->have_ring && io_uring_register_eventfd(&q->ring, q->event_fd)) {
		io_uring_queue_exit(&q->ring);
		q->have_ring = false;
	}
	if (q->have_ring && n)
		register_buffers(q, buffers, n, len);
	*ret = q;
	return 0;
}

int readq_fd(const struct readq *q)
{
	return q->event_fd;
}

unsigned int readq_busy(const struct readq *q)
{
	return q->busy;
}

/* Index of the registered buffer that holds all of it; -1: none does. */
static int buffer_of(const struct readq *q, const struct readq_read *read)
{
	const char *data = read->data;
	unsigned int i;

	for (i = 0; i < q->n_buffers; i++)
		if (data >= q->buffers[i] &&
		    data + read->len <= q->buffers[i] + q->buffer_len)
			return (int)i;
	return -1;
}

static void prepare(struct readq *q, struct io_uring_sqe *sqe,
		    struct readq_read *read)
{
	int fd = disk_fd(read->disk), buffer = buffer_of(q, read);
	unsigned int len = (unsigned int)read->len;

	if (buffer < 0)
		io_uring_prep_read(sqe, fd, read->data, len, read->off);
	else
		io_uring_prep_read_fixed(sqe, fd, read->data, len, read->off,
					 buffer);
	io_uring_sqe_set_data(sqe, read);
}

/* To the kernel with what there is room for. */
static void submit(struct readq *q)
{
	unsigned int n = 0;

	while (q->waiting.first && q->in_flight < q->depth) {
		struct io_uring_sqe *sqe = io_uring_get_sqe(&q->ring);

		if (!sqe)
			break;
		prepare(q, sqe, take(&q->waiting));
		q->in_flight++;
		n++;
	}
	/* What is not taken now is taken with the next, or by a turn. */
	if (n)
		io_uring_submit(&q->ring);
}

static void read_now(struct readq *q, struct readq_read *read)
{
	read->result = disk_read_one(read->disk, read->off, read->data,
				     read->len);
	put(&q->ended, read);
	eventfd_write(q->event_fd, 1);
}

void readq_start(struct readq *q, struct readq_read *read)
{
	q->busy++;
	if (!q->have_ring ||
	    !disk_takes(read->disk, read->off, read->data, read->len)) {
		read_now(q, read);
		return;
	}
	put(&q->waiting, read);
	submit(q);
}

static void finish(struct readq_read *read, int result)
{
	size_t want = disk_holds(read->disk, read->off, read->len);

	if (result >= 0 && (size_t)result >= want) {
		memset((char *)read->data + want, 0, read->len - want);
		read->result = 0;
	} else if (result >= 0 || result == -EAGAIN || result == -EINTR) {
		/* Short: the slow way knows how to go on, or why not. */
		read->result = disk_read_one(read->disk, read->off, read->data,
					     read->len);
	} else {
		read->result = result;
	}
}

unsigned int readq_turn(struct readq *q)
{
	struct readq_read *read;
	struct io_uring_cqe *cqe;
	eventfd_t events;
	unsigned int n = 0;

	eventfd_read(q->event_fd, &events);
	if (q->have_ring && q->in_flight)
		io_uring_submit(&q->ring);
	while (q->have_ring && !io_uring_peek_cqe(&q->ring, &cqe)) {
		read = io_uring_cqe_get_data(cqe);
		finish(read, cqe->res);
		io_uring_cqe_seen(&q->ring, cqe);
		q->in_flight--;
		put(&q->ended, read);
	}
	if (q->have_ring)
		submit(q);
	while ((read = take(&q->ended))) {
		q->busy--;
		n++;
		read->done(read);
	}
	return n;
}

/* The buffers are the kernel's until it says otherwise. */
static void drain(struct readq *q)
{
	struct io_uring_cqe *cqe;

	while (q->in_flight) {
		int r = io_uring_submit_and_wait(&q->ring, 1);

		if (r < 0 && r != -EINTR && r != -EAGAIN && r != -EBUSY)
			abort();
		while (!io_uring_peek_cqe(&q->ring, &cqe)) {
			io_uring_cqe_seen(&q->ring, cqe);
			q->in_flight--;
		}
	}
}

void readq_free(struct readq *q)
{
	if (!q)
		return;
	if (q->have_ring) {
		drain(q);
		io_uring_queue_exit(&q->ring);
	}
	close(q->event_fd);
	free((void *)q->buffers);
	free(q);
}
