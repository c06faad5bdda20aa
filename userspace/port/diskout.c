// SPDX-License-Identifier: MIT
#include "port/diskout.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
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
	bool cut;		/* at its size, when finished */
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
static void open_direct(struct diskout *out, unsigned int block, int mode)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", out->fd);
	out->block = block;
	out->direct_fd = open(path, mode | O_CLOEXEC | O_DIRECT);
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
	open_direct(out, FILE_BLOCK, O_RDWR);
	*ret = out;
	return 0;
}

/* Of a file, only who opens it alone gets a lease. */
static bool is_shared(int fd)
{
	if (fcntl(fd, F_SETLEASE, F_WRLCK))
		return errno == EAGAIN || errno == EBUSY;
	fcntl(fd, F_SETLEASE, F_UNLCK);
	return false;
}

/* Who owns what we make beside @path: over a network not always we. */
static int maker_beside(const char *path, uid_t *ret)
{
	char name[PATH_MAX];
	struct stat st;
	int fd, r = 0;

	if (snprintf(name, sizeof(name), "%s.XXXXXX", path) >=
	    (int)sizeof(name))
		return -ENAMETOOLONG;
	fd = mkostemp(name, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		r = -errno;
	else
		*ret = st.st_uid;
	unlink(name);
	close(fd);
	return r;
}

/* Who has another name of it, or made it, would read and change what it holds. */
static int check_own(const char *path, const struct stat *st)
{
	uid_t maker;
	int r;

	if (!S_ISREG(st->st_mode) || st->st_nlink != 1)
		return -EMLINK;
	if (st->st_uid == geteuid())
		return 0;
	r = maker_beside(path, &maker);
	if (r)
		return r;
	return st->st_uid == maker ? 0 : -EMLINK;
}

/* @own: a file that only we may have made. */
static int open_file(const char *path, uint64_t size, bool own,
		     struct diskout **ret)
{
	int flags = own ? O_CREAT | O_NOFOLLOW : 0;
	struct diskout *out;
	struct stat st;
	int r;

	r = new_out(NULL, size, &out);
	if (r)
		return r;
	out->fd = open(path, O_RDWR | O_CLOEXEC | flags, 0600);
	if (out->fd < 0 || fstat(out->fd, &st))
		r = own && errno == ELOOP ? -EMLINK : -errno;
	else if (own)
		r = check_own(path, &st);
	else if (!S_ISREG(st.st_mode))
		r = -EINVAL;
	if (!r && is_shared(out->fd))
		r = -EBUSY;
	if (!r && own && (uint64_t)st.st_size < size &&
	    ftruncate(out->fd, (off_t)size))
		r = -errno;
	out->cut = true;
	if (r) {
		diskout_free(out);
		return r;
	}
	open_direct(out, FILE_BLOCK, O_RDWR);
	*ret = out;
	return 0;
}

int diskout_open_file(const char *path, uint64_t size, struct diskout **ret)
{
	return open_file(path, size, false, ret);
}

int diskout_open_own(const char *path, uint64_t size, struct diskout **ret)
{
	return open_file(path, size, true, ret);
}

static int check_device(int fd, uint64_t size)
{
	struct stat st;
	uint64_t have;

	if (fstat(fd, &st))
		return -errno;
	if (S_ISREG(st.st_mode))
		return 0;
	if (ioctl(fd, BLKGETSIZE64, &have))
		return -errno;
	return have < size ? -ENOSPC : 0;
}

static int open_device(const char *path, uint64_t size, int mode, int flags,
		       struct diskout **ret)
{
	struct diskout *out;
	struct stat st;
	int block, r;

	if (stat(path, &st))
		return -errno;
	if (!S_ISBLK(st.st_mode) &&
	    !(S_ISREG(st.st_mode) && mode == O_RDONLY))
		return -ENOTBLK;
	r = new_out(NULL, size, &out);
	if (r)
		return r;
	out->fd = open(path, mode | flags | O_CLOEXEC);
	r = out->fd < 0 ? -errno : check_device(out->fd, size);
	/* What others have left in the cache must not land on top of ours. */
	if (!r && mode == O_RDWR && fsync(out->fd))
		r = -errno;
	if (r) {
		diskout_free(out);
		return r;
	}
	if (S_ISBLK(st.st_mode) && !ioctl(out->fd, BLKSSZGET, &block))
		open_direct(out, (unsigned int)block, mode);
	*ret = out;
	return 0;
}

int diskout_open_device(const char *path, uint64_t size, struct diskout **ret)
{
	/* On a device, O_EXCL without O_CREAT means: no one else's. */
	return open_device(path, size, O_RDWR, O_EXCL, ret);
}

int diskout_open_shared(const char *path, uint64_t size, bool look,
			struct diskout **ret)
{
	return open_device(path, size, look ? O_RDONLY : O_RDWR, 0, ret);
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

int diskout_read(struct diskout *out, uint64_t off, void *data, size_t len)
{
	char *to = data;
	int fd = fd_for(out, off, data, len);
	ssize_t n;

	if (!is_inside(out, off, len))
		return -EINVAL;
	while (len) {
		n = pread(fd, to, len, (off_t)off);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EINVAL && fd != out->fd) {
			fd = out->fd;
			continue;
		}
		if (n < 0)
			return -errno;
		if (!n) {	/* a file that is to become longer */
			memset(to, 0, len);
			return 0;
		}
		to += n;
		off += (uint64_t)n;
		len -= (size_t)n;
		fd = fd_for(out, off, to, len);
	}
	return 0;
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

	if ((out->cut && ftruncate(out->fd, (off_t)out->size)) ||
	    fsync(out->fd))
		return -errno;
	r = out->path ? file_sync_directory(out->path) : 0;
	if (!r)
		out->finished = true;
	return r;
}
