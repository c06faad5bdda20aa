// SPDX-License-Identifier: MIT
#include "io.h"

#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

uint64_t io_size(int fd)
{
	uint64_t size = 0;

	if (ioctl(fd, BLKGETSIZE64, &size))
		tap_bail("cannot read a device's size: %s", strerror(errno));
	return size;
}

unsigned int io_block_size(int fd)
{
	int size = 0;

	if (ioctl(fd, BLKSSZGET, &size))
		tap_bail("cannot read a block size: %s", strerror(errno));
	return size;
}

int io_open(const char *path, int flags)
{
	int fd = open(path, flags | O_DIRECT | O_CLOEXEC);

	if (fd < 0)
		tap_bail("cannot open '%s': %s", path, strerror(errno));
	return fd;
}

void *io_buffer(size_t len)
{
	void *buf;

	if (posix_memalign(&buf, 4096, len ? len : 1))
		tap_bail("no memory for %zu bytes", len);
	return buf;
}

void io_pattern(void *buf, size_t len, uint64_t seed)
{
	uint64_t *word = buf;
	size_t i;

	for (i = 0; i < len / sizeof(*word); i++) {
		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		word[i] = seed ^ seed >> 29;
	}
}

static int whole(ssize_t done, size_t len)
{
	if (done < 0)
		return -errno;
	return (size_t)done == len ? 0 : -EIO;
}

int io_read(int fd, void *buf, size_t len, uint64_t off)
{
	return whole(pread(fd, buf, len, off), len);
}

int io_put(int fd, const void *buf, size_t len, uint64_t off)
{
	return whole(pwrite(fd, buf, len, off), len);
}

static int write_flags(int fd, uint64_t off, size_t len, uint64_t seed,
		       int flags)
{
	struct iovec iov = { .iov_base = io_buffer(len), .iov_len = len };
	int r;

	io_pattern(iov.iov_base, len, seed);
	r = whole(pwritev2(fd, &iov, 1, off, flags), len);
	free(iov.iov_base);
	return r;
}

int io_write(int fd, uint64_t off, size_t len, uint64_t seed)
{
	return write_flags(fd, off, len, seed, 0);
}

int io_write_nowait(int fd, uint64_t off, size_t len, uint64_t seed)
{
	return write_flags(fd, off, len, seed, RWF_NOWAIT);
}

int io_write_dsync(int fd, uint64_t off, size_t len, uint64_t seed)
{
	return write_flags(fd, off, len, seed, RWF_DSYNC);
}

static int range(int fd, unsigned long request, uint64_t off, uint64_t len)
{
	uint64_t arg[2] = { off, len };

	return ioctl(fd, request, arg) ? -errno : 0;
}

int io_discard(int fd, uint64_t off, uint64_t len)
{
	return range(fd, BLKDISCARD, off, len);
}

int io_zero(int fd, uint64_t off, uint64_t len)
{
	return range(fd, BLKZEROOUT, off, len);
}

int io_write_ring(int fd, uint64_t off, size_t len, uint64_t seed, bool polled)
{
	struct io_uring ring;
	struct io_uring_sqe *sqe;
	struct io_uring_cqe *cqe;
	void *buf;
	int r;

	r = io_uring_queue_init(2, &ring, polled ? IORING_SETUP_IOPOLL : 0);
	if (r)
		return r;
	buf = io_buffer(len);
	io_pattern(buf, len, seed);
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_write(sqe, fd, buf, len, off);
	r = io_uring_submit(&ring);
	if (r >= 0)
		r = io_uring_wait_cqe(&ring, &cqe);
	if (!r) {
		r = cqe->res < 0 ? cqe->res :
				   (size_t)cqe->res == len ? 0 : -EIO;
		io_uring_cqe_seen(&ring, cqe);
	}
	free(buf);
	io_uring_queue_exit(&ring);
	return r;
}

void *io_read_all(int fd, uint64_t size)
{
	uint64_t off, step = 4 << 20;
	char *all = io_buffer(size);
	int r;

	for (off = 0; off < size; off += step) {
		if (step > size - off)
			step = size - off;
		r = io_read(fd, all + off, step, off);
		if (r)
			tap_bail("cannot read a device at %llu: %s",
				 (unsigned long long)off, strerror(-r));
	}
	return all;
}
