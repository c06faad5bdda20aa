// SPDX-License-Identifier: MIT
#include "port/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "port/command.h"
#include "port/crypto.h"
#include "port/file.h"
#include "port/privacy.h"

static int begin(const char *source, struct secret *ret)
{
	*ret = (struct secret){ .data = NULL };
	snprintf(ret->source, sizeof(ret->source), "%.*s",
		 (int)sizeof(ret->source) - 1, source);
	return privacy_begin() ? -EOPNOTSUPP : 0;
}

static int read_all(int fd, struct secret *ret)
{
	return file_read_fd(fd, SECRET_MAX, &ret->data, &ret->len);
}

static int open_private(const char *path)
{
	struct stat st;
	/* A fifo in its place must not make us wait. */
	int r = 0, fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		r = -errno;
	else if (!S_ISREG(st.st_mode) || (st.st_mode & 077) ||
		 (st.st_uid && st.st_uid != geteuid()))
		r = -EPERM;
	if (!r)
		return fd;
	close(fd);
	return r;
}

int secret_from_file(const char *path, struct secret *ret)
{
	int fd, r = begin(path, ret);

	if (r)
		return r;
	fd = open_private(path);
	if (fd < 0)
		return fd;
	r = read_all(fd, ret);
	close(fd);
	return r;
}

int secret_from_command(const char *setting, const char *command,
			struct secret *ret)
{
	int fd, ended, r = begin(setting, ret);
	pid_t pid;

	if (!r)
		r = command_start(command, &fd, &pid);
	if (r)
		return r;
	r = read_all(fd, ret);
	close(fd);
	ended = command_end(pid);
	/* What prints too much dies of it. */
	if (!ended || r == -EFBIG)
		return r;
	secret_done(ret);
	return ended;
}

static int put_into_memory(int fd)
{
	struct secret s = { .data = NULL };
	int memory, r = read_all(fd, &s);

	if (r)
		return r;
	memory = memfd_create("secret", MFD_CLOEXEC);
	if (memory < 0 || write(memory, s.data, s.len) != (ssize_t)s.len ||
	    dup3(memory, fd, O_CLOEXEC) < 0)
		r = errno ? -errno : -EIO;
	if (memory >= 0)
		close(memory);
	secret_done(&s);
	return r;
}

int secret_rewind(int fd)
{
	int r;

	if (fcntl(fd, F_SETFD, FD_CLOEXEC))
		return -errno;
	if (lseek(fd, 0, SEEK_SET) >= 0)
		return 0;
	if (errno != ESPIPE)
		return -errno;
	r = put_into_memory(fd);
	if (!r && lseek(fd, 0, SEEK_SET) < 0)
		r = -errno;
	return r;
}

int secret_from_fd(int fd, struct secret *ret)
{
	char source[32];
	int r;

	snprintf(source, sizeof(source), "descriptor %d", fd);
	r = begin(source, ret);
	if (!r)
		r = secret_rewind(fd);
	return r ? r : read_all(fd, ret);
}

int secret_from_environment(const char *variable, struct secret *ret)
{
	const char *value = getenv(variable);
	int r = begin(variable, ret);

	if (r)
		return r;
	if (!value || !*value)
		return -ENOENT;
	ret->data = strdup(value);
	if (!ret->data)
		return -ENOMEM;
	ret->len = strlen(value);
	return 0;
}

int secret_from_systemd(const char *name, struct secret *ret)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	char path[PATH_MAX];
	int r = begin(name, ret);

	if (r)
		return r;
	if (!dir || *dir != '/')
		return -ENOENT;
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return secret_from_file(path, ret);
}

int secret_from_place(const char *place, struct secret *ret)
{
	char *end;
	long fd;
	int r;

	if (strncmp(place, "fd:", 3))
		return secret_from_file(place, ret);
	fd = strtol(place + 3, &end, 10);
	if (end > place + 3 && !*end && fd >= 0 && fd <= INT_MAX)
		return secret_from_fd((int)fd, ret);
	r = begin(place, ret);
	return r ? r : -EBADF;
}

void secret_take_line(struct secret *s)
{
	size_t len = strcspn(s->data, "\r\n");

	secret_wipe(s->data + len, s->len - len);
	s->data[len] = '\0';
	s->len = len;
}

static const char *why(int r)
{
	switch (-r) {
	case EPERM:
		return "others may read it, or own it";
	case EFBIG:
		return "it is too long";
	case ENODATA:
		return "it is empty";
	case EILSEQ:
		return "it holds a NUL";
	case EBADF:
		return "it is not open";
	case EREMOTEIO:
		return "it failed";
	case EOPNOTSUPP:
		return "the process cannot be kept from leaving core dumps";
	default:
		return strerror(-r);
	}
}

int secret_refused(int r, int as, const char *what, const char *source,
		   struct tm_error *err)
{
	tm_error_set(err, as, TM_EXIT_PERMISSION, source,
		     "cannot use %s from '%s': %s", what, source, why(r));
	if (r == -EPERM)
		tm_error_action(err, "chown root %s; chmod 600 %s", source,
				source);
	return as;
}

void secret_done(struct secret *s)
{
	if (s->data)
		secret_wipe(s->data, s->len);
	free(s->data);
	s->data = NULL;
	s->len = 0;
}
