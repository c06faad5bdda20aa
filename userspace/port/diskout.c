// SPDX-License-Identifier: MIT
#include "port/diskout.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/falloc.h>
#include <linux/fs.h>

#include "port/file.h"

#define ZEROES_LEN (1u << 20)
#define FILE_BLOCK 4096u	/* larger ones are refused, and go another way */

struct diskout {
	int fd;
	int direct_fd;		/* past the cache; -1: there is none */
	unsigned int block;	/* what it takes is in whole ones of these */
	char *path;		/* of a file of ours; NULL: a device */
	bool finished;
	uint64_t size;
};

static int new_out(const char *path, uint64_t size, struct diskout **ret)
{
	struct diskout *out;

	if (size > INT64_MAX)
		return -EFBIG;
	out = calloc(1, sizeof(*out));
	if (!out)
		return -ENOMEM;
	out->fd = -1;
	out->direct_fd = -1;
	out->size = size;
	if (path) {
		out->path = strdup(path);
		if (!out->path) {
			free(out);
			return -ENOMEM;
		}
	}
	*ret = out;
	return 0;
}

/*
 * What a whole disk is written with would only push all else out of the cache,
 * to be copied from there at the end. Some filesystems have no such way.
 */
static void open_direct(struct diskout *out, unsigned int block)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", out->fd);
	out->block = block;
	out->direct_fd = open(path, O_WRONLY | O_CLOEXEC | O_DIRECT);
}

int diskout_create(const char *path, uint64_t size, struct diskout **ret)
{
	struct diskout *out;
	int r;

	r = new_out(path, size, &out);
	if (r)
		return r;
	out->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (out->fd < 0) {
		r = -errno;
		/* Not ours, then: it stays. */
		out->finished = true;
	} else if (ftruncate(out->fd, (off_t)size)) {
		r = -errno;
	}
	if (r) {
		diskout_free(out);
		return r;
	}
	open_direct(out, FILE_BLOCK);
	*ret = out;
	return 0;
}

static int check_device(int fd, uint64_t size)
{
	struct stat st;
	uint64_t have;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISBLK(st.st_mode))
		return -ENOTBLK;
	if (ioctl(fd, BLKGETSIZE64, &have))
		return -errno;
	return have < size ? -ENOSPC : 0;
}

int diskout_open_device(const char *path, uint64_t size, struct diskout **ret)
{
	struct diskout *out;
	struct stat st;
	int block, r;

	if (stat(path, &st))
		return -errno;
	if (!S_ISBLK(st.st_mode))
		return -ENOTBLK;
	r = new_out(NULL, size, &out);
	if (r)
		return r;
	/* On a device, O_EXCL without O_CREAT means: no one else's. */
	out->fd = open(path, O_RDWR | O_EXCL | O_CLOEXEC);
	r = out->fd < 0 ? -errno : check_device(out->fd, size);
	if (r) {
		diskout_free(out);
		return r;
	}
	if (!ioctl(out->fd, BLKSSZGET, &block))
		open_direct(out, (unsigned int)block);
	*ret = out;
	return 0;
}

void diskout_free(struct diskout *out)
{
	if (!out)
		return;
	if (out->path && !out->finished)
		unlink(out->path);
	if (out->direct_fd >= 0)
		close(out->direct_fd);
	if (out->fd >= 0)
		close(out->fd);
	free(out->path);
	free(out);
}

bool diskout_is_zero(const struct diskout *out)
{
	return out->path;
}

uint64_t diskout_size(const struct diskout *out)
{
	return out->size;
}

static bool is_inside(const struct diskout *out, uint64_t off, uint64_t len)
{
	return off <= out->size && len <= out->size - off;
}

static int fd_for(const struct diskout *out, uint64_t off, const void *data,
		  size_t len)
{
	if (out->direct_fd < 0 || off % out->block || len % out->block ||
	    (uintptr_t)data % out->block)
		return out->fd;
	return out->direct_fd;
}

int diskout_write(struct diskout *out, uint64_t off, const void *data,
		  size_t len)
{
	const char *from = data;
	int fd = fd_for(out, off, data, len);
	ssize_t n;

	if (!is_inside(out, off, len))
		return -EINVAL;
	while (len) {
		n = pwrite(fd, from, len, (off_t)off);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EINVAL && fd != out->fd) {
			fd = out->fd;
			continue;
		}
		if (n < 0)
			return -errno;
		from += n;
		off += (uint64_t)n;
		len -= (size_t)n;
		fd = fd_for(out, off, from, len);
	}
	return 0;
}

static int write_zeroes(struct diskout *out, uint64_t off, uint64_t len)
{
	char *zeroes = calloc(1, ZEROES_LEN);
	int r = 0;

	if (!zeroes)
		return -ENOMEM;
	while (len && !r) {
		size_t n = len < ZEROES_LEN ? (size_t)len : ZEROES_LEN;

		r = diskout_write(out, off, zeroes, n);
		off += n;
		len -= n;
	}
	free(zeroes);
	return r;
}

int diskout_zero(struct diskout *out, uint64_t off, uint64_t len)
{
	static const int modes[] = {
		/* On a device: only where discarding makes zeroes for sure. */
		FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
	};
	size_t i;

	if (!is_inside(out, off, len))
		return -EINVAL;
	if (!len)
		return 0;
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (!fallocate(out->fd, modes[i], (off_t)off, (off_t)len))
			return 0;
	return write_zeroes(out, off, len);
}

int diskout_finish(struct diskout *out)
{
	int r;

	if (fsync(out->fd))
		return -errno;
	r = out->path ? file_sync_directory(out->path) : 0;
	if (!r)
		out->finished = true;
	return r;
}
