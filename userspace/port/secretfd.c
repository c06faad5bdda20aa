// SPDX-License-Identifier: MIT
#include "port/secretfd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "port/crypto.h"
#include "port/file.h"

static int make_seekable(int fd, size_t max)
{
	char *text;
	size_t len;
	int memory, r;

	r = file_read_fd(fd, max, &text, &len);
	if (r)
		return r;
	memory = memfd_create("secret", MFD_CLOEXEC);
	if (memory < 0) {
		r = -errno;
	} else {
		if (write(memory, text, len) != (ssize_t)len ||
		    dup3(memory, fd, O_CLOEXEC) < 0)
			r = errno ? -errno : -EIO;
		close(memory);
	}
	secret_wipe(text, len);
	free(text);
	return r;
}

int secretfd_rewind(int fd, size_t max)
{
	int r;

	if (fcntl(fd, F_SETFD, FD_CLOEXEC))
		return -errno;
	if (lseek(fd, 0, SEEK_SET) >= 0)
		return 0;
	if (errno != ESPIPE)
		return -errno;
	r = make_seekable(fd, max);
	if (!r && lseek(fd, 0, SEEK_SET) < 0)
		r = -errno;
	return r;
}
