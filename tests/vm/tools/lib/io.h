/* SPDX-License-Identifier: MIT */
/*
 * io.h - direct I/O on block devices, one way of doing it per function.
 * Offsets and lengths are bytes and multiples of the logical block size.
 * 0 or -errno; a short transfer is -EIO.
 */
#ifndef TESTS_VM_IO_H
#define TESTS_VM_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

uint64_t io_size(int fd);
unsigned int io_block_size(int fd);

/* A descriptor with O_DIRECT; ends the program if there is none. */
int io_open(const char *path, int flags);

/* Page-aligned memory; ends the program if there is none. */
void *io_buffer(size_t len);

/* Fills @buf with words that depend on @seed and place alone. */
void io_pattern(void *buf, size_t len, uint64_t seed);

int io_read(int fd, void *buf, size_t len, uint64_t off);
int io_put(int fd, const void *buf, size_t len, uint64_t off);
int io_write(int fd, uint64_t off, size_t len, uint64_t seed);
int io_discard(int fd, uint64_t off, uint64_t len);
int io_zero(int fd, uint64_t off, uint64_t len);

/* pwritev2 with RWF_NOWAIT: -EAGAIN where it would have to wait. */
int io_write_nowait(int fd, uint64_t off, size_t len, uint64_t seed);

/* pwritev2 with RWF_DSYNC: one FUA write, or a flush after it. */
int io_write_dsync(int fd, uint64_t off, size_t len, uint64_t seed);

/* One request through a ring; @polled: IORING_SETUP_IOPOLL. */
int io_write_ring(int fd, uint64_t off, size_t len, uint64_t seed,
		  bool polled);

/* The whole of a device, through @fd, to a new buffer of io_buffer(). */
void *io_read_all(int fd, uint64_t size);

#endif
