// SPDX-License-Identifier: MIT
#include "port/secretfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "port/crypto.h"
#include "port/file.h"
#include "port/privacy.h"

#define SECRET_MAX (64u << 10)

static int read_fd(int fd, char **ret)
{
	size_t len;
	int r = file_read_fd(fd, SECRET_MAX, ret, &len);

	if (!r && strlen(*ret) != len) {
		secret_wipe(*ret, len);
		free(*ret);
		r = -EINVAL;
	}
	return r;
}

static int from_environment(const char *name, char **ret)
{
	const char *value = getenv(name);

	if (!value || !*value)
		return -ENOENT;
	*ret = strdup(value);
	return *ret ? 0 : -ENOMEM;
}

static int from_descriptor(const char *number, char **ret)
{
	char *end;
	long fd = strtol(number, &end, 10);

	if (end == number || *end || fd < 0 || fd > 1 << 20)
		return -EINVAL;
	if (fcntl((int)fd, F_SETFD, FD_CLOEXEC))
		return -errno;
	return read_fd((int)fd, ret);
}

static int from_file(const char *path, char **ret)
{
	int fd, r = file_open_secret(path, &fd);

	if (r)
		return r;
	r = read_fd(fd, ret);
	close(fd);
	return r;
}

int secretfile_read(const char *place, char **ret, struct tm_error *err)
{
	int r = privacy_begin();

	if (!r && !strncmp(place, "fd:", 3))
		r = from_descriptor(place + 3, ret);
	else if (!r && !strncmp(place, "env:", 4))
		r = from_environment(place + 4, ret);
	else if (!r)
		r = from_file(place, ret);
	if (!r)
		return 0;
	tm_error_set(err, r, TM_EXIT_PERMISSION, place,
		     "cannot read the secret in '%s': %s", place, r == -EPERM ?
		     "others may read it, or own it" : strerror(-r));
	if (r == -EPERM)
		tm_error_action(err, "chown root %s; chmod 600 %s", place,
				place);
	return r;
}
