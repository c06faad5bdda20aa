// SPDX-License-Identifier: MIT
#include "port/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reads on from @fd until @len is the end or @room is used up. */
static int read_some(int fd, char *data, size_t *len, size_t room)
{
	ssize_t n = 1;

	while (n && *len < room) {
		n = read(fd, data + *len, room - *len);
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n < 0)
			return -errno;
		else
			*len += (size_t)n;
	}
	return 0;
}

/* realloc() would leave a copy behind of what may be a secret. */
static char *enlarge(char *data, size_t len, size_t room)
{
	char *more = malloc(room + 1);

	if (!more || !data)
		return more;
	memcpy(more, data, len);
	explicit_bzero(data, len);
	free(data);
	return more;
}

int file_read_fd(int fd, size_t max, char **ret_data, size_t *ret_len)
{
	size_t len = 0, room = 0, next = 4096;
	char *data = NULL, *more;
	int r = 0;

	/* Room left over means that the end has been reached. */
	while (!r && len == room) {
		more = enlarge(data, len, next);
		if (!more) {
			r = -ENOMEM;
			break;
		}
		data = more;
		room = next;
		next *= 2;
		r = read_some(fd, data, &len, room);
		if (!r && len > max)
			r = -EFBIG;
	}
	if (r) {
		if (data)
			explicit_bzero(data, len);	/* maybe a secret */
		free(data);
		return r;
	}
	data[len] = '\0';
	*ret_data = data;
	*ret_len = len;
	return 0;
}

int file_read(const char *path, size_t max, char **ret_data, size_t *ret_len)
{
	int fd, r;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = file_read_fd(fd, max, ret_data, ret_len);
	close(fd);
	return r;
}

static int write_all(int fd, const char *data, size_t len)
{
	ssize_t n;

	while (len) {
		n = write(fd, data, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

int file_sync_directory(const char *path)
{
	char *copy = strdup(path);
	int fd, r = 0;

	if (!copy)
		return -ENOMEM;
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd))
		r = -errno;
	if (fd >= 0)
		close(fd);
	free(copy);
	return r;
}

static int fill(int fd, mode_t mode, const void *data, size_t len)
{
	int r;

	r = write_all(fd, data, len);
	if (!r && (fchmod(fd, mode) || fsync(fd)))
		r = -errno;
	return r;
}

int file_write(const char *path, mode_t mode, const void *data, size_t len)
{
	char *temporary;
	int fd, r;

	if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
		return -ENOMEM;
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0) {
		r = -errno;
		goto out_free;
	}
	r = fill(fd, mode, data, len);
	if (close(fd) && !r)
		r = -errno;
	if (!r && rename(temporary, path))
		r = -errno;
	if (r)
		unlink(temporary);
	else
		r = file_sync_directory(path);
out_free:
	free(temporary);
	return r;
}

int file_allocate(const char *path, uint64_t size)
{
	int fd = open(path, O_RDWR | O_CLOEXEC), r;

	if (fd < 0)
		return -errno;
	r = -posix_fallocate(fd, 0, (off_t)size);
	if (!r && fsync(fd))
		r = -errno;
	close(fd);
	return r;
}

int file_remove(const char *path)
{
	if (unlink(path))
		return -errno;
	return file_sync_directory(path);
}

static int make_dir(const char *path, mode_t mode)
{
	struct stat st;

	if (!mkdir(path, mode))
		return 0;
	if (errno != EEXIST)
		return -errno;
	if (stat(path, &st))
		return -errno;
	return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

int file_make_dirs(const char *path, mode_t mode)
{
	char *copy = strdup(path), *slash;
	int r = 0;

	if (!copy)
		return -ENOMEM;
	for (slash = copy; !r && (slash = strchr(slash + 1, '/'));) {
		*slash = '\0';
		r = make_dir(copy, 0755);
		*slash = '/';
	}
	if (!r)
		r = make_dir(copy, mode);
	free(copy);
	return r;
}

int file_lock(const char *path, int *ret_fd)
{
	int fd, r;

	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		r = -errno;
		close(fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}
