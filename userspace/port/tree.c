// SPDX-License-Identifier: MIT
/*
 * tree.c - files below a directory that came from another machine
 *
 * Copying is left to cp(1) of coreutils, which every Debian has, and which
 * keeps all that there is to keep.
 */

#include "port/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "port/mounts.h"
#include "port/program.h"

/* No follow: of the last part only. */
static int open_within(const char *root, const char *path, int flags)
{
	const struct open_how how = {
		.flags = (unsigned long long)(O_PATH | O_CLOEXEC | flags),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	int dir = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC), r;

	if (dir < 0)
		return -errno;
	r = (int)syscall(SYS_openat2, dir, *path ? path : ".", &how,
			 sizeof(how));
	if (r < 0)
		r = -errno;
	close(dir);
	return r;
}

static int real_path(int fd, char ret[PATH_MAX])
{
	char link[64];
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, ret, PATH_MAX);
	if (len < 0)
		return -errno;
	if (len == PATH_MAX)
		return -ENAMETOOLONG;
	ret[len] = '\0';
	return 0;
}

int tree_resolve(const char *root, const char *path, char ret[PATH_MAX])
{
	int fd = open_within(root, path, O_NOFOLLOW), r;

	if (fd < 0)
		return fd;
	r = real_path(fd, ret);
	close(fd);
	return r;
}

static int visit(int dir, const char *at, const char *name,
		 int (*each)(void *arg, const struct tree_entry *e), void *arg)
{
	struct tree_entry e = { .name = name };
	char target[PATH_MAX];
	ssize_t len;

	if (fstatat(dir, at, &e.st, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -errno;
	if (S_ISLNK(e.st.st_mode)) {
		len = readlinkat(dir, at, target, sizeof(target) - 1);
		if (len < 0)
			return -errno;
		target[len] = '\0';
		e.target = target;
	}
	return each(arg, &e);
}

static int not_dots(const struct dirent *e)
{
	return strcmp(e->d_name, ".") && strcmp(e->d_name, "..");
}

static int list_directory(int fd, int (*each)(void *arg,
					      const struct tree_entry *e),
			  void *arg)
{
	struct dirent **v;
	int n, i, r = 0;

	n = scandirat(fd, ".", &v, not_dots, alphasort);
	if (n < 0)
		return -errno;
	for (i = 0; i < n; i++) {
		if (!r)
			r = visit(fd, v[i]->d_name, v[i]->d_name, each, arg);
		free(v[i]);
	}
	free(v);
	return r;
}

int tree_list(const char *root, const char *path,
	      int (*each)(void *arg, const struct tree_entry *e), void *arg)
{
	const char *name = strrchr(path, '/');
	int fd = open_within(root, path, O_NOFOLLOW), r;
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st))
		r = -errno;
	else if (S_ISDIR(st.st_mode))
		r = list_directory(fd, each, arg);
	else
		r = visit(fd, "", name ? name + 1 : path, each, arg);
	close(fd);
	return r;
}

/*
 * On the filesystem that @to is on, or will be. It is opened before anything is
 * written, for it is the failures since then that a descriptor is told of.
 */
static int open_filesystem(const char *to)
{
	int fd = open(to, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	char *path;

	if (fd >= 0)
		return fd;
	path = strdup(to);
	if (!path)
		return -ENOMEM;
	fd = open(dirname(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		fd = -errno;
	free(path);
	return fd;
}

/* cp exits with 1 whatever it is, but ends its words with the reason. */
static int errno_of(const char *said)
{
	static const int known[] = {
		EACCES, EDQUOT, EFBIG, EIO, ENOENT, ENOSPC, EPERM,
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		const char *text = strerror(known[i]);
		size_t len = strlen(text), all = strlen(said);

		if (all > len && !strcmp(said + all - len, text))
			return -known[i];
	}
	return -ECHILD;
}

/*
 * What is there already may be anybody's: a link to a file elsewhere, of either
 * kind, is not written through but replaced. Through a link in the place of a
 * directory cp goes in no case.
 */
static int copy(const char *from, const char *to, char *why, size_t size)
{
	const char *const argv[] = {
		"cp", "--no-dereference", "--recursive", "--sparse=always",
		"--preserve=mode,ownership,timestamps,links,xattr",
		"--remove-destination", "--no-target-directory", "--", from,
		to, NULL,
	};
	struct program_result result;
	int r = program_run(argv, -1, &result);

	if (r) {
		snprintf(why, size, "%s", strerror(-r));
		return r;
	}
	if (result.status) {
		snprintf(why, size, "%s", *result.said ? result.said :
			 "cp has failed");
		r = errno_of(result.said);
	}
	program_result_done(&result);
	return r;
}

static int sync_mount(const char *path)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	int r = 0;

	if (fd < 0)	/* another mount hides it: nothing was copied there */
		return 0;
	if (syncfs(fd))
		r = -errno;
	close(fd);
	return r;
}

/* @fd is on the filesystem of @to. Others may be mounted in a directory. */
static int sync_all(int fd, const char *to)
{
	struct mount_list list;
	char path[PATH_MAX];
	size_t len;
	int r;

	if (syncfs(fd))
		return -errno;
	if (!realpath(to, path))	/* a link to what is not there */
		return 0;
	r = mounts_read(&list);
	if (r)
		return r;
	len = strlen(path);
	for (size_t i = 0; i < list.n && !r; i++) {
		const struct mount_entry *e = &list.v[i];

		/* To open an automounter's would be to have it mounted. */
		if (!strncmp(e->path, path, len) && e->path[len] == '/' &&
		    strcmp(e->type, "autofs"))
			r = sync_mount(e->path);
	}
	mounts_done(&list);
	return r;
}

int tree_copy(const char *from, const char *to, char *why, size_t size)
{
	int fd = open_filesystem(to), r;

	if (fd < 0) {
		snprintf(why, size, "%s", strerror(-fd));
		return fd;
	}
	r = copy(from, to, why, size);
	if (!r) {
		r = sync_all(fd, to);
		if (r)
			snprintf(why, size, "not all could be written: %s",
				 strerror(-r));
	}
	close(fd);
	return r;
}
