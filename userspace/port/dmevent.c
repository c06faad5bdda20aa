// SPDX-License-Identifier: MIT
#include "port/dmevent.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <time.h>

#include <libdevmapper.h>
#include <linux/dm-ioctl.h>

/* libdevmapper's own descriptor of this node is not to be had. */
int dmevent_open(void)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dm_dir(), DM_CONTROL_NODE);
	fd = open(path, O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int dmevent_arm(int fd)
{
	struct dm_ioctl arg = {
		.version = { 4, 37, 0 },	/* that began with it */
		.data_size = sizeof(arg),
		.data_start = offsetof(struct dm_ioctl, data),
	};

	return ioctl(fd, DM_DEV_ARM_POLL, &arg) < 0 ? -errno : 0;
}

int dmevent_wait(int fd, int timeout_ms, const sigset_t *mask)
{
	const struct timespec ts = {
		.tv_sec = timeout_ms / 1000,
		.tv_nsec = timeout_ms % 1000 * 1000000l,
	};
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return ppoll(&p, 1, timeout_ms < 0 ? NULL : &ts, mask) < 0 ? -errno : 0;
}
