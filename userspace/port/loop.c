// SPDX-License-Identifier: MIT
#include "port/loop.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/loop.h>

static bool same_file(const char *node, const struct stat *file)
{
	struct loop_info64 info;
	int fd = open(node, O_RDONLY | O_CLOEXEC), r;

	if (fd < 0)
		return false;
	r = ioctl(fd, LOOP_GET_STATUS64, &info);
	close(fd);
	return !r && info.lo_device == file->st_dev &&
	       info.lo_inode == file->st_ino && !info.lo_offset &&
	       !info.lo_sizelimit;
}

static int find_attached(const struct stat *file, char ret[LOOP_NODE_SIZE])
{
	const struct dirent *e;
	DIR *d = opendir("/sys/block");
	char node[LOOP_NODE_SIZE];
	int r = -ENOENT;

	if (!d)
		return -errno;
	while (r == -ENOENT && (e = readdir(d))) {
		if (strncmp(e->d_name, "loop", 4) || strlen(e->d_name) > 16)
			continue;
		snprintf(node, sizeof(node), "/dev/%.16s", e->d_name);
		if (same_file(node, file)) {
			strcpy(ret, node);
			r = 0;
		}
	}
	closedir(d);
	return r;
}

static int configure(int control, int fd, const char *file,
		     char ret[LOOP_NODE_SIZE])
{
	struct loop_config config = {
		.fd = fd, .info = { .lo_flags = LO_FLAGS_DIRECT_IO },
	};
	int number = ioctl(control, LOOP_CTL_GET_FREE), loop, r = 0;

	if (number < 0)
		return -errno;
	snprintf(ret, LOOP_NODE_SIZE, "/dev/loop%d", number);
	snprintf((char *)config.info.lo_file_name,
		 sizeof(config.info.lo_file_name), "%s", file);
	loop = open(ret, O_RDWR | O_CLOEXEC);
	if (loop < 0)
		return -errno;
	if (ioctl(loop, LOOP_CONFIGURE, &config) < 0) {
		/* The filesystem may not take direct I/O. */
		config.info.lo_flags = 0;
		if (errno == EINVAL)
			r = ioctl(loop, LOOP_CONFIGURE, &config) < 0 ?
				    -errno : 0;
		else
			r = -errno;
	}
	close(loop);
	return r;
}

int loop_attach(const char *file, char ret[LOOP_NODE_SIZE])
{
	struct stat st;
	int control, fd, r;

	fd = open(file, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = fstat(fd, &st) < 0 ? -errno : find_attached(&st, ret);
	if (r != -ENOENT)
		goto out;
	control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	if (control < 0) {
		r = -errno;
		goto out;
	}
	/* Another may take the free one first. */
	do {
		r = configure(control, fd, file, ret);
	} while (r == -EBUSY);
	close(control);
out:
	close(fd);
	return r;
}

int loop_detach(const char *node)
{
	int fd = open(node, O_RDONLY | O_CLOEXEC), r;

	if (fd < 0)
		return -errno;
	r = ioctl(fd, LOOP_CLR_FD) < 0 ? -errno : 0;
	close(fd);
	return r;
}

int loop_resize(const char *node)
{
	int fd = open(node, O_RDWR | O_CLOEXEC), r;

	if (fd < 0)
		return -errno;
	r = ioctl(fd, LOOP_SET_CAPACITY, 0) < 0 ? -errno : 0;
	close(fd);
	return r;
}

int loop_find(const char *file, char ret[LOOP_NODE_SIZE])
{
	struct stat st;

	if (stat(file, &st) < 0)
		return -errno;
	return find_attached(&st, ret);
}
